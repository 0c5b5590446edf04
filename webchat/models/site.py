"""A site: one embed of the widget, with its key and the origins that may use it."""

import secrets

from django.db import models


def new_widget_key() -> str:
    return f"wk_{secrets.token_hex(16)}"


class Site(models.Model):
    organization = models.ForeignKey("webchat.Organization", models.CASCADE, related_name="sites")
    name = models.CharField(max_length=120)
    widget_key = models.CharField(max_length=35, unique=True, default=new_widget_key)
    allowed_origins = models.JSONField(default=list)
    agency_mode = models.BooleanField(default=False)
    locale = models.CharField(max_length=16, default="en")
    appearance = models.JSONField(default=dict)
    is_restricted = models.BooleanField(default=False)
    agents = models.ManyToManyField("webchat.Membership", related_name="sites", blank=True)
    """Who sees the site's conversations where it is restricted; otherwise every member does."""
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name
