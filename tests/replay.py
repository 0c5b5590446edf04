"""Clients that know nothing but a snapshot and the events after it."""

from dataclasses import dataclass, field
from typing import Any

from realtime.log import read
from realtime.models import ContactStream
from realtime.outgoing import Outgoing
from tests.events import data_of, visitor_data_of
from webchat.permissions import may_see_site
from webchat.principal import Agent, VisitorAccess
from webchat.queries.conversation import Filters, get_row, list_page
from webchat.queries.message import list_for_agent, list_for_visitor
from webchat.queries.visitor import get_bootstrap

Json = dict[str, Any]
ALL = 10_000


@dataclass
class AgentClient:
    """An agent's screen: the list rows of all visible conversations, and their messages.

    It applies `row` of every event without knowing the type, as docs/events.md has it. Only
    what no numbered event tells is kept apart: `unsure` are conversations whose unread count may
    have changed by a `seen.updated` that was missed, each with the stream's head at that moment.
    """

    agent: Agent
    connected: bool = True
    seq: int = 0
    rows: dict[int, Json] = field(default_factory=dict)
    messages: dict[int, list[Json]] = field(default_factory=dict)
    unsure: dict[int, int] = field(default_factory=dict)
    head: int = 0
    fetched: int = 0

    def take_snapshot(self) -> None:
        """The stream's position first, then the rows."""
        self.rows, self.messages, self.unsure = {}, {}, {}
        positions = []
        for status in ("open", "closed"):
            page = list_page(self.agent, Filters(status=status), limit=ALL)
            positions.append(page.position.seq)
            for row in page.items:
                self.rows[row.id] = row.model_dump(mode="json")
        self.seq = min(positions)
        for conversation_id in self.rows:
            self.messages[conversation_id] = self._history(conversation_id)

    def catch_up(self, limit: int = ALL) -> None:
        """A page of what was missed, from the log."""
        for event in read.list_after(self.agent.organization_id, self.seq, limit=limit):
            self.apply(event)

    def apply(self, event: Outgoing) -> None:
        if event.seq is not None:
            assert event.seq == self.seq + 1, "a gap"
            self.seq = event.seq
        data = data_of(event)
        if not may_see_site(self.agent, event.site_id) or data is None:
            return
        if event.type == "contact.updated":
            for known in self.rows.values():
                if known["contact"]["id"] == data["contact"]["id"]:
                    known["contact"] = data["contact"]
        if data.get("row") is None:
            return
        row = data.pop("row")
        if row["id"] not in self.rows and event.type != "conversation.started":
            self._fetch(row["id"])
        self.rows.setdefault(row["id"], {}).update(row)
        if "unread_count" in row and self.seq > self.unsure.get(row["id"], 0):
            self.unsure.pop(row["id"], None)
        if event.type == "message.created":
            shown = self.messages.setdefault(row["id"], [])
            if data["id"] not in {message["id"] for message in shown}:
                shown.append(_under_the_contact(data))

    def hear(self, event: Outgoing) -> None:
        """What is sent right now, if somebody listens; numbered events are in the log too."""
        if event.organization_id != self.agent.organization_id:
            return
        self.head = event.seq or self.head
        if self.connected:
            self.apply(event)
        elif event.type == "seen.updated" and event.conversation_id is not None:
            self.unsure[event.conversation_id] = self.head

    def assert_fresh(self) -> None:
        """What it shows is what a new client would fetch."""
        fresh = AgentClient(self.agent)
        fresh.take_snapshot()
        assert self.seq == fresh.seq
        for conversation_id in self.unsure.keys() & self.rows.keys():
            for client in (self, fresh):
                client.rows[conversation_id].pop("unread_count", None)
        assert _differences(self.rows, fresh.rows) == {}
        assert self.messages == fresh.messages
        for status in ("open", "closed"):
            assert self._list(status) == fresh._list(status)

    def _list(self, status: str) -> list[int]:
        shown = [row for row in self.rows.values() if row["status"] == status]
        shown.sort(key=lambda row: (row["last_activity_at"], row["id"]), reverse=True)
        return [row["id"] for row in shown]

    def _fetch(self, conversation_id: int) -> None:
        """The lists that it took missed this one, which changed its status in between."""
        self.fetched += 1
        self.rows[conversation_id] = get_row(self.agent, conversation_id).model_dump(mode="json")
        self.messages[conversation_id] = self._history(conversation_id)

    def _history(self, conversation_id: int) -> list[Json]:
        history = list_for_agent(self.agent, conversation_id, limit=ALL)
        return [_under_the_contact(one.model_dump(mode="json")) for one in history.messages]


@dataclass
class VisitorClient:
    """A visitor's widget: the engagement that is open, who helps there, and the messages.

    Of an agent who was taken away the guide has no event, so the last one stays shown.
    """

    visitor: VisitorAccess
    connected: bool = True
    offset: int = 0
    engagement_id: int = 0
    agents: dict[int, Json] = field(default_factory=dict)
    messages: list[Json] = field(default_factory=list)

    def take_snapshot(self) -> None:
        """The stream's position first, then the bootstrap."""
        self.offset = ContactStream.objects.get(pk=self.visitor.contact_id).stream_seq
        bootstrap = get_bootstrap(self.visitor)
        self.engagement_id = bootstrap.conversation_id
        self.agents = {}
        if bootstrap.agent is not None:
            self.agents[self.engagement_id] = bootstrap.agent.model_dump()
        history = list_for_visitor(self.visitor, limit=ALL)
        self.messages = [
            _as_visitor_sees(message.model_dump(mode="json")) for message in history.messages
        ]

    def catch_up(self, limit: int = ALL) -> None:
        """A page of what was missed, from the log."""
        for event in read.list_visitor_after(self.visitor.contact_id, self.offset, limit=limit):
            self.apply(event)

    def hear(self, event: Outgoing) -> None:
        """What is sent right now, if somebody listens."""
        ours = event.contact_id == self.visitor.contact_id and event.stream_seq is not None
        if ours and self.connected:
            self.apply(event)

    def apply(self, event: Outgoing) -> None:
        assert event.stream_seq == self.offset + 1, "a gap"
        self.offset = event.stream_seq
        data, engagement_id = visitor_data_of(event), event.conversation_id or 0
        match event.visitor_type:
            case "message.new":
                self.engagement_id = engagement_id
                if data["id"] not in {message["id"] for message in self.messages}:
                    self.messages.append(_as_visitor_sees(data))
            case "engagement.assigned":
                self.agents[engagement_id] = data["agent"]
            case "engagement.closed":
                self.engagement_id = 0
            case "engagement.reopened":
                self.engagement_id = engagement_id
                if data["agent"] is not None:
                    self.agents[engagement_id] = data["agent"]

    def assert_fresh(self) -> None:
        """What it shows is what a new widget would bootstrap."""
        fresh = VisitorClient(self.visitor)
        fresh.take_snapshot()
        assert (self.offset, self.engagement_id) == (fresh.offset, fresh.engagement_id)
        assert self.messages == fresh.messages
        if self.engagement_id in fresh.agents:
            assert self.agents[self.engagement_id] == fresh.agents[self.engagement_id]


def _differences(shown: dict[int, Json], fresh: dict[int, Json]) -> dict[int, Any]:
    """By conversation, the fields that are not alike: (shown, fresh)."""
    found = {
        key: {
            name: (shown.get(key, {}).get(name), fresh.get(key, {}).get(name))
            for name in {**shown.get(key, {}), **fresh.get(key, {})}
            if shown.get(key, {}).get(name) != fresh.get(key, {}).get(name)
        }
        for key in {**shown, **fresh}
    }
    return {key: fields for key, fields in found.items() if fields}


def _under_the_contact(message: Json) -> Json:
    """A contact's message is shown under the row's name, which `contact.updated` keeps new."""
    return {**message, "sender_name": None} if message["sender_type"] == "CONTACT" else message


def _as_visitor_sees(message: Json) -> Json:
    """The fields that `message.new` and the history share."""
    sender = message.get("sender") or {
        "type": message["sender_type"],
        "name": message["sender_name"],
    }
    names = ("id", "content", "created_at", "parent_message_id", "client_message_id", "metadata")
    return {
        **{name: message[name] for name in names},
        "sender_type": sender["type"],
        "sender_name": None if sender["type"] == "CONTACT" else sender["name"],
    }
