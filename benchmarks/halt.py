"""The kill switch under load with orders open: the gate, the answer, the first cancel, the last one, the proof."""

from __future__ import annotations

import time
from collections import defaultdict

from benchmarks.first_byte import seconds_of
from benchmarks.rows import Row
from benchmarks.stages import HALTS, StageClock
from rig.instance import StackInstance, wait_until
from rig.load import Load, endless
from rig.panel_client import PanelClient

ROUNDS, RESTING, CLIENTS = 3, 40, 4
OPEN = ("NEW", "PARTIALLY_FILLED")
MEASURES = {
    "gate": ("<= 50 ms", "halt lock, state, epoch and audit committed"),
    "drain": ("", "until no permit can still be used"),
    "answer": ("<= 1200 ms", "POST /live/kill, as the client sees it"),
    "first cancel": ("<= 300 ms", "engaged to the first cancel at the venue"),
    "last cancel": ("", "engaged to the last cancel at the venue"),
}


def count_open(stack: StackInstance) -> int:
    return sum(order["status"] in OPEN for order in stack.venue.orders())


def cancels_since(stack: StackInstance, mark: int) -> list[float]:
    return [seconds_of(row["at"]["wall"]) for row in stack.venue.requests(mark, method="DELETE")]


def halt_once(stack: StackInstance, client: PanelClient) -> tuple[dict[str, float], int]:
    """Seconds by measure, and how many cancels it took."""
    resting = {"quantity": "0.0005", "price": "48500"}
    with Load(stack, endless(lambda _number: resting), CLIENTS) as load:
        wait_until(lambda: count_open(stack) >= RESTING, "orders rest at the venue")
        mark, clock, began = (
            stack.venue.health()["requests"],
            StageClock(client, HALTS, "phase"),
            time.perf_counter(),
        )
        answer = client.kill("benchmark")
        found = {"answer": time.perf_counter() - began}
        load.stop()
    phases = clock.lap()
    wait_until(lambda: count_open(stack) == 0, "all are canceled at the venue")
    engaged, cancels = seconds_of(answer["since"]), cancels_since(stack, mark)
    found |= {phase: phases[phase][0] for phase in ("gate", "drain")}
    found |= {"first cancel": min(cancels) - engaged, "last cancel": max(cancels) - engaged}
    wait_until(lambda: not client.unfinished_orders(), "every order has ended")
    return found, len(cancels)


def measure(stack: StackInstance) -> list[Row]:
    stack.venue.set_price("BTCUSDT", "50000")
    found: dict[str, list[float]] = defaultdict(list)
    canceled = 0
    with stack.client() as client:
        for left in reversed(range(ROUNDS)):
            seconds, cancels = halt_once(stack, client)
            canceled += cancels
            for name, number in seconds.items():
                found[name].append(number)
            if left:
                client.release("benchmark")
        wait_until(lambda: client.status()["sweep"]["verdict"] != "running", "the sweep has a verdict")
        sweep = client.status()["sweep"]
        client.release("benchmark")
    proof = seconds_of(sweep["finished_at"]) - seconds_of(sweep["engaged_at"])
    rows = [
        Row(f"{name} {word}", pick(found[name]) * 1000, "ms", goal, note)
        for name, (goal, note) in MEASURES.items()
        for word, pick in (("middle", middle), ("worst", max))
    ]
    rows.append(Row("orders canceled per halt", canceled / ROUNDS, "orders"))
    return [
        *rows,
        Row(f"verdict {sweep['verdict']}", proof, "s", "<= 30 s", "13 s of it are the venue's bound"),
    ]


def middle(numbers: list[float]) -> float:
    return sorted(numbers)[len(numbers) // 2]
