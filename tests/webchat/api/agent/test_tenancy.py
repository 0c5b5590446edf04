"""Another organization's ids, over every call that the API describes."""

import re
from typing import Any

import pytest

from tests.factories import make_agent, open_visitor, say
from tests.webchat.api.agent.caller import Caller, refusal
from webchat.api.agent.api import api
from webchat.models import (
    Contact,
    Conversation,
    Membership,
    Message,
    Organization,
    Role,
    Site,
    Team,
    VisitorSession,
)

pytestmark = pytest.mark.django_db

PREFIX = "/api/v1"
BODIES: dict[str, Any] = {
    "send_message": {"content": "Good day"},
    "show_typing": {"state": "start"},
    "mark_seen": {"message_id": 1},
    "assign_conversation": {"agent_id": None},
    "create_site": {"name": "Ours"},
}


def operations() -> list[tuple[str, str, str]]:
    """Method, path and operation id of each of the agents' calls."""
    paths = api.get_openapi_schema(path_prefix="/api/")["paths"]
    return [
        (method.upper(), path, operation["operationId"])
        for path, methods in paths.items()
        for method, operation in methods.items()
        if "Widget" not in operation["tags"]
    ]


WITH_IDS = [one for one in operations() if "{" in one[1]]
LISTS = [path for method, path, _ in operations() if "{" not in path and method == "GET"]


@pytest.fixture
def foreign(foreign_site: Site) -> dict[str, int]:
    """Ids of another organization by the name that they have in paths."""
    visitor = open_visitor(foreign_site, name="Their contact")
    member = make_agent(foreign_site.organization, name="Their agent", email="them@example.com")
    return {
        "conversation_id": say(visitor, "Their words").conversation_id,
        "contact_id": visitor.contact_id,
        "membership_id": member.membership_id,
    }


def everything() -> list[Any]:
    """The rows that a call could change."""
    models = (Conversation, Message, Contact, Membership, Site, VisitorSession)
    return [list(model.objects.order_by("pk").values()) for model in models]


@pytest.mark.parametrize(("method", "path", "name"), WITH_IDS, ids=str)
def test_a_foreign_id_does_not_exist(
    by_owner: Caller, foreign: dict[str, int], method: str, path: str, name: str
) -> None:
    before = everything()
    own = path.removeprefix(PREFIX)
    unknown = re.sub(r"{\w+}", str(2**62), own)
    theirs = by_owner.tell(own.format(**foreign), BODIES.get(name), method=method)
    nobodys = by_owner.tell(unknown, BODIES.get(name), method=method)
    assert refusal(theirs) == (404, "NOT_FOUND")
    assert theirs.content == nobodys.content
    assert everything() == before


@pytest.mark.parametrize("path", LISTS)
def test_a_list_shows_nothing_foreign(
    by_owner: Caller, foreign: dict[str, int], foreign_site: Site, path: str
) -> None:
    answer = by_owner.ask(path.removeprefix(PREFIX))
    assert answer.status_code == 200
    for secret in ("Elsewhere", "Their", "them@example.com", foreign_site.widget_key):
        assert secret not in answer.content.decode()


def test_a_conversation_is_given_to_nobody_foreign(
    by_owner: Caller, conversation_id: int, foreign_site: Site
) -> None:
    team = Team.objects.create(organization=foreign_site.organization, name="Their team")
    member = make_agent(foreign_site.organization)
    for body in ({"agent_id": member.user_id}, {"team_id": team.pk}):
        response = by_owner.tell(f"/conversations/{conversation_id}/assign", body)
        assert refusal(response) == (404, "NOT_FOUND")


def test_a_message_answers_nothing_foreign(
    by_owner: Caller, conversation_id: int, foreign: dict[str, int]
) -> None:
    theirs = Message.objects.get(conversation_id=foreign["conversation_id"])
    body = {"content": "x", "parent_message_id": theirs.pk}
    response = by_owner.tell(f"/conversations/{conversation_id}/messages", body)
    assert refusal(response) == (404, "NOT_FOUND")


def test_a_restricted_site_is_foreign_to_whom_it_does_not_let_in(
    organization: Organization, site: Site, conversation_id: int
) -> None:
    site.is_restricted = True
    site.save()
    caller = Caller.by_token(make_agent(organization, role=Role.SUPERVISOR))
    for method, path, name in WITH_IDS:
        if "{conversation_id}" in path:
            own = path.removeprefix(PREFIX).format(conversation_id=conversation_id)
            assert refusal(caller.tell(own, BODIES.get(name), method=method)) == (404, "NOT_FOUND")


def test_every_id_of_a_path_is_walked() -> None:
    names = {name for _, path, _ in WITH_IDS for name in re.findall(r"{(\w+)}", path)}
    assert names == {"conversation_id", "contact_id", "membership_id"}
    assert len(WITH_IDS) == 12
