from collections import Counter
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from realtime.models import ContactStream, OrganizationStream, StoredEvent, VisitorChannel
from tests.factories import answer, open_visitor, say
from tests.webchat.management.conftest import Seed
from webchat import origins
from webchat.intake.draft import preview_of
from webchat.models import (
    Contact,
    Conversation,
    Membership,
    Message,
    Organization,
    Plan,
    SenderType,
    Site,
    User,
)
from webchat.queries.agent import find_by_token
from webchat.queries.conversation import Filters, list_page
from webchat.services.member import revoke_member


def count_rows() -> dict[str, int]:
    return {
        model._meta.label: model._default_manager.count()
        for app in ("webchat", "realtime")
        for model in apps.get_app_config(app).get_models()
    }


def test_twice_is_once(
    seed_all: Seed, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    first = seed_all(agents=20)
    rows = count_rows()
    with django_assert_max_num_queries(30):
        assert seed_all(agents=20) == first
    assert count_rows() == rows


def test_everything_that_scripts_need_is_there_and_true(seed_all: Seed) -> None:
    printed = seed_all()
    for part, size in ((printed, 200), (printed["other"], 20)):
        organization = Organization.objects.get(pk=part["organization"]["id"])
        assert organization.plan == Plan.ENTERPRISE
        assert organization.conversation_set.count() >= size
        assert organization.teams.count() == 2
        site = Site.objects.get(widget_key=part["site"]["widget_key"], organization=organization)
        for origin in (part["site"]["allowed_origin"], "http://localhost:5173"):
            assert origins.is_allowed(origins.parse(origin), site.allowed_origins)
        assert not origins.is_allowed(origins.parse("https://evil.example"), site.allowed_origins)
        for key, role in (("agent", "agent"), ("supervisor", "supervisor"), ("admin", "owner")):
            agent = find_by_token(part[key]["token"], now=timezone.now())
            assert agent is not None
            assert (agent.organization_id, agent.role) == (organization.pk, role)
            user = User.objects.get(email=part[key]["email"])
            assert user.pk == agent.user_id
            assert user.check_password(part[key]["password"])


def test_more_agents_are_different_people(seed: Seed) -> None:
    few, more = seed(agents=2)["agents"], seed(agents=3)["agents"]
    assert more[:2] == few
    assert len(more) == 3
    people = {find_by_token(each["token"], now=timezone.now()) for each in more}
    assert {person.email for person in people if person} == {each["email"] for each in more}
    assert "agents" not in seed()


def test_who_was_removed_is_back(seed: Seed) -> None:
    printed = seed()
    now = timezone.now()
    owner, gone = (find_by_token(printed[key]["token"], now=now) for key in ("admin", "agent"))
    assert owner is not None
    assert gone is not None
    revoke_member(agent=owner, membership_id=gone.membership_id, now=now)
    assert find_by_token(printed["agent"]["token"], now=now) is None

    assert seed() == printed
    back = find_by_token(printed["agent"]["token"], now=now)
    assert back is not None
    assert back.user_id == gone.user_id
    assert Membership.objects.filter(user_id=gone.user_id).count() == 2


def test_a_new_address_may_use_the_site(seed: Seed, settings: Settings) -> None:
    key = seed()["site"]["widget_key"]
    settings.BASE_URL = "https://chat.acme.example"
    site = seed()["site"]
    assert site == {"widget_key": key, "allowed_origin": "https://chat.acme.example"}
    rules = Site.objects.get(widget_key=key).allowed_origins
    assert origins.is_allowed(origins.parse("https://chat.acme.example"), rules)


def test_tokens_hang_on_the_installation(seed: Seed, settings: Settings) -> None:
    token = seed()["agent"]["token"]
    settings.SECRET_KEY = "another key of another installation"
    assert seed()["agent"]["token"] != token


def test_production_is_refused_unless_asked_for(seed: Seed, settings: Settings) -> None:
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="--with-public-passwords"):
        seed()
    assert not Organization.objects.exists()
    assert seed(with_public_passwords=True)["organization"]


def test_a_negative_number_of_agents_is_refused(seed: Seed) -> None:
    with pytest.raises(CommandError, match="--agents"):
        seed(agents=-1)


def test_people_get_a_letter(seed: Seed) -> None:
    printed, output = seed(), StringIO()
    call_command("seed_demo", stdout=output)
    letter = output.getvalue()
    for key in ("agent", "supervisor", "admin"):
        assert printed[key]["email"] in letter
    assert printed["agent"]["password"] in letter
    assert printed["demo_page_url"] in letter
    assert "kt_" not in letter


def test_rows_are_what_the_messages_say(seed_all: Seed) -> None:
    seed_all()
    messages: dict[int, list[Message]] = {}
    for message in Message.objects.order_by("pk"):
        messages.setdefault(message.conversation_id, []).append(message)
    for conversation in Conversation.objects.select_related("assignee"):
        _check_row(conversation, messages.pop(conversation.pk))
    assert messages == {}


def _check_row(row: Conversation, messages: list[Message]) -> None:
    times = [message.created_at for message in messages]
    assert times == sorted(times)
    newest = [message for message in messages if message.is_public][-1]
    assert row.last_message_preview == preview_of(newest.content)
    assert row.last_message_sender == newest.sender_type
    assert row.last_message_at == newest.created_at
    assert row.created_at == times[0]
    assert row.last_activity_at == (row.closed_at or times[-1]) <= timezone.now()
    assert (row.closed_at is None) == (row.status == "open")
    incoming = [message for message in messages if message.sender_type == SenderType.CONTACT]
    unread = [message for message in incoming if message.pk > row.agents_read_up_to]
    assert row.unread_count == len(unread)
    assert row.visitor_read_up_to in {message.pk for message in messages if message.is_public}
    senders = {message.sender_user_id for message in messages} - {None}
    assert senders == ({row.assignee_id} if row.assignee_id else set())
    assert not any("{" in message.content for message in messages)


def test_the_list_has_everything_in_it(seed_all: Seed) -> None:
    printed = seed_all()
    organization_id = printed["organization"]["id"]
    rows = Conversation.objects.filter(organization_id=organization_id)
    states = Counter((row.status, bool(row.assignee_id), row.unread_count) for row in rows)
    for state in (("open", False, 1), ("open", True, 1), ("open", True, 0), ("closed", True, 0)):
        assert states[state] > 3, state
    assert rows.filter(created_at__lt=timezone.now() - timedelta(weeks=4)).exists()
    assert Message.objects.filter(conversation__in=rows, is_public=False).count() > 20
    agent = find_by_token(printed["agent"]["token"], now=timezone.now())
    assert agent is not None
    mine = list_page(agent, Filters(view="mine"))
    assert mine.items
    assert mine.position.seq == 0


def test_every_contact_has_its_stream_and_channel(seed: Seed) -> None:
    seed()
    contacts = set(Contact.objects.values_list("pk", flat=True))
    assert set(ContactStream.objects.values_list("contact_id", flat=True)) == contacts
    assert set(VisitorChannel.objects.values_list("contact_id", flat=True)) == contacts
    assert OrganizationStream.objects.count() == Organization.objects.count()


def test_numbering_goes_on_without_a_gap(seed: Seed, published: Any) -> None:
    printed = seed()
    organization_id = printed["organization"]["id"]
    newest = Message.objects.order_by("pk").values_list("pk", flat=True).last() or 0
    row = Conversation.objects.filter(organization_id=organization_id, status="open").first()
    assert row is not None
    browser = row.contact.visitors.get()
    visitor = open_visitor(row.site, visitor_id=browser.visitor_id)
    agent = find_by_token(printed["agent"]["token"], now=timezone.now())
    assert agent is not None

    said = say(visitor, "One more thing")
    answer(agent, row.pk, "Of course")
    answer(agent, row.pk, "psst", is_public=False)

    assert said.conversation_id == row.pk
    assert said.message_id > newest
    events = StoredEvent.objects.filter(organization_id=organization_id).order_by("seq")
    assert list(events.values_list("seq", "stream_seq")) == [(1, 1), (2, 2), (3, None)]
