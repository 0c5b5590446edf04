"""Members of an organization."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from project.errors import AppError, Forbidden, NotFound
from webchat.models import ApiToken, Membership, Role
from webchat.permissions import may_manage_members
from webchat.principal import Agent


class LastOwner(AppError):
    code = "LAST_OWNER"
    status = 409
    message = "An organization keeps at least one owner. Make somebody else an owner first."


def revoke_member(*, agent: Agent, membership_id: int, now: datetime) -> None:
    """End a membership and its API tokens; its sockets close within two seconds.

    The conversations that the member owns stay theirs by name until somebody takes them over.
    Raises Forbidden, NotFound and LastOwner.
    """
    if not may_manage_members(agent):
        raise Forbidden
    with transaction.atomic():
        # The owners too, and in one order: two who remove each other wait, and one of them stays.
        rows = Membership.objects.select_for_update(no_key=True).filter(
            Q(pk=membership_id) | Q(role=Role.OWNER),
            organization_id=agent.organization_id,
            revoked_at__isnull=True,
        )
        locked = {row.pk: row for row in rows.order_by("pk")}
        membership = locked.pop(membership_id, None)
        if membership is None:
            raise NotFound
        if membership.role == Role.OWNER:
            if agent.role != Role.OWNER:
                raise Forbidden("Only an owner may remove an owner.")
            if not locked:
                raise LastOwner
        membership.revoked_at = now
        membership.save(update_fields=["revoked_at"])
        ApiToken.objects.filter(membership=membership, revoked_at__isnull=True).update(
            revoked_at=now
        )
