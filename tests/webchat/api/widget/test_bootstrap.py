from datetime import UTC, datetime
from time import monotonic

import pytest
from pytest_django import Settings

from realtime.bridge.interface import BridgeError
from realtime.tokens import verify_connection_token, verify_subscription_token
from tests.factories import answer, make_agent, say
from tests.webchat.api.widget.browser import Browser
from tests.webchat.api.widget.conftest import NewBrowser
from tests.webchat.api.widget.transport import Transport, install
from webchat.models import Contact, Organization, Site, Visitor, VisitorSession
from webchat.services.activity import agent_seen
from webchat.services.conversation import claim

pytestmark = pytest.mark.django_db(transaction=True)

BOOTSTRAP = "/webchat/bootstrap"


def test_a_first_bootstrap_has_everything_but_a_conversation(
    guest: Browser, settings: Settings, transport: Transport
) -> None:
    before = int(datetime.now(UTC).timestamp())
    body = guest.post(BOOTSTRAP).json
    visitor_id = Visitor.objects.get().visitor_id
    connection, subscription = body.pop("connection_token"), body.pop("subscription_token")
    expires_at = body.pop("expires_at")
    assert body == {
        "centrifugo_url": "ws://127.0.0.1:8000/connection/websocket",
        "visitor_channel": f"visitor:{visitor_id}",
        "visitor_id": visitor_id,
        "engagement_id": 0,
        "messages": [],
        "has_more": False,
        "agent": None,
        "unread_count": 0,
        "read_up_to": 0,
        "recovery": {"offset": 7, "epoch": "e1"},
    }
    assert before + 3600 <= expires_at <= before + 3610
    now = datetime.now(UTC)
    connect = verify_connection_token(connection, now=now)
    subscribe = verify_subscription_token(subscription, now=now)
    assert connect.user == subscribe.user == visitor_id
    assert connect.session_id == str(VisitorSession.objects.get().sid)
    assert subscribe.channel == f"visitor:{visitor_id}"
    assert connect.expires_at == subscribe.expires_at == expires_at
    assert transport.asked == [f"visitor:{visitor_id}"]


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://chat.acme.com", "wss://chat.acme.com/connection/websocket"),
        ("http://10.0.0.7:8000", "ws://10.0.0.7:8000/connection/websocket"),
        ("https://acme.com/chat", "wss://acme.com/chat/connection/websocket"),
    ],
)
def test_the_socket_is_at_the_address_that_the_world_sees(
    new_browser: NewBrowser, site: Site, settings: Settings, base: str, url: str
) -> None:
    settings.BASE_URL = base
    browser = new_browser()
    browser.begin(site)
    assert browser.post(BOOTSTRAP).json["centrifugo_url"] == url


def test_tokens_end_when_the_first_of_them_does(guest: Browser, settings: Settings) -> None:
    settings.CONNECTION_TOKEN_TTL_S, settings.SUBSCRIPTION_TOKEN_TTL_S = 600, 60
    now = datetime.now(UTC)
    body = guest.post(BOOTSTRAP).json
    subscribe = verify_subscription_token(body["subscription_token"], now=now)
    assert body["expires_at"] == subscribe.expires_at
    assert verify_connection_token(body["connection_token"], now=now).expires_at == (
        body["expires_at"] + 540
    )


def test_a_conversation_is_shown_as_it_stands(
    new_browser: NewBrowser, site: Site, organization: Organization
) -> None:
    guest = new_browser()
    guest.begin(site, visitor_name="Jane")
    agent = make_agent(organization, name="Ali")
    asked = guest.post("/webchat/messages", {"content": "Hi?", "client_message_id": "c1"}).json
    engagement_id = asked["engagement_id"]
    claim(agent=agent, conversation_id=engagement_id, now=datetime.now(UTC))
    answer(agent, engagement_id, "secret", is_public=False)
    replied = answer(agent, engagement_id, "Hello").message
    body = guest.post(BOOTSTRAP).json
    assert body["engagement_id"] == engagement_id
    assert body["agent"] == {"id": agent.user_id, "name": "Ali"}
    assert body["unread_count"] == 1
    assert body["read_up_to"] == replied.id
    assert body["messages"] == [
        {
            "id": asked["message_id"],
            "content": "Hi?",
            "message_type": "TEXT",
            "sender_type": "CONTACT",
            "sender_user_id": None,
            "sender_name": "Jane",
            "direction": "INBOUND",
            "created_at": asked["created_at"],
            "is_public": True,
            "parent_message_id": None,
            "client_message_id": "c1",
            "attachments": [],
            "reactions": [],
            "metadata": {},
        },
        {
            "id": replied.id,
            "content": "Hello",
            "message_type": "TEXT",
            "sender_type": "USER",
            "sender_user_id": agent.user_id,
            "sender_name": "Ali",
            "direction": "OUTBOUND",
            "created_at": replied.created_at.isoformat().replace("+00:00", "Z"),
            "is_public": True,
            "parent_message_id": None,
            "client_message_id": None,
            "attachments": [],
            "reactions": [],
            "metadata": {},
        },
    ]
    assert "secret" not in str(body)


def test_the_last_fifty_messages_come_oldest_first(guest: Browser) -> None:
    visitor = guest.visitor
    for number in range(52):
        say(visitor, f"m{number}")
    body = guest.post(BOOTSTRAP).json
    assert [message["content"] for message in body["messages"]] == [
        f"m{number}" for number in range(2, 52)
    ]
    assert body["has_more"] is True


def test_the_position_is_read_before_the_messages(guest: Browser, transport: Transport) -> None:
    """What is stored in between is in the messages and after the position: no gap."""
    transport.meanwhile = lambda: say(guest.visitor, "in between")
    body = guest.post(BOOTSTRAP).json
    assert [message["content"] for message in body["messages"]] == ["in between"]
    assert body["recovery"] == {"offset": 7, "epoch": "e1"}


@pytest.mark.parametrize(
    "transport",
    [
        Transport(error=BridgeError("down")),
        Transport(error=BridgeError("refused", permanent=True)),
        Transport(wait_s=60),
    ],
    ids=["down", "refused", "silent"],
)
def test_a_transport_that_fails_costs_only_the_position(
    guest: Browser, monkeypatch: pytest.MonkeyPatch, transport: Transport
) -> None:
    install(monkeypatch, transport)
    started = monotonic()
    reply = guest.post(BOOTSTRAP)
    assert monotonic() - started < 1
    assert reply.status == 200
    assert reply.json["recovery_unavailable"] is True
    assert "recovery" not in reply.json
    assert reply.json["connection_token"]


def test_without_a_running_process_there_is_no_position(guest: Browser) -> None:
    body = guest.post(BOOTSTRAP).json
    assert body["recovery_unavailable"] is True
    assert "recovery" not in body


@pytest.mark.parametrize("body", [b"", b"rubbish", b"x" * 200_000])
def test_the_body_is_ignored(guest: Browser, body: bytes) -> None:
    assert guest.post(BOOTSTRAP, body).status == 200


def test_other_visitors_are_not_shown(
    guest: Browser, new_browser: NewBrowser, site: Site, organization: Organization
) -> None:
    other = new_browser()
    other.begin(site, visitor_name="Somebody")
    said = other.post("/webchat/messages", {"content": "mine alone"}).json
    agent = make_agent(organization)
    answer(agent, said["engagement_id"], "for you alone")
    agent_seen(
        agent=agent,
        conversation_id=said["engagement_id"],
        read_up_to=said["message_id"],
        now=datetime.now(UTC),
    )
    body = guest.post(BOOTSTRAP).json
    assert (body["engagement_id"], body["messages"], body["read_up_to"]) == (0, [], 0)
    assert Contact.objects.count() == 2
