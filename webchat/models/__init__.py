"""The product's tables."""

from webchat.models.api_token import ApiToken
from webchat.models.contact import Contact, Visitor
from webchat.models.conversation import Conversation, ConversationStatus
from webchat.models.message import Message, MessageType, SenderType
from webchat.models.organization import Availability, Membership, Organization, Plan, Role, Team
from webchat.models.session import VisitorSession
from webchat.models.signing_key import SigningKey
from webchat.models.site import Site
from webchat.models.user import User

__all__ = [
    "ApiToken",
    "Availability",
    "Contact",
    "Conversation",
    "ConversationStatus",
    "Membership",
    "Message",
    "MessageType",
    "Organization",
    "Plan",
    "Role",
    "SenderType",
    "SigningKey",
    "Site",
    "Team",
    "User",
    "Visitor",
    "VisitorSession",
]
