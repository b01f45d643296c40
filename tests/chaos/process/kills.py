"""A1: thousands of processes, each killed or stopped at a failpoint, while others carry on what they left.

A child per strike: forked from a warmed parent, it lives one life and dies at the planned point, at its first passage
or a later one. Or it is stopped there, for up to longer than any lease, and goes on as if nothing had happened when
others have long taken over. Pollers and a supervisor take up what it left, and die now and then themselves. When
everything is calm the oracle compares the venue's ledger with the rows.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from rig.oracle import Findings, Placements, examine
from tests.chaos.process.carriers import carriers, come_to_rest, unfinished
from tests.chaos.process.forks import Forks, Keepers
from tests.chaos.process.ground import Ground
from tests.chaos.process.lives import LIVES
from trading.failpoints import POINTS, FailpointRule, arm

CARRIER_DEATHS = 0.001
CALM_SECONDS = 240
# A life that lasts many seconds is chosen less often, so that the others come to their turn.
SELDOM = {
    "sweep.before_verdict": 0.1,
    "sweep.after_claim": 0.2,
    "sweep.before_look": 0.2,
}
STOPS = (1.0, 6.0, 14.0, 24.0)  # seconds: a moment, a transaction's end, a request's, a lease's
STOPPED_AT_ONCE = 8
STOPPED_PATIENCE = 240.0
# These are passed several times in a life.
REPEATED = ("audit.before_write", "audit.after_write", "doorbell.before_publish")


@dataclass(frozen=True)
class Plan:
    point: str
    life: str
    after: int
    stop: float  # seconds it is stopped there, of the campaign of stops


@dataclass
class Struck:
    """What a campaign came to. `points`: where processes were killed or stopped, and how often."""

    points: Counter[str]
    ends: Counter[str]
    findings: Findings
    calm: bool
    seconds: float
    placements: Placements

    @property
    def strikes(self) -> int:
        return self.points.total()


def make_plans(seed: int) -> Iterator[Plan]:
    """The same for the same seed: every point in turn, in an order that chance decides."""
    chance = random.Random(seed)
    life_of = {point: name for name, life in LIVES.items() for point in life.points}
    for turn in count():
        for point in chance.sample(list(POINTS), len(POINTS)):
            if turn == 0 or chance.random() < SELDOM.get(point, 1.0):
                after = chance.randrange(4) if point in REPEATED else 0
                yield Plan(point, life_of[point], after, chance.choice(STOPS))


def kill_many(
    ground: Ground, *, seed: int, most: int, seconds: float, say: Callable[[str], None] = print
) -> Struck:
    """Until `most` have died or the time is over; then to rest, then the oracle."""
    return _strike(
        ground,
        live_until_killed,
        Forks(ground.home / "lives.log", 2),
        seed=seed,
        most=most,
        seconds=seconds,
        say=say,
    )


def stop_many(ground: Ground, *, seed: int, seconds: float, say: Callable[[str], None] = print) -> Struck:
    """The same with stops: many at once, because who is stopped needs no processor."""
    forks = Forks(ground.home / "lives.log", STOPPED_AT_ONCE, patience=STOPPED_PATIENCE)
    return _strike(ground, live_with_a_stop, forks, seed=seed + 1, most=10**9, seconds=seconds, say=say)


def _strike(
    ground: Ground,
    live: Callable[[Ground, Plan], None],
    forks: Forks,
    *,
    seed: int,
    most: int,
    seconds: float,
    say: Callable[[str], None],
) -> Struck:
    began, output = time.monotonic(), forks.output
    action = "kill" if live is live_until_killed else "stop"
    before = read_strikes(ground.log, action)
    placements = Placements(ground.venue)
    keepers = Keepers(carriers(ground, CARRIER_DEATHS), output)
    told = began
    try:
        for plan in make_plans(seed):
            if forks.ends["killed"] >= most or time.monotonic() > began + seconds:
                break
            keepers.look()
            forks.start(lambda plan=plan: live(ground, plan))
            if time.monotonic() > told + 10:
                told = time.monotonic()
                placements.catch_up()
                say(f"{dict(forks.ends)}, {told - began:.0f} s")
        forks.wait()
        keepers.stop()
        keepers = Keepers(carriers(ground, 0.0), output)
        calm = come_to_rest(lambda: (keepers.look(), placements.catch_up()), CALM_SECONDS)  # type: ignore[func-returns-value]
        if not calm:
            say(f"{unfinished()} orders have not ended after {CALM_SECONDS} s")
    finally:
        keepers.stop()
    found = examine(ground.url, ground.venue, placements)
    ground.let_go()
    points = read_strikes(ground.log, action) - before
    return Struck(points, forks.ends, found, calm, time.monotonic() - began, placements)


def live_until_killed(ground: Ground, plan: Plan) -> None:
    arm({plan.point: FailpointRule("kill", after=plan.after)}, ground.log)
    LIVES[plan.life].live(ground.world)


def live_with_a_stop(ground: Ground, plan: Plan) -> None:
    arm({plan.point: FailpointRule("stop", seconds=plan.stop, after=plan.after)}, ground.log)
    LIVES[plan.life].live(ground.world)


def read_strikes(log: Path, action: str) -> Counter[str]:
    lines = log.read_text().splitlines() if log.exists() else []
    return Counter(name for _at, name, what, _pid in map(str.split, lines) if what == action)
