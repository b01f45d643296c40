"""The supervisor's side of the reaper: starts it, tells it about groups, lets it go at the end."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

REAPER = Path(__file__).with_name("reaper.py")


class ReaperLink:
    """While this object's pipe is open the reaper waits; `release` ends it without harm."""

    def __init__(self, leftovers: list[Path] | None = None) -> None:
        self._process = subprocess.Popen(
            # -I -S: no site-packages, no environment; it stays at a few megabytes.
            [sys.executable, "-I", "-S", str(REAPER), *map(str, leftovers or [])],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
            cwd="/",
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def add(self, pgid: int, *, order: int, stop_signal: int) -> None:
        self._tell(f"+ {pgid} {order} {int(stop_signal)}")

    def forget(self, pgid: int) -> None:
        self._tell(f"- {pgid}")

    def release(self) -> None:
        self._tell("done")
        if self._process.stdin:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._process.wait(timeout=5)

    def _tell(self, line: str) -> None:
        if self._process.stdin:
            # A reaper that somebody killed must not take the stack down with it.
            with contextlib.suppress(OSError):
                self._process.stdin.write(line + "\n")
                self._process.stdin.flush()
