"""The only reader of environment variables: typed, and refusing nonsense by name."""

import os
import secrets
from pathlib import Path

import environs
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

env = environs.Env()
env.read_env(BASE_DIR / ".env")


def one_of(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """The value of `name`; `ImproperlyConfigured` where it is not among `allowed`."""
    value: str = env.str(name, default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(allowed)}, not {value!r}.")
    return value


def positive(name: str, default: int) -> int:
    """A whole number above zero."""
    try:
        value: int = env.int(name, default)
    except environs.EnvError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number.") from error
    if value < 1:
        raise ImproperlyConfigured(f"{name} must be at least 1, not {value}.")
    return value


def kept(path: Path, value: str) -> str:
    """The text of `path`; an installation's first process writes `value` there, mode 0600.

    Two processes that start together agree: the link of the finished file is exclusive, and the
    loser reads the winner's.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(value)
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def secret_key(data_dir: Path, *, production: bool) -> str:
    """Signs sessions and derives the realtime token keys; at least 32 characters."""
    value: str = env.str("KARIBU_SECRET_KEY", "")
    if not value and production:
        raise ImproperlyConfigured("KARIBU_SECRET_KEY is required where KARIBU_PROFILE=production.")
    if not value:
        value = kept(data_dir / "keys" / "secret_key", secrets.token_urlsafe(48))
    if len(value) < 32:
        raise ImproperlyConfigured("KARIBU_SECRET_KEY must have at least 32 characters.")
    return value


def encryption_keys(data_dir: Path, *, production: bool) -> list[str]:
    """Fernet keys for secrets at rest: the first encrypts, all decrypt."""
    given: list[str] = env.list("KARIBU_ENCRYPTION_KEYS", [])
    values = [key for key in given if key]
    if not values and production:
        raise ImproperlyConfigured(
            "KARIBU_ENCRYPTION_KEYS is required where KARIBU_PROFILE=production."
        )
    if not values:
        values = [kept(data_dir / "keys" / "encryption_key", Fernet.generate_key().decode())]
    for value in values:
        try:
            Fernet(value)
        except ValueError as error:
            raise ImproperlyConfigured(
                "KARIBU_ENCRYPTION_KEYS must be Fernet keys (32 bytes, base64), comma separated."
            ) from error
    return values
