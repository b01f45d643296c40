"""Looks at the stack while it runs: its processes and their memory, whether the API answers, halts that nobody planned.

A process that is gone, and was not killed by the run, is a crash; the lines of the stack's own supervisor tell of those
that came and went between two looks. Releases what halted by itself, as an operator would.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import httpx

from rig.driven import HALTED
from rig.process_tree import Member
from rig.roles import name_role
from soak.memory import MemorySample, read_rss
from soak.scene import Scene

LOOK_SECONDS = 2.0
PROBE_SECONDS, PROBE_PATIENCE = 1.0, 10.0
LEAST_SAMPLE_SECONDS, MOST_SAMPLES = 5.0, 500
# Roles whose every process has to stay; of servers only the leader, which the supervisor's lines tell of.
STAYING = frozenset({"orders", "background", "web", "supervisor", "streams", "beat", "nursery", "simulator"})
OPERATOR_WAITS = 4.0


@dataclass(frozen=True)
class Knock:
    at: float
    seconds: float
    answered: bool


@dataclass
class Watch:
    """`gone`: sentences about processes that ended and were not meant to."""

    scene: Scene
    seconds: float
    gone: list[str] = field(default_factory=list)
    samples: list[MemorySample] = field(default_factory=list)
    probes: list[Knock] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._seen: dict[Member, tuple[str, float, int]] = {}  # role, first seen, times seen
        self._sampled = 0.0
        self._every = max(LEAST_SAMPLE_SECONDS, self.seconds / MOST_SAMPLES)
        self._threads = [
            threading.Thread(target=self._repeat, args=(look, pause), daemon=True)
            for look, pause in (
                (self.look, LOOK_SECONDS),
                (self.probe, PROBE_SECONDS),
                (self.release_what_halted_by_itself, LOOK_SECONDS),
            )
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        for thread in self._threads:
            thread.join(60)

    def _repeat(self, look: Callable[[], None], pause: float) -> None:
        while self.scene.rest(pause):
            with suppress(Exception):  # the next look comes; a look that never works shows as "not measured"
                look()

    # -- processes -------------------------------------------------------------------------------------------------

    def look(self) -> None:
        now = time.time()
        living = {member: name_role(member.command) for member in self.scene.stack.members()}
        for member, role in living.items():
            _role, first, times = self._seen.get(member, (role, now, 0))
            self._seen[member] = (role, first, times + 1)
        for member in [one for one in self._seen if one not in living and not one.is_alive]:
            self._note_end(member, now)
        if now - self._sampled >= self._every:
            self._sampled = now
            self._sample(living, now)

    def _note_end(self, member: Member, now: float) -> None:
        role, first, times = self._seen.pop(member)
        # What was seen once only may be a fork on its way to become something else.
        if times < 2 or role not in STAYING or member.pid in self.scene.killed_pids:
            return
        self.gone.append(
            f"{role} pid {member.pid}, {now - first:.0f} s after it was first seen, "
            f"{now - self.scene.began:.0f} s into the run{self._what_was_played(now)}"
        )

    def _what_was_played(self, now: float) -> str:
        names = [fault.name for fault in self.scene.played if fault.ended > now - 20]
        names += [self.scene.playing] if self.scene.playing else []
        return f" (faults of the last 20 s: {', '.join(names)})" if names else ""

    def _sample(self, living: dict[Member, str], now: float) -> None:
        for member, role in living.items():
            first = self._seen[member][1]
            self.samples.append(
                MemorySample(now - self.scene.began, role, member.pid, now - first, read_rss(member.pid))
            )

    # -- the API ---------------------------------------------------------------------------------------------------

    def probe(self) -> None:
        """As a load balancer asks: is the process alive?"""
        at, clock = time.time(), time.perf_counter()
        try:
            answer = httpx.get(
                f"{self.scene.stack.url}/healthz/live", timeout=PROBE_PATIENCE, trust_env=False
            )
            answered = answer.status_code == 200
        except httpx.HTTPError:
            answered = False
        self.probes.append(Knock(at, time.perf_counter() - clock, answered))

    # -- halts -----------------------------------------------------------------------------------------------------

    def release_what_halted_by_itself(self) -> None:
        """The one halt that the run itself presses is released by it; every other one by the operator, after a look."""
        if self.scene.playing:
            return
        if self.scene.stack.rows(HALTED) and self.scene.rest(OPERATOR_WAITS) and not self.scene.playing:
            self.scene.stack.release()
