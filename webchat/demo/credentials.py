"""What opens the demo: a password that everybody knows, and keys that differ by installation."""

import base64
import hashlib
import hmac

from django.conf import settings

from webchat.services.api_token import PREFIX

PASSWORD = "karibu-demo"  # noqa: S105 shown to whoever starts the demo


def token_of(email: str) -> str:
    """The person's API token: the same on every call, another in every installation."""
    digest = _derive(f"token:{email}")
    return PREFIX + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def widget_key_of(domain: str) -> str:
    """The key of a new demo site."""
    return f"wk_{_derive(f'widget key:{domain}').hex()[:32]}"


def _derive(label: str) -> bytes:
    key = settings.SECRET_KEY.encode()
    return hmac.new(key, f"karibu demo {label}".encode(), hashlib.sha256).digest()
