from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import jwt
import pytest
from django.conf import settings

from project.errors import Forbidden, InvalidArgument, NotFound, Unauthorized
from realtime.models import ContactStream, VisitorChannel
from tests.conftest import Published
from tests.events import data_of, visitor_data_of
from tests.factories import ORIGIN, make_agent, make_organization, make_site, open_visitor, say
from tests.threads import together
from webchat import signing
from webchat.models import Contact, Organization, Role, Site, Visitor, VisitorSession
from webchat.principal import Agent, VisitorAccess
from webchat.queries.visitor import get_access
from webchat.services.conversation import close
from webchat.services.errors import EngagementForbidden
from webchat.services.session import (
    Opened,
    VisitorIdTaken,
    delete_expired,
    open_session,
    refresh_session,
    revoke_sessions,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent(organization: Organization) -> Agent:
    """Somebody who may revoke sessions."""
    return make_agent(organization, role=Role.SUPERVISOR)


NOW = datetime(2026, 3, 1, 12, 0, 0, 700_000, tzinfo=UTC)
DAY = timedelta(days=1)
VISITOR_ID = "0b8e7f43-6a3e-4c5f-9d0a-1f2e3d4c5b6a"


def begin(
    site: Site,
    visitor_id: str = VISITOR_ID,
    *,
    engagement_id: int = 0,
    name: str = "",
    email: str = "",
    user_agent: str = "",
    now: datetime = NOW,
) -> Opened:
    return open_session(
        site_id=site.pk,
        visitor_id=visitor_id,
        engagement_id=engagement_id,
        origin=ORIGIN,
        user_agent=user_agent,
        name=name,
        email=email,
        metadata={"page_url": "https://shop.example/cart"},
        now=now,
    )


class TestOpen:
    def test_first_visit_makes_visitor_contact_and_streams(self, site: Site) -> None:
        opened = begin(site, name="Vera", email="vera@example.com")
        visitor = Visitor.objects.select_related("contact").get()
        assert visitor.visitor_id == VISITOR_ID
        contact = visitor.contact
        assert (contact.name, contact.email, contact.verified) == (
            "Vera",
            "vera@example.com",
            False,
        )
        assert visitor.organization_id == contact.organization_id == site.organization_id
        assert ContactStream.objects.get(pk=contact.pk).stream_seq == 0
        channel = VisitorChannel.objects.get(pk=VISITOR_ID)
        assert (channel.contact_id, channel.organization_id, channel.revoked_at) == (
            contact.pk,
            site.organization_id,
            None,
        )
        assert opened.organization_id == site.organization_id
        assert (opened.conversation_id, opened.scopes) == (0, frozenset({"messages"}))

    def test_token_says_what_the_session_is(self, site: Site) -> None:
        opened = begin(site)
        session = VisitorSession.objects.get()
        expires_at = datetime(2026, 3, 2, 12, tzinfo=UTC)
        assert opened.expires_at == session.expires_at == expires_at
        claims = jwt.decode(opened.token, options={"verify_signature": False})
        assert UUID(claims.pop("jti")).version == 4
        assert claims == {
            "iss": settings.BASE_URL,
            "aud": "karibu:widget",
            "sub": VISITOR_ID,
            "org": site.organization_id,
            "site": site.pk,
            "sid": str(session.sid),
            "origin": ORIGIN,
            "scopes": ["messages"],
            "iat": int(NOW.timestamp()),
            "exp": int(expires_at.timestamp()),
        }

    def test_token_is_the_access(self, site: Site) -> None:
        opened = begin(site, name="Vera")
        access = get_access(signing.verify(opened.token, now=NOW), now=NOW)
        visitor = Visitor.objects.get()
        assert access == VisitorAccess(
            sid=VisitorSession.objects.get().sid,
            visitor_pk=visitor.pk,
            visitor_id=VISITOR_ID,
            contact_id=visitor.contact_id,
            contact_name="Vera",
            organization_id=site.organization_id,
            site_id=site.pk,
            origin=ORIGIN,
            scopes=frozenset({"messages"}),
        )

    def test_visit_keeps_what_the_page_said(self, site: Site) -> None:
        begin(site, user_agent="x" * 500)
        session = VisitorSession.objects.get()
        assert session.metadata == {"page_url": "https://shop.example/cart"}
        assert session.user_agent == "x" * 400

    def test_second_visit_is_the_same_visitor(self, site: Site) -> None:
        first, second = begin(site), begin(site)
        assert Visitor.objects.count() == Contact.objects.count() == 1
        assert VisitorSession.objects.count() == 2
        assert first.token != second.token

    def test_visit_of_another_site_is_the_same_contact(self, site: Site) -> None:
        begin(site)
        begin(make_site(site.organization))
        assert Contact.objects.count() == 1

    def test_prefix_and_case_make_another_visitor(self, site: Site) -> None:
        for visitor_id in (VISITOR_ID, f"v-{VISITOR_ID}", VISITOR_ID.upper()):
            begin(site, visitor_id)
        assert set(Visitor.objects.values_list("visitor_id", flat=True)) == {
            VISITOR_ID,
            f"v-{VISITOR_ID}",
            VISITOR_ID.upper(),
        }
        assert Contact.objects.count() == 3

    @pytest.mark.parametrize(
        "visitor_id",
        [
            "",
            "visitor",
            "0b8e7f43-6a3e-1c5f-9d0a-1f2e3d4c5b6a",
            "0b8e7f43-6a3e-4c5f-cd0a-1f2e3d4c5b6a",
            "0b8e7f436a3e4c5f9d0a1f2e3d4c5b6a",
            f"{VISITOR_ID}\n",
            f"w-{VISITOR_ID}",
        ],
    )
    def test_visitor_id_is_a_version_4_uuid(self, site: Site, visitor_id: str) -> None:
        with pytest.raises(InvalidArgument) as refusal:
            begin(site, visitor_id)
        assert refusal.value.details == {"field": "visitor_id"}
        assert not Contact.objects.exists()

    def test_visitor_id_of_another_organization_is_taken(self, site: Site) -> None:
        begin(site)
        other = make_site(make_organization("Other"))
        with pytest.raises(VisitorIdTaken):
            begin(other)
        assert Visitor.objects.get().organization_id == site.organization_id
        assert VisitorSession.objects.get().site_id == site.pk

    def test_unknown_site_is_not_found(self, site: Site) -> None:
        site.pk = 10**15
        with pytest.raises(NotFound):
            begin(site)

    def test_claims_are_renewed_where_given(self, site: Site) -> None:
        begin(site, name="Vera", email="vera@example.com")
        begin(site, name="Vera V.")
        contact = Contact.objects.get()
        assert (contact.name, contact.email) == ("Vera V.", "vera@example.com")

    def test_claims_never_overwrite_what_is_verified(self, site: Site) -> None:
        begin(site, name="Vera")
        Contact.objects.update(verified=True)
        begin(site, name="Mallory", email="mallory@example.com")
        contact = Contact.objects.get()
        assert (contact.name, contact.email) == ("Vera", "")

    def test_open_conversation_is_found(self, site: Site, agent: Agent) -> None:
        conversation_id = say(open_visitor(site, visitor_id=VISITOR_ID)).conversation_id
        assert begin(site).conversation_id == conversation_id
        assert begin(make_site(site.organization)).conversation_id == 0
        close(agent=agent, conversation_id=conversation_id, now=NOW)
        assert begin(site, engagement_id=conversation_id).conversation_id == 0

    def test_foreign_engagement_is_refused(self, site: Site) -> None:
        conversation_id = say(open_visitor(site)).conversation_id
        for engagement_id in (conversation_id, 10**15):
            with pytest.raises(EngagementForbidden):
                begin(site, engagement_id=engagement_id)
        assert not Visitor.objects.filter(visitor_id=VISITOR_ID).exists()

    @pytest.mark.django_db(transaction=True)
    def test_concurrent_first_visits_make_one_visitor(self, site: Site) -> None:
        signing.ring.signing_key()
        opened = together(*[lambda: begin(site)] * 6)
        assert len({one.token for one in opened}) == 6
        assert Visitor.objects.count() == Contact.objects.count() == 1
        assert VisitorChannel.objects.count() == ContactStream.objects.count() == 1
        assert VisitorSession.objects.count() == 6

    @pytest.mark.django_db(transaction=True)
    def test_concurrent_first_visits_of_two_organizations_have_one_winner(self, site: Site) -> None:
        signing.ring.signing_key()
        other = make_site(make_organization("Other"))

        def attempt(chosen: Site) -> bool:
            try:
                begin(chosen)
            except VisitorIdTaken:
                return False
            return True

        won = together(lambda: attempt(site), lambda: attempt(other))
        assert sorted(won) == [False, True]
        winner = (site, other)[won.index(True)]
        assert Visitor.objects.get().organization_id == winner.organization_id


class TestClaims:
    def test_a_new_name_reaches_the_agents_who_see_the_contact(
        self, site: Site, published: Published
    ) -> None:
        visitor = open_visitor(site, name="Vera", visitor_id=VISITOR_ID)
        sent = say(visitor)
        published.take()
        begin(site, name="Vera Lopez")
        begin(site, name="Vera Lopez")
        [event] = published.take()
        assert event.type == "contact.updated"
        assert (event.site_id, event.conversation_id) == (site.pk, sent.conversation_id)
        contact = {
            "id": visitor.contact_id,
            "name": "Vera Lopez",
            "verified": False,
            "online": False,
        }
        row = {"id": sent.conversation_id, "contact": contact}
        assert data_of(event) == {"contact": contact, "row": row}
        assert event.visitor_payload is None

    def test_a_contact_whom_nobody_has_seen_is_no_news(
        self, site: Site, published: Published
    ) -> None:
        begin(site, name="Vera")
        assert published.take() == []


class TestRefresh:
    @pytest.mark.parametrize(
        "age", [timedelta(0), timedelta(hours=23), 2 * DAY - timedelta(seconds=1)]
    )
    def test_gives_a_new_token_of_the_same_session(self, site: Site, age: timedelta) -> None:
        opened = begin(site, now=NOW)
        later = NOW.replace(microsecond=0) + age
        again = refresh_session(token=opened.token, now=later)
        assert again.expires_at == later + DAY
        assert signing.verify(again.token, now=later).sid == VisitorSession.objects.get().sid
        assert VisitorSession.objects.get().expires_at == later + DAY

    def test_two_days_later_is_too_late(self, site: Site) -> None:
        opened = begin(site)
        with pytest.raises(Unauthorized):
            refresh_session(token=opened.token, now=NOW + 2 * DAY)

    def test_says_what_is_open_now(self, site: Site) -> None:
        opened = begin(site)
        conversation_id = say(open_visitor(site, visitor_id=VISITOR_ID)).conversation_id
        assert refresh_session(token=opened.token, now=NOW).conversation_id == conversation_id

    def test_of_a_revoked_session_is_refused(self, site: Site, agent: Agent) -> None:
        opened = begin(site)
        revoke_sessions(agent=agent, contact_id=Contact.objects.get().pk, now=NOW)
        with pytest.raises(Unauthorized):
            refresh_session(token=opened.token, now=NOW)

    def test_of_a_deleted_session_is_refused(self, site: Site) -> None:
        opened = begin(site)
        VisitorSession.objects.all().delete()
        with pytest.raises(Unauthorized):
            refresh_session(token=opened.token, now=NOW)

    @pytest.mark.parametrize("token", ["", "x", "a.b.c"])
    def test_of_what_is_no_token_is_refused(self, site: Site, token: str) -> None:
        with pytest.raises(Unauthorized):
            refresh_session(token=token, now=NOW)


class TestRevoke:
    def test_ends_all_sessions_and_tells_the_visitor(
        self, site: Site, agent: Agent, published: Published
    ) -> None:
        opened = [begin(site), begin(site)]
        neighbour = open_visitor(site)
        contact = Visitor.objects.get(visitor_id=VISITOR_ID).contact
        assert revoke_sessions(agent=agent, contact_id=contact.pk, now=NOW) == [VISITOR_ID]
        for one in opened:
            with pytest.raises(Unauthorized):
                get_access(signing.verify(one.token, now=NOW), now=NOW)
        assert VisitorChannel.objects.get(pk=VISITOR_ID).revoked_at == NOW
        [event] = published.take()
        assert event.type == "contact.sessions_revoked"
        assert data_of(event) is None
        assert event.visitor_type == "session.revoked"
        assert visitor_data_of(event) == {}
        assert event.channels == (f"visitor:{VISITOR_ID}",)
        assert VisitorSession.objects.get(sid=neighbour.sid).revoked_at is None

    def test_is_not_for_plain_agents(self, site: Site, organization: Organization) -> None:
        begin(site)
        with pytest.raises(Forbidden):
            revoke_sessions(
                agent=make_agent(organization),
                contact_id=Contact.objects.get().pk,
                now=NOW,
            )
        assert VisitorSession.objects.get().revoked_at is None

    def test_lets_the_visitor_begin_anew(self, site: Site, agent: Agent) -> None:
        begin(site)
        revoke_sessions(agent=agent, contact_id=Contact.objects.get().pk, now=NOW)
        opened = begin(site, now=NOW + timedelta(seconds=1))
        claims = signing.verify(opened.token, now=NOW)
        assert get_access(claims, now=NOW).sid == claims.sid

    def test_does_not_hold_a_new_session_to_the_old_ones_end(
        self, site: Site, agent: Agent
    ) -> None:
        begin(site)
        revoke_sessions(agent=agent, contact_id=Contact.objects.get().pk, now=NOW)
        begin(site, now=NOW)
        assert VisitorChannel.objects.get().revoked_at is None

    def test_of_another_organizations_contact_is_not_found(
        self, site: Site, published: Published
    ) -> None:
        begin(site)
        stranger = make_agent(make_organization("Other"), role=Role.OWNER)
        for contact_id in (Contact.objects.get().pk, 10**15):
            with pytest.raises(NotFound):
                revoke_sessions(agent=stranger, contact_id=contact_id, now=NOW)
        assert published.take() == []
        assert VisitorSession.objects.get().revoked_at is None


class TestAccess:
    def test_ends_with_the_session(self, site: Site) -> None:
        claims = signing.read(begin(site).token)
        assert get_access(claims, now=NOW + DAY - timedelta(seconds=1)).sid == claims.sid
        with pytest.raises(Unauthorized):
            get_access(claims, now=NOW + DAY)

    def test_without_a_name_says_none(self, site: Site) -> None:
        assert open_visitor(site).contact_name is None


def test_delete_expired_leaves_what_a_refresh_can_revive(site: Site) -> None:
    now = NOW.replace(microsecond=0)
    for age in (0, 1, 2, 3):
        begin(site, str(uuid4()), now=now - age * DAY)
    assert delete_expired(now=now) == 1
    assert VisitorSession.objects.count() == 3
    assert delete_expired(now=now + 4 * DAY, limit=2) == 2
    assert VisitorSession.objects.count() == 1
