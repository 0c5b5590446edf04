from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from realtime.models import OrganizationStream
from webchat.models import Membership, Organization, Role, User

pytestmark = pytest.mark.django_db

PASSWORD = "mlango-uko-wazi"


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KARIBU_OWNER_PASSWORD", PASSWORD)


def create_owner(**options: Any) -> str:
    output = StringIO()
    call_command(
        "create_owner",
        stdout=output,
        **{"email": "Ada@Acme.example", "organization": "Acme", "name": "Ada", **options},
    )
    return output.getvalue()


def test_an_organization_its_stream_and_its_owner_are_made() -> None:
    create_owner()
    membership = Membership.objects.get()
    assert (membership.role, membership.organization.name) == (Role.OWNER, "Acme")
    assert (membership.user.email, membership.user.name) == ("ada@acme.example", "Ada")
    assert membership.user.check_password(PASSWORD)
    assert OrganizationStream.objects.get().organization_id == membership.organization_id


def test_a_known_person_keeps_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    create_owner()
    monkeypatch.setenv("KARIBU_OWNER_PASSWORD", "something else again")
    assert "known already" in create_owner(organization="Second")
    assert User.objects.get().check_password(PASSWORD)
    assert Organization.objects.count() == 2


def test_the_same_twice_is_refused() -> None:
    create_owner()
    with pytest.raises(CommandError, match="already owns"):
        create_owner()
    assert Organization.objects.count() == 1


@pytest.mark.parametrize(
    ("options", "complaint"),
    [({"email": "ada"}, "--email ada"), ({"organization": " "}, "--organization")],
)
def test_nonsense_is_refused(options: dict[str, str], complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        create_owner(**options)
    assert not Organization.objects.exists()


def test_a_weak_password_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KARIBU_OWNER_PASSWORD", "password")
    with pytest.raises(CommandError, match="too short"):
        create_owner()
    assert not User.objects.exists()


def test_the_password_may_come_by_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KARIBU_OWNER_PASSWORD")
    monkeypatch.setattr("sys.stdin", StringIO(f"{PASSWORD}\nnot this\n"))
    create_owner()
    assert User.objects.get().check_password(PASSWORD)


def test_a_person_types_it_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KARIBU_OWNER_PASSWORD")
    terminal = StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign] # a terminal for once
    monkeypatch.setattr("sys.stdin", terminal)
    typed = [PASSWORD, "something else"]
    monkeypatch.setattr(
        "webchat.management.commands.create_owner.getpass", lambda _prompt: typed.pop(0)
    )
    with pytest.raises(CommandError, match="differ"):
        create_owner()
    typed[:] = [PASSWORD, PASSWORD]
    create_owner()
    assert User.objects.get().check_password(PASSWORD)
