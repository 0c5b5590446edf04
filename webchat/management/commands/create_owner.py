"""The first person of a real organization."""

import sys
from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email

from project.env import env
from webchat.models import Role, User
from webchat.services.organization import found_organization


class Command(BaseCommand):
    help = (
        "Make an organization and its owner. The password is asked for, or taken from "
        "KARIBU_OWNER_PASSWORD or the first line of standard input."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", required=True)
        parser.add_argument("--organization", required=True, metavar="NAME")
        parser.add_argument("--name", default="", help="the owner's own name")

    def handle(self, *args: Any, **options: Any) -> None:
        email, organization = options["email"].strip().lower(), options["organization"].strip()
        if not organization:
            raise CommandError("--organization must not be empty.")
        try:
            validate_email(email)
        except ValidationError as error:
            raise CommandError(f"--email {email}: {' '.join(error.messages)}") from None
        known = User.objects.filter(email=email).first()
        if known is not None and _owns(known, organization):
            raise CommandError(f"{email} already owns an organization {organization}.")
        user = known or _new_user(email, options["name"].strip())
        found_organization(name=organization, owner=user)
        self.stdout.write(f"{email} now owns {organization}.")
        if known is not None:
            self.stdout.write("The person was known already and keeps name and password.")


def _owns(user: User, organization: str) -> bool:
    return user.memberships.filter(
        organization__name=organization, role=Role.OWNER, revoked_at__isnull=True
    ).exists()


def _new_user(email: str, name: str) -> User:
    """Not saved yet. Raises CommandError for a weak password."""
    user = User(email=email, name=name)
    password = _read_password()
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from None
    user.set_password(password)
    return user


def _read_password() -> str:
    given: str = env.str("KARIBU_OWNER_PASSWORD", "")
    if given:
        return given
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass("Password: ")
    if getpass("Once more: ") != password:
        raise CommandError("The two passwords differ.")
    return password
