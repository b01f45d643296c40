"""Where the lines of the stack go: to the terminal with the process's name in front, and to one file per process.

Files rotate by length, so that a stack that runs for months fills no disk. A closed terminal stops nothing, and neither
does a disk that others have filled: what cannot be written is counted, and the count stands in the file later.
"""

from __future__ import annotations

import contextlib
import os
import sys
from io import FileIO
from pathlib import Path

MAX_BYTES = 5_000_000
KEPT_FILES = 2
COLORS = (36, 35, 33, 32, 34, 96, 95, 93)
NAME_WIDTH = 11


class LogFile:
    """Append-only, renamed to .1, .2 when it is full."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: FileIO | None = None
        self._lost = 0

    def write(self, line: bytes) -> None:
        """Never raises for the disk: a log is not worth the processes that write it."""
        try:
            self._write(line)
        except OSError:
            self._lost += 1

    def _write(self, line: bytes) -> None:
        if self._handle is None:
            self._handle = self._open()
        if self._lost:
            self._handle.write(b"(%d lines could not be written)\n" % self._lost)
            self._lost = 0
        self._handle.write(line + b"\n")
        if self._handle.tell() > MAX_BYTES:
            self._rotate()

    def _open(self) -> FileIO:
        """Unbuffered: what a full disk refused must not be tried again for ever."""
        return FileIO(os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab")

    def _rotate(self) -> None:
        self.close()
        for number in range(KEPT_FILES, 0, -1):
            older = self._path.with_suffix(f".log.{number}")
            newer = self._path.with_suffix(f".log.{number - 1}") if number > 1 else self._path
            if newer.exists():
                newer.replace(older)

    def close(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            handle.close()


class Console:
    """The terminal. `say` is the supervisor speaking; `relay` passes a child's line on."""

    def __init__(self, log_dir: Path) -> None:
        self._log_dir = log_dir
        log_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._files: dict[str, LogFile] = {}
        self._colored = sys.stdout.isatty()
        self._is_open = True

    def say(self, text: str) -> None:
        for line in text.splitlines():
            self.relay("levi", line.encode())

    def relay(self, name: str, line: bytes) -> None:
        self._file(name).write(line)
        self._print(f"{self._prefix(name)} {line.decode(errors='replace')}")

    def show(self, text: str) -> None:
        """For people's eyes only, without prefix and in no file: it may hold a password."""
        self._print(text)

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _file(self, name: str) -> LogFile:
        if name not in self._files:
            self._files[name] = LogFile(self._log_dir / f"{name}.log")
        return self._files[name]

    def _prefix(self, name: str) -> str:
        padded = f"{name:<{NAME_WIDTH}}|"
        return f"\033[{COLORS[sum(name.encode()) % len(COLORS)]}m{padded}\033[0m" if self._colored else padded

    def _print(self, text: str) -> None:
        if not self._is_open:
            return
        try:
            print(text, flush=True)
        except OSError:
            # The terminal or pipe is gone; the files go on.
            self._is_open = False
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
