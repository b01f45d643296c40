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
from soak.scene import Scene
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


def strike(kind: str) -> Callable[[Scene, random.Random], str]:
    def play(scene: Scene, chance: random.Random) -> str:
        members = scene.stack.find(kind)
        if not members:
            return "nothing of this kind ran"
        victim = chance.choice(members)
        scene.kill(victim, leader=_LEADERS.get(kind) or _PARENTS.get(kind, ""))
        back = scene.wait_for(lambda: _is_back(scene, kind, victim, len(members)), BACK_SECONDS)
        return f"pid {victim.pid}" + ("" if back or scene.over.is_set() else ", NOT back after a minute")

    return play


def _is_back(scene: Scene, kind: str, victim: Member, before: int) -> bool:
    return not victim.is_alive and len(scene.stack.find(kind)) >= before


def restart_postgres(scene: Scene, _chance: random.Random) -> str:
    leader = scene.stack.postgres()
    scene.kill(leader, signal.SIGQUIT, leader="postgres")
    back = scene.wait_for(lambda: not leader.is_alive and _answers(scene), BACK_SECONDS)
    return f"pid {leader.pid}" + ("" if back or scene.over.is_set() else ", NOT back after a minute")


def _answers(scene: Scene) -> bool:
    with suppress(Exception):  # whatever a starting server says
        return bool(scene.stack.rows("SELECT 1 AS n"))
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
