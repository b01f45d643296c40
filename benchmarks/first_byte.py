"""From the accepted signal to the first byte at the venue, one signal at a time, warm."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from benchmarks.rows import Row, spread
from benchmarks.stages import ORDERS, StageClock
from rig.instance import StackInstance, wait_until
from rig.panel_client import PanelClient

SIGNALS, WARM_UP = 40, 8
STAGES = {
    "decide": "risk, gate and intent, inside the post",
    "wait": "decision begun to permit given",
    "permit": "the permit's transaction",
    "request": "the venue's answer",
    "outcome": "the outcome's transaction",
    "settle": "asking for fills and booking them",
}


def seconds_of(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def place_one(client: PanelClient) -> dict[str, Any]:
    """One signal to its end: when it was posted, answered, and what became of it."""
    posted = time.time()
    answer = client.post_signal(quantity="0.0005").json()
    answered = time.time()
    assert answer["decision"] == "approved", answer["codes"]
    order: dict[str, Any] = {}

    def has_ended() -> bool:
        order.update(client.get_order(answer["order_id"]))
        return order["status"] == "filled"

    wait_until(has_ended, "the order is filled")
    return order | {"posted": posted, "answered": answered}


def measure(stack: StackInstance) -> list[Row]:
    venue = stack.venue
    venue.set_price("BTCUSDT", "50000")
    with stack.client() as client:
        for _order in range(WARM_UP):
            place_one(client)
        clock, stages = StageClock(client, ORDERS, "stage"), {name: [] for name in STAGES}
        orders = []
        for _order in range(SIGNALS):
            orders.append(place_one(client))
            for stage, (seconds, events) in clock.lap().items():
                if stage in stages:
                    stages[stage].append(seconds / events)
    arrived = {
        row["params"]["newClientOrderId"]: seconds_of(row["at"]["wall"])
        for row in venue.requests(method="POST", path="/api/v3/order")
    }
    at = [arrived[order["client_order_id"]] for order in orders]
    rows = spread(
        "decision to first byte",
        [byte - seconds_of(order["approved_at"]) for byte, order in zip(at, orders, strict=True)],
        goals={99: "<= 100 ms"},
        note="decision begun to the venue's first byte",
    )
    rows += spread(
        "post to first byte",
        [byte - order["posted"] for byte, order in zip(at, orders, strict=True)],
        note="client begins to post to the venue's first byte",
    )
    rows += spread("post answered", [order["answered"] - order["posted"] for order in orders])
    rows += spread(
        "post to filled",
        [seconds_of(order["finished_at"]) - order["posted"] for order in orders],
        note="booked fill and position",
    )
    for name, note in STAGES.items():
        rows += [row for row in spread(f"stage {name}", stages[name], note=note) if "p95" not in row.name]
    return rows
