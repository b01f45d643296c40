"""Which role a process of the stack plays, and what it uses: memory and processor time, from /proc."""

from __future__ import annotations

import os
from pathlib import Path

# A word of the command line, and whose it is; the first that fits.
ROLES = (
    ("-n orders@", "orders"),
    ("-n background@", "background"),
    (" beat ", "beat"),
    ("granian", "web"),
    ("-m simulator", "simulator"),
    ("supervise", "supervisor"),
    ("run_streams", "streams"),
    ("redis-server", "redis"),
    ("postgres", "postgres"),
    ("reaper.py", "reaper"),
    ("levi_site.nursery", "nursery"),
    ("manage.py up", "stack"),
)


def read_pss(pid: int) -> int:
    """In bytes; 0 for a process that is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def name_role(command: str) -> str:
    return next((role for word, role in ROLES if word in command), "other")


def read_processor_seconds(pid: int) -> float:
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
