"""What algos of the campaign are asked to do, and the market that fills what of them rests. Knows no Django."""

from __future__ import annotations

import random
from typing import Any

from simulator.testing import SimulatedVenue
from tests.chaos.process.algo_oracle import OPEN_AT_VENUE

WHAT = {"symbol": "BTC/USDT", "side": "BUY"}
BODIES: dict[str, dict[str, Any]] = {
    "twap": {**WHAT, "kind": "twap", "quantity": "0.0008", "duration_seconds": 10, "slices": 2},
    "priced twap": {
        **WHAT, "kind": "twap", "quantity": "0.0008", "duration_seconds": 10, "slices": 2, "price": "51000"
    },
    "vwap": {
        **WHAT, "kind": "vwap", "quantity": "0.0012", "duration_seconds": 15, "slices": 3, "profile": ["1", "0", "3"]
    },
    "iceberg": {**WHAT, "kind": "iceberg", "quantity": "0.0011", "visible_quantity": "0.0003", "price": "48900"},
    "iceberg with an end": {
        **WHAT, "kind": "iceberg", "quantity": "0.0009", "visible_quantity": "0.0004", "price": "48800",
        "duration_seconds": 12,
    },
}  # fmt: skip


def fill_what_rests(venue: SimulatedVenue, chance: random.Random) -> None:
    """Orders of icebergs are filled where they rest, in part or in full."""
    prices = {row["price"] for row in BODIES.values() if row["kind"] == "iceberg"}
    for row in venue.orders():
        rests = row["status"] in OPEN_AT_VENUE and row["price"] in prices
        if rests and chance.random() < 0.5:
            venue.fill(row["order_id"], chance.choice((None, "0.0001")))
