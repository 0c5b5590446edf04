"""What the generated OpenAPI document lacks: errors, scopes, words, and the widget's calls."""

from typing import Any

from webchat.api.agent.operation import finish
from webchat.api.widget import openapi as widget

DESCRIPTION = """\
Everything that agents do in Karibu, for scripts, mobile clients and tests; and what a visitor's
browser asks of it.

**Signing in.** Send an API token as `Authorization: Bearer kt_...`; each call names the scope that
the token needs. A signed-in browser uses its session cookie instead, and sends the value of the
CSRF cookie as `X-CSRFToken` with every call that changes something.

**Shapes.** JSON in UTF-8, bodies of at most 128 KiB, times in ISO 8601 UTC. Unknown fields of a
request are ignored; a wrong type is refused. An error is always
`{"error": {"code", "message", "details"}}`: rely on the code, show the message. What belongs to
somebody else does not exist: 404.

**Lists** answer `{items, next}`: send `next` back as `cursor`, until it is null.

**Live.** What carries `seq` and `epoch` is a snapshot of the agents' stream: apply the events above
`seq`, and fetch anew when the epoch is another one.

**Retries.** The same `client_message_id` is the same message, however often it is sent.
"""
TAGS = {
    "Me": "Who the caller is.",
    "Conversations": "The list, one conversation, and who works on it.",
    "Messages": "What was said, and private notes.",
    "Contacts": "The people who write.",
    "Sites": "Where the widget is embedded.",
    "Members": "The people of the organization.",
    widget.TAG: "What a visitor's browser asks.",
}
ERROR = {
    "title": "Error",
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "details"],
            "properties": {
                "code": {"type": "string", "description": "Stable; for programs."},
                "message": {"type": "string", "description": "For people."},
                "details": {"type": "object", "description": "`field` names a field at fault."},
            },
        }
    },
}


def complete(document: dict[str, Any]) -> None:
    """Write in what the operations' functions cannot say by themselves."""
    for methods in document["paths"].values():
        for method, operation in methods.items():
            finish(method, operation)
    document["paths"] |= widget.paths()
    components = document["components"]
    components["schemas"] |= {"Error": ERROR, **widget.schemas()}
    components["securitySchemes"] |= widget.security_schemes()
    document["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
