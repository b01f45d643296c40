"""Runs promtool where it is installed (Debian's package `prometheus` ships it), and says so plainly where it is not."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def run_promtool(*arguments: str | Path) -> str:
    """Its output; fails the test when it is not content."""
    binary = shutil.which("promtool")
    if binary is None:
        pytest.skip(
            "promtool is not installed (Debian: apt-get install prometheus); the schema checks ran instead"
        )
    done = subprocess.run(
        [binary, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
