"""Ends the stack's process groups when the supervisor itself is killed. Runs alone: standard library only.

It holds the reading end of a pipe. Each line records a group (`+ pgid order signal`) or forgets one (`- pgid`). A
closed pipe without `done` means that the supervisor is gone: the groups are ended in order, the servers last.
"""

import contextlib
import os
import signal
import sys
import time

GRACE_SECONDS = 2.5


def read_start_time(pid: int) -> str:
    """Distinguishes a process from a later one with the same number; empty where it cannot be known."""
    try:
        with open(f"/proc/{pid}/stat") as handle:
            return handle.read().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def find_live_groups() -> "set[int] | None":
    """Groups with a member that is not a zombie (their new parent may collect those late); None without /proc."""
    if not os.path.isdir("/proc/self"):
        return None
    live = set()
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError, IndexError), open(f"/proc/{name}/stat") as handle:
            state, _parent, group = handle.read().rpartition(")")[2].split()[:3]
            if state != "Z":
                live.add(int(group))
    return live


def is_any_alive(groups: "list[int]") -> bool:
    live = find_live_groups()
    if live is not None:
        return not live.isdisjoint(groups)
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, 0)
            return True
    return False


def end_groups(groups: "dict[int, tuple[int, int, str]]") -> None:
    """Highest order first; every group of one order together."""
    for order in sorted({entry[0] for entry in groups.values()}, reverse=True):
        members = [
            pgid
            for pgid, (its_order, _signal, started) in groups.items()
            if its_order == order and read_start_time(pgid) in ("", started)
        ]
        for pgid in members:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pgid, groups[pgid][1])
        deadline = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < deadline and is_any_alive(members):
            time.sleep(0.05)
        for pgid in members:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pgid, signal.SIGKILL)


def watch(leftovers: "list[str]") -> None:
    groups: dict[int, tuple[int, int, str]] = {}
    for line in sys.stdin:
        words = line.split()
        if words == ["done"]:
            return
        if words[:1] == ["+"]:
            pgid, order, number = map(int, words[1:4])
            groups[pgid] = (order, number, read_start_time(pgid))
        elif words[:1] == ["-"]:
            groups.pop(int(words[1]), None)
    end_groups(groups)
    for path in leftovers:
        with contextlib.suppress(OSError):
            os.unlink(path)


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    watch(sys.argv[1:])
