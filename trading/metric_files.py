"""The counters' files on a full disk: room is taken before a file is mapped, never by touching a page of it.

prometheus_client maps sparse files. The first write to a page for which the disk has no room ends the process by a
signal that nobody can catch, and whoever is started again ends the same way. Here a file that cannot be had in full is
not used: the process says so once and counts in memory. Its counters are then missing in the scrape; what it does for
orders and halts does not depend on them. What is promised about the disk itself is the trigger `disk_space`.
"""

from __future__ import annotations

import logging
import mmap
import os
from pathlib import Path

from prometheus_client import values
from prometheus_client.mmap_dict import MmapedDict

log = logging.getLogger(__name__)
_FIRST_BYTES = 1 << 16


def take_room(file: int, size: int) -> bool:
    """False if the disk (or its quota) has no room for the first `size` bytes of this open file."""
    if not hasattr(os, "posix_fallocate"):  # not on macOS, which is no place for a server
        return True
    try:
        os.posix_fallocate(file, 0, size)
    except OSError as error:
        log.error(
            "no room for the counters of this process (%s): they are kept in memory and missing in /metrics",
            error.strerror,
        )
        return False
    return True


class RoomyDict(MmapedDict):
    """One file of counters, or memory where the disk is full."""

    def __init__(self, filename: str, read_mode: bool = False) -> None:
        if not read_mode:
            filename = _room_or_memory(filename)
        super().__init__(filename, read_mode)

    def _init_value(self, key: str) -> None:
        """As there, but a file that must grow takes its room first. A key never needs more than this."""
        needed = len(key.encode()) + 64
        if self._used + needed > self._capacity and not take_room(self._f.fileno(), 2 * self._capacity):
            self._leave_file()
        super()._init_value(key)

    def _leave_file(self) -> None:
        """Go on in memory with all that was counted so far; the file keeps what it has."""
        counted = self._m[: self._used]
        memory = os.open(_memory(), os.O_RDWR)
        os.ftruncate(memory, self._capacity)
        self._f.close()
        self._f = os.fdopen(memory, "r+b")
        self._m = mmap.mmap(memory, self._capacity)
        self._m[: self._used] = counted


def _room_or_memory(filename: str) -> str:
    file = os.open(filename, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        if os.fstat(file).st_size or take_room(file, _FIRST_BYTES):
            return filename
        Path(filename).unlink()
        return _memory()
    finally:
        os.close(file)


def _memory() -> str:
    """A file that no disk holds, by a name that opens it; it lives as long as the process."""
    return f"/proc/self/fd/{os.memfd_create('levi-counters')}"


def use_roomy_files() -> None:
    """Before the first counter is made."""
    values.MmapedDict = RoomyDict  # type: ignore[misc]  # the name that prometheus_client makes its files by
