"""Makes a benchmark's population in the database of the settings, and prints it as JSON.

Run as a program of its own, with the environment of the server under load.
"""

import json
import os
import sys
from argparse import ArgumentParser
from datetime import datetime
from uuid import uuid4

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
django.setup()

from django.db import transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from realtime.models import ContactStream, StoredEvent, VisitorChannel  # noqa: E402
from realtime.tokens import issue_connection_token, issue_subscription_token  # noqa: E402
from tests.factories import make_agent, make_organization, make_site, make_token, say  # noqa: E402
from tests.load.population import ORIGIN, Listener, Population, Visitor  # noqa: E402
from webchat.models import Contact, Site  # noqa: E402
from webchat.models import Visitor as VisitorRow  # noqa: E402
from webchat.queries.visitor import get_access  # noqa: E402
from webchat.services.session import open_session  # noqa: E402
from webchat.signing import verify  # noqa: E402

TOKEN_TTL_S = 3600


def make_population(*, agents: int, visitors: int, idlers: int) -> Population:
    """All that happened so far counts as delivered: the server starts without a backlog."""
    now = timezone.now()
    organization = make_organization("Load")
    site = make_site(organization)
    tokens = [make_token(make_agent(organization, name=f"Agent {n}")) for n in range(agents)]
    people = [make_visitor(site, now) for _ in range(visitors)]
    StoredEvent.objects.update(agents_pending=False, visitor_pending=False)
    return Population(
        organization_id=organization.pk,
        site_id=site.pk,
        agents=tokens,
        visitors=people,
        idlers=make_idlers(site, idlers, now),
    )


def make_visitor(site: Site, now: datetime) -> Visitor:
    """By the services, as a widget would: a session, then the message that opens a conversation."""
    visitor_id = str(uuid4())
    opened = open_session(
        site_id=site.pk,
        visitor_id=visitor_id,
        origin=ORIGIN,
        user_agent="Mozilla/5.0 (load)",
        name="Vera Visitor",
        email="",
        metadata={},
        now=now,
    )
    access = get_access(verify(opened.token, now=now), now=now)
    sent = say(access, now=now)
    return Visitor(
        **tokens_of(visitor_id, now),
        visitor_id=visitor_id,
        contact_id=access.contact_id,
        conversation_id=sent.conversation_id,
        session_token=opened.token,
    )


@transaction.atomic
def make_idlers(site: Site, size: int, now: datetime) -> list[Listener]:
    """By rows, since thousands of sessions would take longer than what is measured."""
    organization_id = site.organization_id
    ids = [str(uuid4()) for _ in range(size)]
    contacts = Contact.objects.bulk_create(
        Contact(organization_id=organization_id, created_at=now) for _ in ids
    )
    ContactStream.objects.bulk_create(ContactStream(contact_id=each.pk) for each in contacts)
    pairs = list(zip(ids, contacts, strict=True))
    VisitorRow.objects.bulk_create(
        VisitorRow(
            organization_id=organization_id, contact=contact, visitor_id=visitor_id, created_at=now
        )
        for visitor_id, contact in pairs
    )
    VisitorChannel.objects.bulk_create(
        VisitorChannel(
            visitor_id=visitor_id, contact_id=contact.pk, organization_id=organization_id
        )
        for visitor_id, contact in pairs
    )
    return [Listener(visitor_id=each, **tokens_of(each, now)) for each in ids]


def tokens_of(visitor_id: str, now: datetime) -> dict[str, str]:
    """What a bootstrap gives."""
    return {
        "connection_token": issue_connection_token(
            visitor_id, now=now, ttl_s=TOKEN_TTL_S, session_id=str(uuid4())
        ),
        "subscription_token": issue_subscription_token(
            visitor_id, f"visitor:{visitor_id}", now=now, ttl_s=TOKEN_TTL_S
        ),
    }


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    for name in ("agents", "visitors", "idlers"):
        parser.add_argument(f"--{name}", type=int, default=0)
    json.dump(make_population(**vars(parser.parse_args())).as_json(), sys.stdout)


if __name__ == "__main__":
    main()
