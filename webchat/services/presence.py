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
    """Note connections of contacts (id to organization id); tell of those that were not here.

    Also for those who are still here: after an outage longer than the grace, a sweep may have
    taken them for gone.
    """
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


def visitors_left(*, contact_ids: Collection[int], now: datetime) -> None:
    """They were still here at this moment; the grace runs from it."""
    VisitorPresence.objects.filter(contact_id__in=contact_ids).update(seen_at=now)


def agents_arrived(*, agents: Collection[Agent], now: datetime) -> None:
    """Note agents' connections; tell the others of those who were not here."""
    with transaction.atomic():
        wanted = {(agent.organization_id, agent.user_id): agent for agent in agents}
        here = AgentPresence.objects.filter(
            organization_id__in={tenant for tenant, _ in wanted},
            agent_id__in={agent_id for _, agent_id in wanted},
        )
        known = {(row.organization_id, row.agent_id): row.pk for row in here}
        renewed = [pk for key, pk in known.items() if key in wanted]
        AgentPresence.objects.filter(pk__in=renewed).update(seen_at=now)
        missing = [agent for key, agent in wanted.items() if key not in known]
        # Another process may have been told of the same agent in this instant.
        AgentPresence.objects.bulk_create(
            (
                AgentPresence(
                    organization_id=agent.organization_id, agent_id=agent.user_id, seen_at=now
                )
                for agent in missing
            ),
            ignore_conflicts=True,
        )
        memberships = Membership.objects.in_bulk([agent.membership_id for agent in missing])
        publish(
            *(
                _presence(
                    agent.organization_id,
                    agent.user_id,
                    cast("PresenceStatus", memberships[agent.membership_id].availability),
                    now,
                )
                for agent in missing
            )
        )


def agents_left(*, agents: Collection[tuple[int, int]], now: datetime) -> None:
    """(organization id, user id) of those who were still here at this moment."""
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
