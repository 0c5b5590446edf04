"""The command, and what it says of frames that the hub writes by hand."""

import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from realtime.commands import COMMANDS
from realtime.consumers.agent import _welcome
from realtime.consumers.handlers import HANDLERS
from realtime.consumers.resume import _resync
from realtime.events import CATALOGUE, Event, VisitorSessionsRevoked
from realtime.events.activity import SessionRevoked
from realtime.hub.frames import head_text
from realtime.hub.hub import _push_counts
from realtime.hub.organization import OrganizationHub
from realtime.hub.socket import AgentSocket
from realtime.management.protocol.files import FILES
from realtime.management.protocol.frames import Welcome
from realtime.management.protocol.protocol_page import ANSWERS
from realtime.management.protocol.schemas import (
    agent_schema,
    definitions,
    description_of,
    payload_of,
    visitor_schema,
)
from realtime.outgoing import Outgoing, encode, ephemeral
from tests.realtime.samples import fleeting_event, hidden_event, seen_event
from webchat.principal import Agent

AGENT = Agent(
    user_id=7,
    membership_id=3,
    organization_id=1,
    name="Ada",
    email="ada@acme.example",
    role="agent",
    availability="busy",
    site_ids=None,
)


class Recorder:
    """A client that reads whatever comes."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def send_text(self, text: str) -> None:
        self.texts.append(text)


def numbered(event: Event) -> Outgoing:
    """The event as it leaves the log."""
    return Outgoing(
        event_id=event.event_id,
        type=event.type,
        organization_id=event.organization_id,
        site_id=event.site_id,
        conversation_id=event.conversation_id,
        audience=event.audience,
        agent_payload=encode(event.data) if event.data else None,
        visitor_type=event.visitor_type,
        visitor_payload=encode(event.visitor) if event.visitor else None,
        seq=12,
        stream_seq=4,
    )


def check(schema: dict[str, Any], text: str) -> None:
    jsonschema_rs.validator_for(schema).validate(json.loads(text))


def export(**options: Any) -> str:
    output = StringIO()
    call_command("export_protocol", stdout=output, **options)
    return output.getvalue()


def test_missing_files_are_written_and_then_current(settings: Settings, tmp_path: Path) -> None:
    settings.BASE_DIR = tmp_path
    assert export().split() == list(FILES)
    assert export() == ""
    export(check=True)


def test_a_stale_file_is_named(settings: Settings, tmp_path: Path) -> None:
    settings.BASE_DIR = tmp_path
    export()
    stale = tmp_path / "docs/schemas/agent-events.json"
    stale.write_text("{}")
    with pytest.raises(CommandError, match=r"agent-events\.json") as refused:
        export(check=True)
    assert "events.md" not in str(refused.value)
    assert stale.read_text() == "{}"


@pytest.mark.parametrize("name", FILES)
def test_the_same_code_gives_the_same_file(name: str) -> None:
    assert FILES[name]() == FILES[name]()


@pytest.mark.parametrize("event", CATALOGUE)
def test_every_event_and_payload_says_what_it_is(event: type[Event]) -> None:
    for shape in (event, payload_of(event, "data"), payload_of(event, "visitor")):
        assert shape is None or description_of(shape)


def test_frames_of_events_fit_the_agents_schema() -> None:
    frames = [numbered(event).agent_frame() for event in (seen_event(), hidden_event())]
    for frame in frames:
        check(agent_schema(), f'{{"prev":11,{frame}')
    check(agent_schema(), "{" + ephemeral(fleeting_event(), ()).agent_frame())


def test_envelopes_of_events_fit_the_visitors_schema() -> None:
    check(visitor_schema(), numbered(seen_event()).visitor_envelope())
    check(visitor_schema(), ephemeral(fleeting_event(), ()).visitor_envelope())
    revoked = VisitorSessionsRevoked(
        at=datetime(2026, 3, 1, tzinfo=UTC),
        organization_id=1,
        contact_id=5,
        data=None,
        visitor=SessionRevoked(),
    )
    check(visitor_schema(), ephemeral(revoked, ()).visitor_envelope())


def test_what_is_not_in_the_catalogue_does_not_fit() -> None:
    frame = json.loads(numbered(seen_event()).visitor_envelope())
    changes: list[dict[str, Any]]
    changes = [{"type": "message.guessed"}, {"seq": None}, {"data": {}}, {"more": 1}]
    for change in changes:
        with pytest.raises(jsonschema_rs.ValidationError):
            check(visitor_schema(), json.dumps({**frame, **change}))


async def test_the_hubs_own_frames_fit_the_agents_schema() -> None:
    wire, socket = Recorder(), AgentSocket(AGENT, 3)
    socket.list_counts = {}
    _push_counts(socket, {"mine": 1, "unassigned": 2, "all": 3})
    await _resync(wire, OrganizationHub(1), socket, "9f2c41aa")
    for text in (head_text(5, 3), *wire.texts, *socket._outbox):
        check(agent_schema(), text)
    assert len(wire.texts) == len(socket._outbox) == 1


def test_welcome_fits_its_shape() -> None:
    frame = json.loads(_welcome(AGENT, OrganizationHub(1), "9f2c41aa", 1))
    check(
        {"$ref": "#/$defs/Welcome", "$defs": definitions([Welcome])}, json.dumps(frame.pop("data"))
    )
    assert frame == {"id": 1, "ok": True, "type": "welcome"}


def test_every_command_has_a_handler_and_an_answer_on_the_page() -> None:
    assert list(COMMANDS) == list(HANDLERS)
    assert list(COMMANDS) == list(ANSWERS)
