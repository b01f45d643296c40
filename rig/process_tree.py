"""Which processes belong to a stack, read from /proc: for killing one, and for proving that none is left."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")


class Member(NamedTuple):
    """A process and when it began, so that a later one with the same number is not taken for it."""

    pid: int
    started: str

    @property
    def command(self) -> str:
        with suppress(OSError):
            return (
                (PROC / str(self.pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            )
        return ""

    @property
    def is_alive(self) -> bool:
        found = read_stat(self.pid)
        return found is not None and found[0] != "Z" and found[2] == self.started


def read_stat(pid: int) -> tuple[str, int, str] | None:
    """State, parent and start time; None for a process that is gone."""
    try:
        words = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    return words[0], int(words[1]), words[19]


def list_members(root: int) -> list[Member]:
    """The process and everything below it."""
    children: dict[int, list[Member]] = defaultdict(list)
    for folder in PROC.iterdir():
        if folder.name.isdigit() and (stat := read_stat(int(folder.name))):
            children[stat[1]].append(Member(int(folder.name), stat[2]))
    stat = read_stat(root)
    found = [Member(root, stat[2])] if stat else []
    for member in found:  # grows while it is walked
        found += children[member.pid]
    return found


def find_users_of(home: Path) -> list[Member]:
    """Processes that know this folder, whoever their parent is by now."""
    mark = str(home).encode()
    found = []
    for folder in PROC.iterdir():
        with suppress(OSError):
            if (
                folder.name.isdigit()
                and mark in (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
                and (stat := read_stat(int(folder.name)))
            ):
                found.append(Member(int(folder.name), stat[2]))
    return found
