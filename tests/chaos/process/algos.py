"""G1 to G4: algos that are started, stopped, halted and resumed while whoever runs them is killed at every failpoint.

A forked process starts an algo, takes its steps for a moment and dies at the planned point; one in eight loses the
answer to a COMMIT instead. Pollers carry on and die as well. A person pauses, resumes, cancels, engages and releases;
a market fills what rests, in parts. Then everything may come to its end, and two oracles look.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from django.conf import settings
from django.db import DatabaseError, connection

from rig.oracle import Findings, Placements, examine
from tests.chaos.process.algo_bodies import BODIES, fill_what_rests
from tests.chaos.process.algo_oracle import AlgoFindings, Engaged, examine_algos
from tests.chaos.process.carriers import carriers, come_to_rest, living_algos
from tests.chaos.process.commits import CommitProxy
from tests.chaos.process.forks import Forks, Keepers
from tests.chaos.process.ground import Ground
from tests.chaos.process.kills import read_strikes
from tests.making import CLIENT, PERSON
from trading.domain.enums import AlgoState, HaltScope
from trading.domain.errors import LeviError
from trading.execution.algos import cancel_algo, pause_algo, resume_algo, start_algo
from trading.execution.algos.running import run_due_algos
from trading.execution.halts import engage, release
from trading.execution.poller import poll_once
from trading.failpoints import POINTS, FailpointRule, arm
from trading.models import Algo, HaltState

CARRIER_DEATHS = 0.004
CALM_SECONDS = 120
WALK_SECONDS = 0.8
AT_ONCE = 4
SETTLING_SECONDS = 40.0
POINTS_OF_ALGOS = [name for name in POINTS if name.startswith("algos.")]
# Where a runner may also die: on the way of the child that it makes.
POINTS_BESIDE = (
    "intake.before_decision",
    "approval.before_commit",
    "approval.after_commit",
    "audit.after_write",
)


@dataclass(frozen=True)
class AlgoPlan:
    """`point`: where it dies; empty: it loses the answer to a COMMIT."""

    kind: str
    point: str
    after: int


@dataclass
class Disturbed:
    """What the part came to. `strikes`: deaths by failpoint. `words`: what persons did."""

    algos: AlgoFindings
    orders: Findings
    strikes: Counter[str]
    lost: int  # answers to COMMIT
    words: Counter[str]
    calm: bool
    placements: Placements


def plan_algos(seed: int) -> Iterator[AlgoPlan]:
    """Every point of the runner in turn, one beside, and a lost COMMIT; the same for the same seed."""
    chance = random.Random(seed)
    kinds = list(BODIES)
    for turn in count():
        points = [*chance.sample(POINTS_OF_ALGOS, len(POINTS_OF_ALGOS)), chance.choice(POINTS_BESIDE), ""]
        for number, point in enumerate(points):
            yield AlgoPlan(kinds[(turn + number) % len(kinds)], point, chance.choice((0, 0, 1)))


def disturb_algos(
    ground: Ground, *, seed: int, seconds: float, say: Callable[[str], None] = print
) -> Disturbed:
    began, told = time.monotonic(), 0.0
    words = ground.home / "algo-words.jsonl"
    words.unlink(missing_ok=True)
    before = read_strikes(ground.log, "kill")
    forks = Forks(ground.home / "algo-lives.log", AT_ONCE)
    placements = Placements(ground.venue)
    commits = ground.home / "algo-commits.log"
    proxy = CommitProxy(int(settings.DATABASES["default"]["PORT"]), seed, commits)
    around = {
        "proxy": proxy.serve,
        "person": lambda: meddle(random.Random(seed + 1), words),
        "market": lambda: trade_what_rests(ground, random.Random(seed + 2)),
    }
    keepers = Keepers({**carriers(ground, CARRIER_DEATHS), **around}, forks.output)
    try:
        for plan in plan_algos(seed):
            if time.monotonic() > began + seconds:
                break
            keepers.look()
            forks.start(lambda plan=plan: walk_and_die(ground, plan, proxy.port))
            if time.monotonic() > told + 10:
                told = time.monotonic()
                placements.catch_up()
                say(f"algos: {dict(forks.ends)}, {told - began:.0f} s")
        forks.wait()
        keepers.stop()
        keepers = Keepers({**carriers(ground, 0.0), "market": around["market"]}, forks.output)
        _let_them_end(keepers, placements, min(SETTLING_SECONDS, seconds))
        calm = come_to_rest(lambda: (keepers.look(), placements.catch_up()), CALM_SECONDS)  # type: ignore[func-returns-value]
    finally:
        keepers.stop()
    rows = [json.loads(line) for line in words.read_text().splitlines()] if words.exists() else []
    halts = [Engaged(row["scope"], row["target"], row["answered"], tuple(row["in_flight"])) for row in rows
             if row["word"] == "engage"]  # fmt: skip
    orders = examine(ground.url, ground.venue, placements)
    algos = examine_algos(ground.url, ground.venue, placements, halts)
    ground.let_go()
    strikes = read_strikes(ground.log, "kill") - before
    lost = len(commits.read_text().split()) if commits.exists() else 0
    return Disturbed(algos, orders, strikes, lost, Counter(row["word"] for row in rows), calm, placements)


def walk_and_die(ground: Ground, plan: AlgoPlan, port: int) -> None:
    """An algo is started, and its steps and its children's taken, until the point strikes or the moment is over."""
    if plan.point:
        arm({plan.point: FailpointRule("kill", after=plan.after)}, ground.log)
    else:
        connection.settings_dict["PORT"] = str(port)
    algo = start_algo(BODIES[plan.kind], actor=CLIENT, key=str(uuid4())).algo
    run_due_algos()
    if "state" in plan.point:
        with suppress(LeviError):  # somebody else may have stopped it
            pause_algo(algo.pk, actor=PERSON)
            resume_algo(algo.pk, actor=PERSON)
    end = time.monotonic() + WALK_SECONDS
    while time.monotonic() < end:
        if not run_due_algos() + poll_once():
            time.sleep(0.05)


def _let_them_end(keepers: Keepers, placements: Placements, seconds: float) -> None:
    """Nobody dies any more, and a person resumes what a halt has paused: most come to their own end."""
    end = time.monotonic() + seconds
    keepers.look()  # before there is a connection that they would share
    while living_algos() and time.monotonic() < end:
        placements.catch_up()
        for pk in Algo.objects.filter(state=AlgoState.PAUSED).values_list("pk", flat=True):
            with suppress(LeviError, DatabaseError):
                resume_algo(pk, actor=PERSON)
        time.sleep(0.2)


# -- a person, and the market -----------------------------------------------------------------------------------------
def meddle(chance: random.Random, words: Path) -> None:
    """For ever. Every word leaves a line when it was answered."""
    while True:
        time.sleep(chance.uniform(0.1, 0.6))
        word = chance.choice(("engage", "pause", "pause", "resume", "resume", "resume", "cancel"))
        try:
            said = _engage_and_release(chance) if word == "engage" else _steer(chance, word)
        except (LeviError, DatabaseError):
            connection.close()
            continue
        with words.open("a") as lines:
            lines.write(json.dumps({"word": word, **said}) + "\n")


def _steer(chance: random.Random, word: str) -> dict[str, Any]:
    verbs = {
        "pause": (pause_algo, (AlgoState.RUNNING,)),
        "resume": (resume_algo, (AlgoState.PAUSED,)),
        "cancel": (cancel_algo, (AlgoState.RUNNING, AlgoState.PAUSED)),
    }
    verb, states = verbs[word]
    found = list(Algo.objects.filter(state__in=states).values_list("pk", flat=True))
    if found:
        verb(chance.choice(found), actor=PERSON)
    return {"answered": time.time()}


def _engage_and_release(chance: random.Random) -> dict[str, Any]:
    scope, target = chance.choice(
        ((HaltScope.EVERYTHING, ""), (HaltScope.ACCOUNT, "paper"), (HaltScope.INSTRUMENT, "BTC/USDT"))
    )
    done = engage(scope, target, reason="a person", actor=PERSON, cancel=None)
    said = {"scope": scope, "target": target, "answered": time.time(), "in_flight": done.in_flight}
    time.sleep(chance.uniform(0.0, 0.4))
    with suppress(LeviError, DatabaseError):  # else the supervisor's neighbour does it
        if HaltState.objects.exclude(state="active").filter(scope=scope, target=target).exists():
            release(scope, target, reason="a person", actor=PERSON)
    return said


def trade_what_rests(ground: Ground, chance: random.Random) -> None:
    """For ever."""
    while True:
        time.sleep(0.25)
        with suppress(httpx.HTTPError, AssertionError):
            fill_what_rests(ground.venue, chance)
