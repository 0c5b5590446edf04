from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.factories import make_organization, make_site, open_visitor
from webchat import signing
from webchat.models import SigningKey
from webchat.services.session import open_session, refresh_session

pytestmark = pytest.mark.django_db


def rotate(retire_before: int | None = None) -> str:
    output = StringIO()
    call_command("rotate_signing_keys", retire_before=retire_before, stdout=output)
    return output.getvalue()


def key_ids() -> list[str]:
    return list(SigningKey.objects.order_by("created_at").values_list("kid", flat=True))


def test_a_new_key_signs_and_the_old_ones_verify() -> None:
    site = make_site(make_organization())
    now = timezone.now()
    opened = open_session(
        site_id=site.pk,
        visitor_id="0b3ad1ff-1b7c-4c2e-9a4f-6f0a0a7f5d11",
        origin="https://shop.example",
        user_agent="",
        name="",
        email="",
        metadata={},
        now=now,
    )
    rotate()
    newest = key_ids()[-1]
    assert signing.ring.signing_key().kid == newest
    assert len(key_ids()) == 2
    assert signing.verify(opened.token, now=now).site_id == site.pk
    assert refresh_session(token=opened.token, now=now).token != opened.token
    assert open_visitor(site).site_id == site.pk


def test_only_keys_replaced_long_enough_ago_are_deleted() -> None:
    now = timezone.now()
    for days in (30, 20, 10):
        with time_machine.travel(now - timedelta(days=days), tick=False):
            rotate()
    first, second, third = key_ids()
    said = rotate(retire_before=15)
    # The first was replaced 20 days ago, the second 10 days ago, the third just now.
    assert first in said
    assert key_ids()[:-1] == [second, third]
    assert signing.ring.find(first) is None


def test_a_key_that_a_token_may_still_carry_cannot_be_deleted() -> None:
    with pytest.raises(CommandError, match="at least 3"):
        rotate(retire_before=2)
    assert key_ids() == []
    rotate(retire_before=3)
