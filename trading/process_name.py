"""The name of this process in permits, leases and heartbeats: role, host and pid."""

from __future__ import annotations

import os
import socket

from django.conf import settings

_HOST = socket.gethostname().split(".")[0][:30]


def process_role() -> str:
    return str(os.environ.get("LEVI_ROLE") or getattr(settings, "LEVI_ROLE", "") or "command")


def process_name() -> str:
    return f"{process_role()}@{_HOST}:{os.getpid()}"[:80]
