"""Built assets in templates."""

from django import template

from admin_ui.assets import find_url

register = template.Library()


@register.simple_tag
def asset(name: str) -> str:
    """The address of a built asset; empty while it has not been built."""
    return find_url(name) or ""
