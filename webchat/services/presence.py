"""Who is here: rows that processes with connections renew, and events of coming and going."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import cast

from django.db import transaction

from realtime.events import PresenceChanged, VisitorConnected, VisitorDisconnected
from realtime.events.activity import PresenceData, PresenceStatus, VisitorPresenceData
from realtime.models import AgentPresence, VisitorPresence
from realtime.publish import publish
from webchat.models import Membership
from webchat.principal import Agent

VISITOR_GRACE = timedelta(seconds=120)
"""A visitor who is back within it was never gone: reloads and second tabs make no noise."""

AGENT_GRACE = timedelta(seconds=45)


def visitors_arrived(*, contacts: Mapping[int, int], now: datetime) -> None:
    """Note connections of contacts (id to organization id); tell of those that were not here."""
    with transaction.atomic():
        here = VisitorPresence.objects.filter(contact_id__in=contacts)
        known = set(here.values_list("contact_id", flat=True))
        here.update(seen_at=now)
        rows = [
            VisitorPresence(contact_id=contact_id, organization_id=organization_id, seen_at=now)
            for contact_id, organization_id in contacts.items()
            if contact_id not in known
        ]
        # Another process may have been told of the same contact in this instant.
        VisitorPresence.objects.bulk_create(rows, ignore_conflicts=True)
        publish(
            *(
                VisitorConnected(
                    at=now,
                    organization_id=row.organization_id,
                    contact_id=row.contact_id,
                    data=VisitorPresenceData(contact_id=row.contact_id, at=now),
                )
                for row in rows
            )
        )


def renew_visitors(*, contact_ids: Collection[int], now: datetime) -> None:
    """They are still connected, or were until this moment."""
    VisitorPresence.objects.filter(contact_id__in=contact_ids).update(seen_at=now)


def agent_arrived(*, agent: Agent, now: datetime) -> None:
    """Note an agent's connection; tell the others if it is the only one."""
    with transaction.atomic():
        _, is_new = AgentPresence.objects.update_or_create(
            organization_id=agent.organization_id,
            agent_id=agent.user_id,
            defaults={"seen_at": now},
        )
        if is_new:
            membership = Membership.objects.get(pk=agent.membership_id)
            publish(
                _presence(
                    agent.organization_id,
                    agent.user_id,
                    cast("PresenceStatus", membership.availability),
                    now,
                )
            )


def renew_agents(*, agents: Collection[tuple[int, int]], now: datetime) -> None:
    """(organization id, user id) of those who are still connected, or were until this moment."""
    for organization_id in {organization_id for organization_id, _ in agents}:
        ids = [agent_id for tenant, agent_id in agents if tenant == organization_id]
        AgentPresence.objects.filter(organization_id=organization_id, agent_id__in=ids).update(
            seen_at=now
        )


def sweep(*, now: datetime) -> int:
    """Tell of everybody whose grace is over; returns how many have gone."""
    with transaction.atomic():
        visitors = list(
            VisitorPresence.objects.select_for_update().filter(seen_at__lt=now - VISITOR_GRACE)
        )
        agents = list(
            AgentPresence.objects.select_for_update().filter(seen_at__lt=now - AGENT_GRACE)
        )
        VisitorPresence.objects.filter(pk__in=[row.pk for row in visitors]).delete()
        AgentPresence.objects.filter(pk__in=[row.pk for row in agents]).delete()
        publish(
            *(
                VisitorDisconnected(
                    at=now,
                    organization_id=row.organization_id,
                    contact_id=row.contact_id,
                    data=VisitorPresenceData(contact_id=row.contact_id, at=row.seen_at),
                )
                for row in visitors
            ),
            *(_presence(row.organization_id, row.agent_id, "offline", now) for row in agents),
        )
    return len(visitors) + len(agents)


def _presence(
    organization_id: int, agent_id: int, status: PresenceStatus, now: datetime
) -> PresenceChanged:
    return PresenceChanged(
        at=now,
        organization_id=organization_id,
        data=PresenceData(agent_id=agent_id, status=status),
    )
