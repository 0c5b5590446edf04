"""Organizations and the people and teams in them."""

from django.db import models
from django.db.models import Q


class Plan(models.TextChoices):
    FREE = "free"
    PRO = "pro"
    ENTERPRISE = "enterprise"


class Role(models.TextChoices):
    OWNER = "owner"
    ADMIN = "admin"
    SUPERVISOR = "supervisor"
    AGENT = "agent"


class Availability(models.TextChoices):
    """What an agent says of themselves; an agent without a connection is offline whatever it is."""

    AVAILABLE = "available"
    BUSY = "busy"
    AWAY = "away"


class Organization(models.Model):
    name = models.CharField(max_length=120)
    plan = models.CharField(max_length=16, choices=Plan, default=Plan.FREE)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A user's role in one organization, until it is revoked; a later one is a new row."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="memberships")
    user = models.ForeignKey("webchat.User", models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role, default=Role.AGENT)
    availability = models.CharField(
        max_length=16, choices=Availability, default=Availability.AVAILABLE
    )
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "user"],
                condition=Q(revoked_at__isnull=True),
                name="one_live_membership",
            )
        ]


class Team(models.Model):
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="teams")
    name = models.CharField(max_length=80)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="team_name")]

    def __str__(self) -> str:
        return self.name
