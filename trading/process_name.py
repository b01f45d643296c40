"""The name of this process in permits, leases and heartbeats: role, host and pid; which one of that name it is; and who
runs it.
"""

from __future__ import annotations

import os
import pwd
import socket
from pathlib import Path

from django.conf import settings

_STARTED, _STATE = 19, 0  # fields of /proc/PID/stat behind the name
_HOST = socket.gethostname().split(".")[0][:30]


def process_role() -> str:
    """`orders`, `background`, `web` …; the stack names its children levi-orders and so on, for the database's sake."""
    named = str(os.environ.get("LEVI_ROLE") or getattr(settings, "LEVI_ROLE", "") or "command")
    return named.removeprefix("levi-")


def process_name() -> str:
    return f"{process_role()}@{_HOST}:{os.getpid()}"[:80]


def process_identity(pid: int | None = None) -> str:
    """What tells a process from a later one with the same pid: the boot and the pid namespace that pid counts in, and
    when it began. Empty where the system does not say, or there is no such process."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
        fields = Path(f"/proc/{pid or os.getpid()}/stat").read_text().rpartition(")")[2].split()
        return (
            ""
            if fields[_STATE] in "ZX"
            else f"{boot}:{os.stat('/proc/self/ns/pid').st_ino}:{fields[_STARTED]}"
        )
    except (OSError, IndexError):
        return ""


def has_ended(name: str, identity: str) -> bool:
    """True only for certain: of this host, and its pid is nobody's now, or another's. Of others nothing is known."""
    place, _, pid = name.rpartition(":")
    mine = process_identity()
    if not (identity and mine and pid.isdecimal() and place.rpartition("@")[2] == _HOST):
        return False
    same_space = identity.rpartition(":")[0] == mine.rpartition(":")[0]
    return same_space and process_identity(int(pid)) != identity


def os_user() -> str:
    """Who runs it, by the operating system: not by a variable that anybody can set."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a user id without an entry, as in containers
        return f"uid-{os.geteuid()}"
