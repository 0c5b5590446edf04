"""What an agent may do, as pure predicates: one table for all interfaces."""

from webchat.models import Role
from webchat.principal import Agent, Scope

MANAGERS = frozenset({Role.OWNER, Role.ADMIN})


def has_scope(agent: Agent, scope: Scope) -> bool:
    """People in a browser have every scope; a token has what it was given."""
    return agent.scopes is None or scope in agent.scopes


def may_see_site(agent: Agent, site_id: int | None) -> bool:
    return agent.site_ids is None or site_id is None or site_id in agent.site_ids


def may_manage_sites(agent: Agent) -> bool:
    return agent.role in MANAGERS


def may_manage_members(agent: Agent) -> bool:
    return agent.role in MANAGERS


def may_revoke_sessions(agent: Agent) -> bool:
    return agent.role in MANAGERS or agent.role == Role.SUPERVISOR


def list_permissions(agent: Agent) -> list[str]:
    """The names that `GET /api/v1/me` shows."""
    granted = {
        "conversations": has_scope(agent, "read"),
        "conversations.write": has_scope(agent, "write"),
        "sites.manage": may_manage_sites(agent) and has_scope(agent, "admin"),
        "members.manage": may_manage_members(agent) and has_scope(agent, "admin"),
        "sessions.revoke": may_revoke_sessions(agent) and has_scope(agent, "admin"),
    }
    return [name for name, given in granted.items() if given]
