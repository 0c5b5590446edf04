"""Every setting, from the environment by `project.env`; docs/settings.md explains each variable."""

import sys
from pathlib import Path
from typing import Any

import dj_database_url

from project import env

BASE_DIR = env.BASE_DIR
PROFILE = env.one_of("KARIBU_PROFILE", "embedded", ("embedded", "production"))
PRODUCTION = PROFILE == "production"
DEBUG = False

# Where it listens, and the address that the world sees.
HOST = env.env.str("KARIBU_HOST", "127.0.0.1")
PORT = env.positive("KARIBU_PORT", 8000)
BASE_URL = env.env.str("KARIBU_BASE_URL", f"http://{HOST}:{PORT}").rstrip("/")
SECURE = BASE_URL.startswith("https://")
ALLOWED_HOSTS = ["*"]  # The public address is BASE_URL; no link is ever built from a Host header.
CSRF_TRUSTED_ORIGINS = [BASE_URL]

# Data and keys.
DATA_DIR = Path(env.env.str("KARIBU_DATA_DIR", str(BASE_DIR / "var"))).resolve()
SECRET_KEY = env.secret_key(DATA_DIR, production=PRODUCTION)
ENCRYPTION_KEYS = env.encryption_keys(DATA_DIR, production=PRODUCTION)

# The database.
DATABASE_URL = env.env.str("DATABASE_URL", "")
DATABASE_THREADS = env.positive("KARIBU_DATABASE_THREADS", 8)
DATABASE_WRITERS = env.positive("KARIBU_DATABASE_WRITERS", 3)


def _sqlite(path: Path) -> dict[str, Any]:
    path.parent.mkdir(parents=True, exist_ok=True)
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 10,
            # FULL: an acknowledged message survives the loss of power, not only of the process.
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-20000;"
                "PRAGMA temp_store=MEMORY; PRAGMA mmap_size=134217728"
            ),
        },
        "TEST": {"NAME": path.with_name("test.sqlite3")},
    }


def _postgres(url: str) -> dict[str, Any]:
    config: dict[str, Any] = dict(dj_database_url.parse(url))
    config.setdefault("OPTIONS", {}).update(
        pool={
            "min_size": 0,
            "max_size": 2 * DATABASE_THREADS + 8,
            "timeout": 10,
            "max_lifetime": 1800,
        },
        # Without it psycopg prepares nothing, also where a statement asks for it. Django's own
        # statements are never prepared: their parameters are in their text.
        prepare_threshold=5,
    )
    return config


DATABASES = {
    "default": _postgres(DATABASE_URL) if DATABASE_URL else _sqlite(DATA_DIR / "karibu.sqlite3")
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The application.
INSTALLED_APPS = [
    "channels",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "admin_ui",  # before allauth, whose templates it replaces
    "allauth",
    "allauth.account",
    "ninja",
    "realtime",
    "webchat",
]
if "runserver" in sys.argv:
    # Daphne replaces Django's development server; loading it costs every other command memory.
    INSTALLED_APPS.insert(0, "daphne")
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "project.static.StaticFiles",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
ROOT_URLCONF = "project.urls"
ASGI_APPLICATION = "project.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]  # Those that our own pages speak, not all that Django does.
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "assets" / "dist"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_IMMUTABLE_FILE_TEST = r"\.[A-Z0-9]{8}\.\w+$"  # the hash in what esbuild writes

# Signing in.
AUTH_USER_MODEL = "webchat.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "admin_ui.accounts.InvitedOnly"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_FORMS = {
    "login": "admin_ui.forms.SignIn",
    "change_password": "admin_ui.forms.ChangePassword",
}
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_NAME = "__Host-karibu_session" if SECURE else "karibu_session"
CSRF_COOKIE_NAME = "__Host-karibu_csrf" if SECURE else "karibu_csrf"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SIGNED_COOKIE_LEGACY_SALT_FALLBACK = False
SECURE_SSL_REDIRECT = False  # The proxy in front ends TLS and redirects.
SECURE_HSTS_SECONDS = 31536000 if SECURE else 0
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

# The realtime spine.
CHANNEL_LAYERS = {
    # One channel per process (realtime/feed.py): its queue holds all that the process hears.
    "default": {
        "BACKEND": "realtime.memory_layer.MemoryLayer",
        "CONFIG": {"capacity": 10_000},
    }
}
REALTIME_SINKS = [
    "realtime.sinks.agents.AgentSink",
    "realtime.sinks.visitors.VisitorSink",
    "realtime.sinks.typing.TypingExpiry",
]
EVENT_LOG_DAYS = env.positive("KARIBU_EVENT_LOG_DAYS", 7)
CONNECTION_TOKEN_TTL_S = env.positive("KARIBU_CONNECTION_TOKEN_TTL_S", 3600)
SUBSCRIPTION_TOKEN_TTL_S = env.positive("KARIBU_SUBSCRIPTION_TOKEN_TTL_S", 3600)
SESSION_TOKEN_TTL_S = env.positive("KARIBU_SESSION_TOKEN_TTL_S", 86400)

# Celery: without a broker, worker and beat are threads of the server (docs/decisions/0002).
CELERY_BROKER_URL = env.env.str("CELERY_BROKER_URL", "memory://localhost/")
CELERY_EMBEDDED = CELERY_BROKER_URL.startswith("memory:")
CELERY_BROKER_TRANSPORT_OPTIONS = {"polling_interval": 0.02} if CELERY_EMBEDDED else {}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_TIMEZONE = "UTC"

# What machines may read of the process.
METRICS_TOKEN = env.env.str("KARIBU_METRICS_TOKEN", "")

# Logs.
LOG_FORMAT = env.one_of("KARIBU_LOG_FORMAT", "console", ("console", "json"))
LOG_LEVEL = env.one_of("KARIBU_LOG_LEVEL", "info", ("debug", "info", "warning", "error")).upper()
LOGGING_CONFIG = "project.logs.configure"
LOGGING = {"format": LOG_FORMAT, "level": LOG_LEVEL}
