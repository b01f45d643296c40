"""Deaths of processes and servers: SIGKILL, but for PostgreSQL, which is told to stop at once without a farewell.

A fault lasts until what died is back. What is not back after a minute is told in its detail, and the table misses it.
"""

from __future__ import annotations

import random
import signal
from collections.abc import Callable
from contextlib import suppress

from rig.driven import KINDS
from rig.process_tree import Member
from soak.fault_kind import FaultKind
from soak.stage import Stage
from soak.weather import OF_ANSWERS

BACK_SECONDS = 60.0
# the stack's own name of the process whose leader dies; else it is one of its pool
_LEADERS = {"supervisor": "supervisor", "streams": "streams", "beat": "beat", "redis": "redis"}
_MEANINGS = {
    "orders child": ("order_worker", "SIGKILL of a process that sends orders", 6.0),
    "orders parent": ("order_pool", "SIGKILL of the parent of the processes that send orders", 16.0),
    "background child": ("resolver", "SIGKILL of a process that resolves doubt", 12.0),
    "web child": ("web_worker", "SIGKILL of one of two web processes", 12.0),
    "supervisor": ("supervisor", "SIGKILL of the supervisor, which sweeps and watches", 12.0),
    "streams": ("listener", "SIGKILL of the listener to private streams", 16.0),
    "beat": ("beat", "SIGKILL of beat", 12.0),
    "redis": ("redis", "SIGKILL of Redis, and its restart", 12.0),
}
_PARENTS = {"orders parent": "orders"}


def strike(kind: str) -> Callable[[Stage, random.Random], str]:
    def play(stage: Stage, chance: random.Random) -> str:
        members = stage.stack.find(kind)
        if not members:
            return "nothing of this kind ran"
        victim = chance.choice(members)
        stage.kill(victim, leader=_LEADERS.get(kind) or _PARENTS.get(kind, ""))
        back = stage.wait_for(lambda: _is_back(stage, kind, victim, len(members)), BACK_SECONDS)
        return f"pid {victim.pid}" + ("" if back or stage.over.is_set() else ", NOT back after a minute")

    return play


def _is_back(stage: Stage, kind: str, victim: Member, before: int) -> bool:
    return not victim.is_alive and len(stage.stack.find(kind)) >= before


def restart_postgres(stage: Stage, _chance: random.Random) -> str:
    leader = stage.stack.postgres()
    stage.kill(leader, signal.SIGQUIT, leader="postgres")
    back = stage.wait_for(lambda: not leader.is_alive and _answers(stage), BACK_SECONDS)
    return f"pid {leader.pid}" + ("" if back or stage.over.is_set() else ", NOT back after a minute")


def _answers(stage: Stage) -> bool:
    with suppress(Exception):  # whatever a starting server says
        return bool(stage.stack.rows("SELECT 1 AS n"))
    return False


DEATHS: dict[str, FaultKind] = {
    name: FaultKind(meaning, every, strike(kind), OF_ANSWERS | {"stream_gap"})
    for kind, (name, meaning, every) in _MEANINGS.items()
    if kind in KINDS
} | {
    "postgres": FaultKind(
        "an immediate restart of PostgreSQL", 16.0, restart_postgres, OF_ANSWERS | {"stream_gap"}
    )
}
