"""A contact is a person; a visitor is one of the person's browsers."""

from django.db import models


class Contact(models.Model):
    """Name and e-mail are what the visitor claims until `verified`."""

    organization = models.ForeignKey(
        "webchat.Organization", models.CASCADE, related_name="contacts"
    )
    name = models.CharField(max_length=200, blank=True)
    email = models.EmailField(max_length=254, blank=True)
    verified = models.BooleanField(default=False)
    created_at = models.DateTimeField()


class Visitor(models.Model):
    """`visitor_id` works as a bearer secret: never shown to agents, logged or put in a URL."""

    organization = models.ForeignKey("webchat.Organization", models.CASCADE)
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="visitors")
    visitor_id = models.CharField(max_length=40, unique=True)
    created_at = models.DateTimeField()
