"""The name of this process in permits, leases and heartbeats: role, host and pid."""

from __future__ import annotations

import os
import socket

from django.conf import settings

_HOST = socket.gethostname().split(".")[0][:30]


def process_role() -> str:
    """`orders`, `background`, `web` …; the stack names its children levi-orders and so on, for the database's sake."""
    named = str(os.environ.get("LEVI_ROLE") or getattr(settings, "LEVI_ROLE", "") or "command")
    return named.removeprefix("levi-")


def process_name() -> str:
    return f"{process_role()}@{_HOST}:{os.getpid()}"[:80]
