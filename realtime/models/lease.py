"""Who may do a piece of periodic work, and until when."""

from django.db import models


class Lease(models.Model):
    """A name that one holder has until it expires; taken by a conditional UPDATE."""

    name = models.CharField(max_length=64, primary_key=True)
    expires_at = models.DateTimeField()
