"""The agents' hold on a conversation: claim, assign, close, reopen."""

from datetime import datetime

from django.db import transaction
from django.db.models import Max

from project.errors import InvalidArgument, NotFound
from realtime.events import ConversationAssigned, ConversationClosed
from realtime.events.conversation import (
    ConversationAssignedData,
    ConversationClosedData,
    EngagementAssigned,
    EngagementClosed,
)
from realtime.events.shapes import ConversationRow, RowChange
from realtime.publish import publish
from webchat.models import Conversation, ConversationStatus, Team
from webchat.permissions import may_see_site
from webchat.principal import Agent
from webchat.queries import conversation as conversations
from webchat.queries.agent import find_live_member
from webchat.services.errors import AlreadyAssigned, ConversationClosedError
from webchat.services.locking import lock_conversation
from webchat.services.reopening import reopen_locked
from webchat.services.routing import about


def claim(*, agent: Agent, conversation_id: int, now: datetime) -> ConversationRow:
    """Make the agent the owner of an open conversation that nobody owns.

    Claiming one's own changes nothing and publishes nothing. Raises NotFound,
    ConversationClosedError and AlreadyAssigned.
    """
    with transaction.atomic():
        conversation = lock_conversation(agent, conversation_id)
        _require_open(conversation)
        owner = conversation.assignee
        if owner is not None and owner.pk != agent.user_id:
            raise AlreadyAssigned(agent_id=owner.pk, agent_name=str(owner))
        if owner is None:
            _hand_to(conversation, agent, user_id=agent.user_id, team=conversation.team, now=now)
        return conversations.to_row(conversation)


def assign(
    *,
    agent: Agent,
    conversation_id: int,
    agent_id: int | None = None,
    team_id: int | None = None,
    now: datetime,
) -> ConversationRow:
    """Give an open conversation to a member, to a team, or to nobody (both None).

    A team takes it without an owner. Raises InvalidArgument when both are given, NotFound for
    an agent or team that is not of the organization, ConversationClosedError.
    """
    if agent_id is not None and team_id is not None:
        raise InvalidArgument("Give agent_id or team_id, not both.", field="team_id")
    with transaction.atomic():
        conversation = lock_conversation(agent, conversation_id)
        _require_open(conversation)
        team = _get_team(agent, team_id) if team_id is not None else None
        if agent_id is not None:
            _check_member(agent, agent_id, conversation.site_id)
            team = conversation.team
        unchanged = (conversation.assignee_id, conversation.team) == (agent_id, team)
        if not unchanged:
            _hand_to(conversation, agent, user_id=agent_id, team=team, now=now)
        return conversations.to_row(conversation)


def close(
    *, agent: Agent, conversation_id: int, reason: str = "", now: datetime
) -> ConversationRow:
    """Close an open conversation, which counts as having read it. Raises NotFound.

    Closing a closed one changes nothing.
    """
    with transaction.atomic():
        conversation = lock_conversation(agent, conversation_id)
        if conversation.status == ConversationStatus.CLOSED:
            return conversations.to_row(conversation)
        conversation.status = ConversationStatus.CLOSED
        conversation.closed_at = conversation.last_activity_at = now
        conversation.close_reason = reason
        conversation.unread_count = 0
        newest = conversation.messages.aggregate(newest=Max("pk"))["newest"]
        conversation.agents_read_up_to = newest or 0
        conversation.save(
            update_fields=[
                "status",
                "closed_at",
                "last_activity_at",
                "close_reason",
                "unread_count",
                "agents_read_up_to",
            ]
        )
        publish(_closed_event(conversation, agent, now))
        return conversations.to_row(conversation)


def reopen(*, agent: Agent, conversation_id: int, now: datetime) -> ConversationRow:
    """Open a closed conversation again; an open one stays as it is.

    Raises NotFound and ConversationSuperseded.
    """
    with transaction.atomic():
        conversation = lock_conversation(agent, conversation_id)
        if conversation.status == ConversationStatus.CLOSED:
            publish(reopen_locked(conversation, agent, now))
        return conversations.to_row(conversation)


def _require_open(conversation: Conversation) -> None:
    if conversation.status == ConversationStatus.CLOSED:
        raise ConversationClosedError


def _check_member(agent: Agent, user_id: int, site_id: int) -> None:
    """Raises NotFound for who cannot see the conversation, as for who does not exist."""
    member = find_live_member(agent.organization_id, user_id)
    if member is None or not may_see_site(member, site_id):
        raise NotFound(field="agent_id")


def _get_team(agent: Agent, team_id: int) -> Team:
    try:
        return Team.objects.get(pk=team_id, organization_id=agent.organization_id)
    except Team.DoesNotExist:
        raise NotFound(field="team_id") from None


def _hand_to(
    conversation: Conversation,
    agent: Agent,
    *,
    user_id: int | None,
    team: Team | None,
    now: datetime,
) -> None:
    conversation.assignee_id = user_id
    conversation.team = team
    conversation.save(update_fields=["assignee", "team"])
    owner = conversations.assignee_of(conversation)
    publish(
        ConversationAssigned(
            **about(conversation, at=now),
            data=ConversationAssignedData(
                agent=owner,
                team=conversations.team_of(conversation),
                by=agent.user_id,
                row=conversations.to_row(conversation),
            ),
            visitor=EngagementAssigned(engagement_id=conversation.pk, agent=owner)
            if owner
            else None,
        )
    )


def _closed_event(conversation: Conversation, agent: Agent, now: datetime) -> ConversationClosed:
    reason = conversation.close_reason or None
    return ConversationClosed(
        **about(conversation, at=now),
        data=ConversationClosedData(
            by=agent.user_id,
            reason=reason,
            closed_at=now,
            row=RowChange(
                id=conversation.pk, status="closed", unread_count=0, last_activity_at=now
            ),
        ),
        visitor=EngagementClosed(engagement_id=conversation.pk, closed_at=now, reason=reason),
    )
