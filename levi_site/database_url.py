"""Turns DATABASE_URL into Django's DATABASES entry. PostgreSQL only: locks, triggers and isolation are part of
the guarantees, and one engine means one truth to test.

Connections are persistent: opening one costs more than a permit transaction, and the audit trail keeps one hash
chain per connection. The session options bound every wait.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from levi_site.env import SettingError

SCHEMES = ("postgres", "postgresql")
REMEDY = (
    "start the embedded server with `make run`, or set DATABASE_URL=postgresql://user:password@host:5432/name"
)

SESSION_OPTIONS = {
    # Under REPEATABLE READ a worker that waited for an engage would still read the old halt state.
    "default_transaction_isolation": "read committed",
    "statement_timeout": "5s",
    "lock_timeout": "2s",  # alone it bounds one lock, not a statement that takes many
    "idle_in_transaction_session_timeout": "5s",
    "synchronous_commit": "on",
    "client_connection_check_interval": "2s",
}


def format_session_options(options: dict[str, str]) -> str:
    """libpq's `options` value: blanks inside a value are escaped with a backslash."""
    return " ".join(f"-c {key}={value.replace(' ', chr(92) + ' ')}" for key, value in options.items())


def parse_database_url(
    url: str, *, application_name: str, session_options: dict[str, str] | None = None
) -> dict[str, Any]:
    if not url:
        raise SettingError(f"DATABASE_URL is not set and no stack is running here; {REMEDY}")
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise SettingError(
            f"DATABASE_URL has the scheme {parts.scheme!r}; only PostgreSQL is supported: {REMEDY}"
        )
    try:
        port = parts.port or 5432
    except ValueError as error:
        raise SettingError(f"DATABASE_URL has no usable port ({error}); {REMEDY}") from error
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise SettingError(f"DATABASE_URL names no database; {REMEDY}")
    options = {
        "connect_timeout": 5,
        "tcp_user_timeout": 10_000,
        "application_name": application_name,
        "options": format_session_options(SESSION_OPTIONS | (session_options or {})),
        **dict(parse_qsl(parts.query)),
    }
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(port),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
        "OPTIONS": options,
    }
