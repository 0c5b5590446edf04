"""A visitor's session: one visit, one family of session tokens."""

import uuid

from django.db import models


class VisitorSession(models.Model):
    """`sid` is in every token of the session, so revoking the row ends them all."""

    sid = models.UUIDField(primary_key=True, default=uuid.uuid4)
    site = models.ForeignKey("webchat.Site", models.CASCADE)
    visitor = models.ForeignKey("webchat.Visitor", models.CASCADE, related_name="sessions")
    origin = models.CharField(max_length=300, blank=True)
    user_agent = models.CharField(max_length=400, blank=True)
    metadata = models.JSONField(default=dict)
    """What the page said at init: page_url, referrer, locale, utm_*."""
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    revoked_at = models.DateTimeField(null=True)
