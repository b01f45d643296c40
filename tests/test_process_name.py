"""Which process it is that gave a sign of life, told apart from a later one with the same pid."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from trading.process_name import has_ended, process_identity, process_name

pytestmark = pytest.mark.skipif(
    not process_identity(), reason="this system tells nothing about its processes"
)


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    started = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield started
    started.kill()
    started.communicate()


def name_of(pid: int) -> str:
    return f"orders@{process_name().partition('@')[2].rpartition(':')[0]}:{pid}"


def test_a_process_that_lives_has_not_ended_and_one_that_was_killed_has(child) -> None:
    name, identity = name_of(child.pid), process_identity(child.pid)
    assert identity and not has_ended(name, identity)
    child.kill()
    child.wait()
    assert has_ended(name, identity)


def test_one_that_nobody_has_collected_yet_has_ended_too(child) -> None:
    name, identity = name_of(child.pid), process_identity(child.pid)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert has_ended(name, identity)


def test_a_later_process_with_the_same_pid_is_another_one() -> None:
    space, _, began = process_identity().rpartition(":")
    assert not has_ended(name_of(os.getpid()), f"{space}:{began}")
    assert has_ended(name_of(os.getpid()), f"{space}:{int(began) - 1}")


@pytest.mark.parametrize(
    ("name", "identity"),
    [
        ("orders@another-host:999999", "{space}:1"),
        ("{name}", ""),
        ("{name}", "00000000:1:1"),
        ("a name without a pid", "{space}:1"),
    ],
)
def test_of_what_cannot_be_seen_from_here_nothing_is_claimed(name: str, identity: str) -> None:
    given = {"space": process_identity().rpartition(":")[0], "name": name_of(2**22 + 1)}
    assert not has_ended(name.format(**given), identity.format(**given))
