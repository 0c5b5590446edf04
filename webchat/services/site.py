"""Sites: create."""

from collections.abc import Sequence

from django.db import transaction

from project.errors import Forbidden, InvalidArgument
from webchat.models import Site
from webchat.origins import check_rule
from webchat.permissions import may_manage_sites
from webchat.principal import Agent


def create_site(
    *,
    agent: Agent,
    name: str,
    allowed_origins: Sequence[str],
    agency_mode: bool = False,
    locale: str = "en",
    appearance: dict[str, object] | None = None,
) -> Site:
    """A new site, visible to every member. Raises Forbidden and InvalidArgument."""
    if not may_manage_sites(agent):
        raise Forbidden
    try:
        rules = [check_rule(rule) for rule in allowed_origins]
    except ValueError as error:
        raise InvalidArgument(str(error), field="allowed_origins") from None
    with transaction.atomic():
        return Site.objects.create(
            organization_id=agent.organization_id,
            name=name,
            allowed_origins=rules,
            agency_mode=agency_mode,
            locale=locale,
            appearance=appearance or {},
        )
