"""Tokens of integrators: `kt_` and 43 random characters, kept as an SHA-256 hash only."""

from django.db import models


class ApiToken(models.Model):
    """Acts as its membership within its scopes. A fast hash suffices for a long random string."""

    membership = models.ForeignKey("webchat.Membership", models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=120)
    token_hash = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
