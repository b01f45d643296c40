"""Bad weather at the venue: faults that its control interface can make, each for some real seconds.

How long they last is not compressed, because what they try (time-outs, back-off, leases) is not either.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from soak.fault_kind import FaultKind
from soak.scene import Scene

# An order's failures in a row, doubts, and prices or clocks that cannot be had are what these triggers are there for.
OF_ANSWERS = frozenset({"order_errors", "in_doubt_age", "in_doubt_count", "stale_prices", "breaks"})
_ORDERS = {"match": {"path": "/api/v3/order"}}
_PLACING = {"match": {"method": "POST", "path": "/api/v3/order"}}

# name -> meaning, real seconds, the venue's rules, triggers that may fire
_WEATHER: dict[str, tuple[str, float, list[dict[str, Any]], frozenset[str]]] = {
    "rate_limits": (
        "a storm of 429 that asks to wait two seconds",
        8.0,
        [{"kind": "rate_limit", "retry_after": 2, "probability": "0.4"}],
        OF_ANSWERS,
    ),
    "latency": (
        "half of all answers 0.8 s late",
        10.0,
        [{"kind": "latency", "seconds": 0.8, "probability": "0.5"}],
        OF_ANSWERS,
    ),
    "lost_answers": (
        "a third of the orders are taken, and the answer is lost",
        8.0,
        [{**_PLACING, "kind": "drop_after", "probability": "0.33"}],
        OF_ANSWERS,
    ),
    "lost_requests": (
        "a third of what is sent about orders never arrives",
        8.0,
        [{**_ORDERS, "kind": "drop_before", "probability": "0.33"}],
        OF_ANSWERS,
    ),
    "malformed": (
        "a third of all answers are not what they should be",
        8.0,
        [{"kind": "malformed", "probability": "0.33"}],
        OF_ANSWERS,
    ),
    "server_errors": (
        "a third of all requests answered by 503",
        8.0,
        [{"kind": "http_status", "status": 503, "probability": "0.33"}],
        OF_ANSWERS,
    ),
    "stream_drops": (
        "the private stream is cut and refused for three seconds, then loses a frame in five",
        8.0,
        [
            {"kind": "stream_drop", "count": 1, "refuse_seconds": 3},
            {"kind": "stream_gap", "probability": "0.2"},
        ],
        frozenset({"stream_gap"}),
    ),
    "maintenance": (
        "everything answers that there is maintenance",
        8.0,
        [{"kind": "maintenance", "seconds": 8}],
        OF_ANSWERS,
    ),
    "clock_skew": (
        "the venue's clock is five seconds ahead",
        6.0,
        [{"kind": "clock_skew", "ms": 5000}],
        OF_ANSWERS | {"clock_error"},
    ),
}
EVERY_HOURS = 8.0


def bring(seconds: float, rules: list[dict[str, Any]]) -> Callable[[Scene, random.Random], str]:
    def play(scene: Scene, _chance: random.Random) -> str:
        venue = scene.stack.venue
        venue.faults(
            [{**rule, "for_seconds": seconds + 2} for rule in rules]
        )  # it ends even if nobody ends it
        scene.rest(seconds)
        fired = 0
        with suppress(OSError):  # only for the report
            fired = sum(row["fired"] for row in venue.get("/faults")["faults"])
        venue.clear_faults()
        return f"{fired} times" if fired else ""

    return play


WEATHER: dict[str, FaultKind] = {
    name: FaultKind(meaning, EVERY_HOURS, bring(seconds, rules), may_halt)
    for name, (meaning, seconds, rules, may_halt) in _WEATHER.items()
}
