"""The oracle: the venue's ledger and the final rows, compared. It asks no process what it believes.

Everything is read through the venue's control interface and by plain SQL. Differences are sentences that begin with the
order's name, sorted by what they break; `stories.py` tells such an order from both sides.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import dict_row

from rig.ledger import NOT_AT_VENUE, SIGNS, VENUE_TO_OURS
from rig.torn import TORN
from simulator.testing import SimulatedVenue

ORDER_PATH = "/api/v3/order"
# Permit + a second + the window + what a venue may take to process (docs/guarantees.md, K2).
LATEST_ACCEPTANCE_SECONDS = 13.0
FOREIGN = ("external", "orphan")
Row = dict[str, Any]


@dataclass
class Findings:
    """`doubled`, `unknown`, `torn`: A1. `wrong`: a verdict or a number that is not the venue's."""

    doubled: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)
    orders: int = 0
    at_venue: int = 0

    @property
    def all(self) -> list[str]:
        return self.doubled + self.unknown + self.wrong + self.torn


class Placements:
    """Every new-order request that reached the venue. Its journal is bounded and dies with it: catch up often."""

    def __init__(self, venue: SimulatedVenue) -> None:
        self._venue = venue
        self._next = 0
        self.rows: list[Row] = []

    def catch_up(self) -> None:
        if self._venue.health()["requests"] < self._next:
            self._next = 0  # another process, whose journal begins again
        page = self._venue.get(f"/requests?since={self._next}")
        self.rows += [
            row for row in page["requests"] if row["method"] == "POST" and row["path"] == ORDER_PATH
        ]
        self._next = int(page["next"])

    def by_name(self) -> Counter[str]:
        return Counter(row["params"].get("newClientOrderId", "") for row in self.rows)


def wall(row: Row) -> float:
    return datetime.fromisoformat(row["at"]["wall"]).timestamp()


def read_rows(url: str, query: str, *parameters: object) -> list[Row]:
    with psycopg.connect(url, row_factory=dict_row) as connection:
        return connection.execute(query, parameters or None).fetchall()


def examine(url: str, venue: SimulatedVenue, placements: Placements) -> Findings:
    """Everything, once it is calm."""
    placements.catch_up()
    ours = {row["client_order_id"]: row for row in read_rows(url, _ORDERS)}
    theirs = venue.orders()
    prefix = next((name[:6] for name, row in ours.items() if row["origin"] not in FOREIGN), "lv")
    found = Findings(orders=len(ours), at_venue=len(theirs))
    _find_doubled(found, theirs, placements, prefix)
    found.unknown += [
        f"{row['client_order_id']} is at the venue and not in the database"
        for row in theirs
        if row["client_order_id"] not in ours
    ]
    _find_unpermitted(found, ours, placements)
    _compare_orders(found, ours, theirs)
    _compare_fills(found, url, venue)
    found.wrong += [f"the venue's own books: {text}" for text in venue.book_differences()]
    for what, query in TORN.items():
        found.torn += [f"{row['subject']}: {what} ({row['detail']})" for row in read_rows(url, query)]
    return found


_ORDERS = """
SELECT o.client_order_id, o.status, o.origin, o.filled_quantity, o.attempt, o.permit_at
  FROM trading_order o"""


def _find_doubled(found: Findings, theirs: list[Row], placements: Placements, prefix: str) -> None:
    counts = Counter(row["client_order_id"] for row in theirs)
    found.doubled += [f"{name} was accepted {count} times" for name, count in counts.items() if count > 1]
    found.doubled += [
        f"{name} was sent {count} times"
        for name, count in placements.by_name().items()
        if count > 1 and name.startswith(prefix)
    ]


def _find_unpermitted(found: Findings, ours: dict[str, Row], placements: Placements) -> None:
    for row in placements.rows:
        name = row["params"].get("newClientOrderId", "")
        order = ours.get(name)
        if order is None or order["origin"] in FOREIGN:
            continue  # counted as unknown if the venue took it; or nobody here sent it
        permit = order["permit_at"].timestamp() if order["permit_at"] else None
        if permit is None or wall(row) < permit - 0.005:
            found.unknown.append(f"{name} was sent without a permit")
        elif row["status"] == 200 and wall(row) > permit + LATEST_ACCEPTANCE_SECONDS:
            found.wrong.append(f"{name} was accepted {wall(row) - permit:.1f} s after its permit")


def _compare_orders(found: Findings, ours: dict[str, Row], theirs: list[Row]) -> None:
    held = {row["client_order_id"]: row for row in theirs}
    for name, order in ours.items():
        row = held.get(name)
        if row is None:
            if order["status"] not in NOT_AT_VENUE:
                found.wrong.append(f"{name} is {order['status']} here and unknown to the venue")
            continue
        status, filled = VENUE_TO_OURS.get(row["status"], row["status"]), Decimal(row["filled"])
        if order["status"] != status or order["filled_quantity"] != filled:
            found.wrong.append(
                f"{name} is {status} with {filled} at the venue,"
                f" {order['status']} with {order['filled_quantity'].normalize():f} here"
            )


_FILLS = """
SELECT f.venue_fill_id, f.side, f.quantity, f.price, i.venue_symbol AS symbol
  FROM trading_fill f JOIN trading_instrument i ON i.id = f.instrument_id"""
_POSITIONS = """
SELECT i.venue_symbol AS symbol, sum(p.quantity) AS quantity
  FROM trading_position p JOIN trading_instrument i ON i.id = p.instrument_id GROUP BY 1"""


def _compare_fills(found: Findings, url: str, venue: SimulatedVenue) -> None:
    booked = Counter(
        (row["venue_fill_id"], row["side"], row["quantity"], row["price"]) for row in read_rows(url, _FILLS)
    )
    fills = venue.fills()
    truth = Counter(
        (str(fill["fill_id"]), fill["side"], Decimal(fill["quantity"]), Decimal(fill["price"]))
        for fill in fills
    )
    found.wrong += [f"fill {key[0]} is at the venue and not booked" for key in truth - booked]
    found.doubled += [f"fill {key[0]} is booked and not at the venue" for key in booked - truth]
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for fill in fills:
        sums[fill["symbol"]] += SIGNS[fill["side"]] * Decimal(fill["quantity"])
    positions = {row["symbol"]: row["quantity"] for row in read_rows(url, _POSITIONS)}
    found.wrong += [
        f"the position in {symbol} is {positions.get(symbol, 0)}, the sum of the venue's fills {total}"
        for symbol, total in sums.items()
        if positions.get(symbol, Decimal(0)) != total
    ]
