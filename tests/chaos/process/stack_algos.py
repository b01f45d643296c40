"""G1 to G4 on a whole stack: algos are started by HTTP under load, workers and Redis die, halts come and go."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

from rig.instance import NeverHappened, wait_until
from rig.panel_client import PanelClient
from tests.chaos.process.algo_bodies import BODIES, fill_what_rests
from tests.chaos.process.algo_oracle import Engaged, examine_algos, judge_algos
from tests.chaos.process.figures import Figure
from tests.chaos.process.stack_faults import EVERY_SECONDS, hit, judge_stack
from tests.chaos.process.stack_world import CampaignStack

Say = Callable[[str], None]
KINDS_HIT = ("orders child", "redis", "orders parent", "web child", "background child")
SCOPES = (("everything", ""), ("account", "paper"), ("instrument", "BTC/USDT"))
LIVING = "SELECT id::text AS id, state FROM trading_algo WHERE state IN ('running', 'paused', 'canceling')"
SETTLING_SECONDS, END_SECONDS = 30.0, 120.0


def run_stack_algos(stack: CampaignStack, seed: int, seconds: float, say: Say) -> list[Figure]:
    chance, done = random.Random(seed), Counter[str]()
    halts: list[Engaged] = []
    with stack.watched() as placements:
        with _again(stack, 0.4, lambda _client, turn: fill_what_rests(stack.venue, random.Random(turn))):
            with (
                stack.load(pause=0.4, clients=1),
                _again(stack, 0.8, _start),
                _again(stack, 1.0, lambda client, turn: _steer(stack, client, random.Random(seed + turn))),
                _again(stack, 6.0, lambda client, turn: halts.extend(_halt(client, turn))),
            ):
                end = time.monotonic() + seconds
                while time.monotonic() < end:
                    for kind in KINDS_HIT:
                        hit(stack, kind, chance, done)
                        time.sleep(EVERY_SECONDS)  # the rhythm of the campaign, not a wait for anything
                    say(f"{done.total()} faults beside algos")
            stack.release()
            _let_them_end(stack)
        trouble = stack.come_to_rest()
        if left := _end_all(stack):
            trouble = trouble or left
    found = examine_algos(stack.database, stack.venue, placements, halts)
    faults = ", ".join(f"{number} {word}" for word, number in sorted(done.items()))
    say(f"faults beside algos: {faults}")
    return [
        Figure("G", f"faults beside algos on a whole stack; {len(halts)} halts", str(done.total()), "> 0", bool(done)),
        *judge_algos(found),
        *judge_stack("G", stack, placements, trouble),
    ]  # fmt: skip


@contextmanager
def _again(stack: CampaignStack, pause: float, act: Callable[[PanelClient, int], object]) -> Iterator[None]:
    """`act` again and again, each with its own connection; whatever is dead at that moment is no matter."""
    over = threading.Event()

    def run() -> None:
        turn = 0
        while not over.wait(pause):
            turn += 1
            with suppress(Exception), stack.client() as client:  # web, venue or database may be away
                act(client, turn)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(90)


def _start(client: PanelClient, turn: int) -> None:
    body = list(BODIES.values())[turn % len(BODIES)]
    key = {"Idempotency-Key": str(uuid4())}
    for _repeat in range(1 + turn % 2):
        client.http.post("/api/v1/algos", headers=key, json=body)


def _steer(stack: CampaignStack, client: PanelClient, chance: random.Random) -> None:
    living = stack.rows(LIVING)
    if not living:
        return
    row = chance.choice(living)
    word = "resume" if row["state"] == "paused" else chance.choice(("pause", "pause", "cancel"))
    client.http.post(f"/api/v1/algos/{row['id']}/{word}", json={})


def _halt(client: PanelClient, turn: int) -> list[Engaged]:
    scope, target = SCOPES[turn % len(SCOPES)]
    body = {"scope": scope, "target": target, "reason": "the campaign"}
    answer = client.http.post("/api/v1/halts/engage", json={**body, "cancel": "none"})
    answered = time.time()
    time.sleep(0.3)  # what arrives now came after the answer
    client.http.post("/api/v1/halts/release", json=body)
    if answer.status_code != 200:
        return []
    return [Engaged(scope, target, answered, tuple(answer.json()["in_flight"]))]


def _let_them_end(stack: CampaignStack) -> None:
    """A person resumes what was paused; most come to their own end."""
    end = time.monotonic() + SETTLING_SECONDS
    while time.monotonic() < end and (living := stack.rows(LIVING)):
        with suppress(Exception), stack.client() as client:
            for row in living:
                if row["state"] == "paused":
                    client.http.post(f"/api/v1/algos/{row['id']}/resume", json={})
        time.sleep(0.5)


def _end_all(stack: CampaignStack) -> str:
    """Empty when every algo has ended."""

    def have_ended() -> bool:
        with suppress(Exception), stack.client() as client:
            living = stack.rows(LIVING)
            for row in living:
                client.http.post(f"/api/v1/algos/{row['id']}/cancel", json={})
            return not living
        return False

    try:
        wait_until(have_ended, "every algo has ended", END_SECONDS)
    except NeverHappened as error:
        return str(error)
    return ""
