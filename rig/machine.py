"""On what a measurement ran: without it a number says nothing."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]


def read_processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "")


def read_commit() -> str:
    """Empty outside of a checkout."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=PROJECT, capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip()


def describe_machine() -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": read_commit(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "processor": read_processor(),
        "python": platform.python_version(),
        "system": platform.platform(terse=True),
        "load_average_before": os.getloadavg(),
    }


def describe(facts: dict[str, Any]) -> str:
    load = ", ".join(f"{number:.2f}" for number in facts["load_average_before"])
    return (
        f"{facts['at']}, commit {facts['commit'] or '?'}, {facts['cores']} cores, {facts['processor']}, "
        f"Python {facts['python']}, load average {load}"
    )
