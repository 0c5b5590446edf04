"""A client of one's own, shown on a page: `examples/visitor.html`."""

from http import HTTPStatus
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import engines

from admin_ui.assets import find_url
from webchat.demo.content import SHOPS, load_shop
from webchat.models import Role
from webchat.queries.site import find_first_of

PAGE = Path(settings.BASE_DIR) / "examples" / "visitor.html"


def visitor(request: HttpRequest) -> HttpResponse:
    """The demo's first site, or the one of `?widget_key=`; a page that says what is missing."""
    widget_key = request.GET.get("widget_key") or _find_demo_key()
    script, style = find_url("examples/visitor.js"), find_url("examples/visitor.css")
    if widget_key is None or script is None or style is None:
        missing = "demo" if widget_key is None else "assets"
        return render(
            request, "admin_ui/no_example.html", {"missing": missing}, status=HTTPStatus.NOT_FOUND
        )
    context = {
        "widget_key": widget_key,
        "base_url": settings.BASE_URL,
        "script_url": script,
        "style_url": style,
    }
    template = engines["django"].from_string(PAGE.read_text())
    return HttpResponse(template.render(context, request))


def _find_demo_key() -> str | None:
    shop = load_shop(SHOPS[0])
    owner = next(person for person in shop.people if person.role == Role.OWNER)
    site = find_first_of(owner.email(shop.domain))
    return site.widget_key if site else None
