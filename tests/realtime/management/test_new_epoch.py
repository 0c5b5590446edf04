from io import StringIO

import pytest
from django.core.management import call_command

from realtime.log.read import get_epoch
from realtime.models import Installation

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("known", [True, False])
def test_the_epoch_changes_and_stays_one(known: bool) -> None:
    before = get_epoch() if known else None
    output = StringIO()
    call_command("new_epoch", stdout=output)
    assert get_epoch() != before
    assert get_epoch() in output.getvalue()
    assert Installation.objects.count() == 1
