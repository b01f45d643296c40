"""Orders a second from post to booked fill, with eight clients at once, and what a post takes then."""

from __future__ import annotations

from collections import Counter, defaultdict
from uuid import uuid4

from benchmarks.first_byte import seconds_of
from benchmarks.rows import Row, quantile, spread
from benchmarks.stages import ORDERS, StageClock
from rig.instance import StackInstance, wait_until
from rig.load import Load
from rig.roles import name_role, read_processor_seconds

SIGNALS, CLIENTS = 160, 8


def measure(stack: StackInstance) -> list[Row]:
    stack.venue.set_price("BTCUSDT", "50000")
    posts = [(str(uuid4()), {"quantity": "0.0005"}) for _signal in range(SIGNALS)]
    with stack.client() as client:
        clock, before = StageClock(client, ORDERS, "stage"), processor_seconds(stack)
        with Load(stack, posts, CLIENTS) as load:
            load.wait()
        wait_until(lambda: not client.unfinished_orders(), "every order has ended", 300)
        stages, after = clock.lap(), processor_seconds(stack)
        rows = {order["client_order_id"]: order for order in client.get_all("/api/v1/orders")}
    orders = [rows[answer.body["client_order_id"]] for answer in load.answers]
    filled = [order for order in orders if order["status"] == "filled"]
    assert len(filled) == SIGNALS, f"orders ended as {Counter(order['status'] for order in orders)}"
    began = min(answer.began for answer in load.answers)
    answered = max(answer.began + answer.seconds for answer in load.answers)
    ended = sorted(seconds_of(order["finished_at"]) for order in orders)
    waits = [seconds_of(order["permit_at"]) - seconds_of(order["approved_at"]) for order in orders]
    return [
        Row(
            "orders a second, end to end",
            SIGNALS / (ended[-1] - began),
            "/s",
            note="first post to last booked fill",
        ),
        Row("signals taken a second", SIGNALS / (answered - began), "/s", note="posts alone"),
        *spread("post", [answer.seconds for answer in load.answers], note=f"{CLIENTS} clients"),
        *spread("decision to permit", waits, note="queueing included"),
        Row("permit, mean", stages["permit"][0] / stages["permit"][1] * 1000, "ms", note="under this load"),
        Row("post to filled p50", quantile(lifetimes(load, rows), 50), "s"),
        *processor_rows(before, after),
    ]


def processor_seconds(stack: StackInstance) -> dict[str, float]:
    """Used so far, by role."""
    used: dict[str, float] = defaultdict(float)
    for member in stack.members():
        used[name_role(member.command)] += read_processor_seconds(member.pid)
    return used


def processor_rows(before: dict[str, float], after: dict[str, float]) -> list[Row]:
    used = {role: (seconds - before.get(role, 0.0)) * 1000 / SIGNALS for role, seconds in after.items()}
    rows = [
        Row(f"processor time, {role}", used[role], "ms/order") for role in sorted(used, key=used.__getitem__)
    ]
    return [
        Row("processor time, all", sum(used.values()), "ms/order"),
        *reversed([r for r in rows if r.number >= 0.05]),
    ]


def lifetimes(load: Load, rows: dict[str, dict[str, str]]) -> list[float]:
    return [
        seconds_of(rows[answer.body["client_order_id"]]["finished_at"]) - answer.began
        for answer in load.answers
    ]
