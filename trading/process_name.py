"""The name of this process in permits, leases and heartbeats: role, host and pid; and who runs it."""

from __future__ import annotations

import os
import pwd
import socket

from django.conf import settings

_HOST = socket.gethostname().split(".")[0][:30]


def process_role() -> str:
    """`orders`, `background`, `web` …; the stack names its children levi-orders and so on, for the database's sake."""
    named = str(os.environ.get("LEVI_ROLE") or getattr(settings, "LEVI_ROLE", "") or "command")
    return named.removeprefix("levi-")


def process_name() -> str:
    return f"{process_role()}@{_HOST}:{os.getpid()}"[:80]


def os_user() -> str:
    """Who runs it, by the operating system: not by a variable that anybody can set."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a user id without an entry, as in containers
        return f"uid-{os.geteuid()}"
