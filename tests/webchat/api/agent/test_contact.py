"""Contacts over REST."""

from collections.abc import Coroutine
from typing import Any

import pytest

from realtime import runtime
from tests.factories import make_agent
from tests.webchat.api.agent.caller import Caller, refusal
from webchat.models import Organization, Role, VisitorSession
from webchat.principal import VisitorAccess

pytestmark = pytest.mark.django_db


class RecordingRuntime:
    """A server process whose bridge writes down what it is asked."""

    def __init__(self) -> None:
        self.bridge = self
        self.closed: list[tuple[str, int, str]] = []

    async def disconnect(self, visitor_id: str, code: int, reason: str) -> None:
        self.closed.append((visitor_id, code, reason))

    def run_soon(self, work: Coroutine[Any, Any, None]) -> None:
        with pytest.raises(StopIteration):
            work.send(None)


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN, Role.SUPERVISOR])
def test_revoking_ends_sessions_and_closes_connections(
    organization: Organization,
    visitor: VisitorAccess,
    role: Role,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    process = RecordingRuntime()
    monkeypatch.setattr(runtime, "find", lambda: process)
    caller = Caller.by_token(make_agent(organization, role=role))
    response = caller.tell(f"/contacts/{visitor.contact_id}/revoke-sessions")
    assert (response.status_code, response.content) == (204, b"")
    assert VisitorSession.objects.get().revoked_at is not None
    assert process.closed == [(visitor.visitor_id, 4501, "session revoked")]


def test_revoking_works_in_a_process_without_sockets(
    by_owner: Caller, visitor: VisitorAccess
) -> None:
    response = by_owner.tell(f"/contacts/{visitor.contact_id}/revoke-sessions")
    assert response.status_code == 204


def test_agents_revoke_nobody(caller: Caller, visitor: VisitorAccess) -> None:
    response = caller.tell(f"/contacts/{visitor.contact_id}/revoke-sessions")
    assert refusal(response) == (403, "FORBIDDEN")
    assert VisitorSession.objects.get().revoked_at is None
