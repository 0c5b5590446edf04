"""The lock order of every path that writes a conversation (docs/architecture.md).

Contacts' counters in sorted order, the conversation, its messages, the organization's counter last
(by `publish`).
"""

from project.errors import NotFound
from realtime import streams
from webchat.models import Conversation
from webchat.principal import Agent
from webchat.queries import conversation as conversations


def lock_conversation(agent: Agent, conversation_id: int) -> Conversation:
    """Lock a conversation that the agent may see, with what `to_row` needs. Raises NotFound."""
    contact_id = (
        conversations.visible_to(agent)
        .filter(pk=conversation_id)
        .values_list("contact_id", flat=True)
        .first()
    )
    if contact_id is None:
        raise NotFound
    streams.lock_contacts([contact_id])
    rows = conversations.with_people(Conversation.objects.filter(pk=conversation_id))
    return rows.select_for_update(no_key=True, of=("self",)).get()
