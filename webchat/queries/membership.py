"""Memberships of people in organizations."""

from collections.abc import Sequence

from webchat.models import Membership
from webchat.principal import Agent


def list_own(agent: Agent) -> Sequence[Membership]:
    """The person's live memberships with their organizations; a token's is one alone.

    A token was given out for one organization, so it does not tell of the others.
    """
    rows = Membership.objects.filter(user_id=agent.user_id, revoked_at__isnull=True)
    if agent.scopes is not None:
        rows = rows.filter(pk=agent.membership_id)
    return list(rows.select_related("organization").order_by("pk"))
