"""Founding an organization."""

from django.db import transaction

from realtime import streams
from webchat.models import Membership, Organization, Plan, Role, User


def found_organization(*, name: str, owner: User, plan: Plan = Plan.FREE) -> Organization:
    """A new organization with its event stream and its owner, who is saved if new."""
    with transaction.atomic():
        if owner.pk is None:
            owner.save()
        organization = Organization.objects.create(name=name, plan=plan)
        streams.open_organization(organization.pk)
        Membership.objects.create(organization=organization, user=owner, role=Role.OWNER)
    return organization
