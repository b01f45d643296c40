"""A progress bar on stderr for commands that take long: redrawn on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TextIO

_WIDTH = 30
_REDRAW_SECONDS = 0.1
_LINE_SECONDS = 10.0


class ProgressBar:
    """Counts to `total`. Silent where nobody looks; never raises because of a closed terminal."""

    def __init__(self, what: str, total: int, *, shown: bool = True, stream: TextIO | None = None) -> None:
        self._what, self._total, self._shown = what, total, shown
        self._stream = stream or sys.stderr
        self._is_terminal = self._stream.isatty()
        self._next_at = time.monotonic() + (0 if self._is_terminal else _LINE_SECONDS)

    def show(self, done: int) -> None:
        if not self._shown or time.monotonic() < self._next_at:
            return
        self._next_at = time.monotonic() + (_REDRAW_SECONDS if self._is_terminal else _LINE_SECONDS)
        self._write(self.line(done), end="" if self._is_terminal else "\n")

    def finish(self) -> None:
        if self._shown and self._is_terminal:
            self._write(self.line(self._total), end="\n")

    def line(self, done: int) -> str:
        part = min(1.0, done / self._total) if self._total else 1.0
        bar = ("█" * round(part * _WIDTH)).ljust(_WIDTH, "·")
        return f"{self._what} {bar} {done}/{self._total} {part:4.0%}"

    def _write(self, text: str, *, end: str) -> None:
        try:
            self._stream.write(("\r" if self._is_terminal else "") + text + end)
            self._stream.flush()
        except OSError:
            self._shown = False  # nobody is listening any more
