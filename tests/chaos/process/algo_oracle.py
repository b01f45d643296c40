"""The oracle of algos: the venue's ledger, the final rows and the audit trail, compared. It asks no process.

G1: never more than the quantity, and completed is the whole but for what the venue does not take. G2: nothing reaches
the venue between an engage's answer and a person's resume, and the trail has no child of an algo that stood still. G3:
each number once, none left out, each with its order. G4: no child above twice the largest slice, and each has ended.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

from rig.oracle import Placements, Row, read_rows, wall
from simulator.testing import SimulatedVenue
from tests.chaos.process.figures import Figure, count

ENDED = ("completed", "expired", "canceled", "denied")
OPEN_AT_VENUE = ("NEW", "PARTIALLY_FILLED")
# What an entry of the trail makes of an algo; a child leaves it as it is.
STATE_AFTER = {"algo.started": "running", "algo.resumed": "running"}

_ALGOS = """
SELECT a.id::text AS id, a.kind, a.state, a.quantity, a.plan, a.visible_quantity, c.name AS account, i.symbol,
       coalesce(s.name, '') AS strategy, extract(epoch FROM a.created_at)::float AS created,
       greatest(i.lot_size, coalesce(i.min_quantity, 0)) AS smallest,
       greatest(coalesce(i.min_notional, 0), coalesce(i.min_notional_market, 0)) AS worth,
       coalesce(a.price, a.arrival_price) AS price, i.lot_size AS lot
  FROM trading_algo a JOIN trading_exchangeaccount c ON c.id = a.account_id
  JOIN trading_instrument i ON i.id = a.instrument_id LEFT JOIN trading_strategy s ON s.id = a.strategy_id
 WHERE a.state <> 'denied'"""
_CHILDREN = """
SELECT k.algo_id::text AS algo, k.number, o.client_order_id AS name, o.quantity
  FROM trading_algochild k JOIN trading_order o ON o.id = k.order_id ORDER BY k.algo_id, k.number"""
_TRAIL = """
SELECT e.object_id AS algo, e.kind, extract(epoch FROM e.at)::float AS at, e.data->>'number' AS number
  FROM trading_auditentry e WHERE e.object_type = 'algo' ORDER BY e.id"""
_LOOSE = """
SELECT o.client_order_id AS subject FROM trading_order o
 WHERE o.origin = 'algo' AND NOT EXISTS (SELECT 1 FROM trading_algochild k WHERE k.order_id = o.id)"""


@dataclass(frozen=True)
class Engaged:
    """A halt as whoever engaged it saw it: when it had its answer, and what that named as under way."""

    scope: str
    target: str
    answered: float
    in_flight: tuple[str, ...] = ()

    def concerns(self, algo: Row) -> bool:
        mine = {"everything": "", "account": algo["account"], "instrument": algo["symbol"]}
        return algo["created"] < self.answered and mine.get(self.scope, algo["strategy"]) == self.target


@dataclass
class AlgoFindings:
    """Sentences by promise; how many algos ended how; how many children were made."""

    broken: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in PROMISES})
    states: Counter[str] = field(default_factory=Counter)
    children: int = 0
    halts_met: int = 0

    @property
    def all(self) -> list[str]:
        return [sentence for found in self.broken.values() for sentence in found]


PROMISES = {
    "G1": "algos that took more than their quantity, or completed with less",
    "G2": "children sent after a halt's answer, or made while it stood still",
    "G3": "numbers made twice, left out or without their order",
    "G4": "children above twice the largest slice, and algos that did not end",
}


def examine_algos(
    url: str, venue: SimulatedVenue, placements: Placements, halts: Sequence[Engaged] = ()
) -> AlgoFindings:
    """Everything, once it is calm."""
    placements.catch_up()
    found, held = AlgoFindings(), {row["client_order_id"]: row for row in venue.orders()}
    children, trail = defaultdict(list), defaultdict(list)
    for row in read_rows(url, _CHILDREN):
        children[row["algo"]].append(row)
    for row in read_rows(url, _TRAIL):
        trail[row["algo"]].append(row)
    arrived: dict[str, list[float]] = defaultdict(list)
    for row in placements.rows:
        arrived[row["params"].get("newClientOrderId", "")].append(wall(row))
    for algo in read_rows(url, _ALGOS):
        found.states[algo["state"]] += 1
        found.children += len(mine := children[algo["id"]])
        _weigh(found, algo, mine, held)
        _heed_trail(found, algo, mine, trail[algo["id"]])
        _heed_halts(found, algo, mine, trail[algo["id"]], arrived, halts)
    found.broken["G3"] += [
        f"{row['subject']} is of an algo and nobody's child" for row in read_rows(url, _LOOSE)
    ]
    return found


def _weigh(found: AlgoFindings, algo: Row, children: list[Row], held: dict[str, Row]) -> None:
    """What the venue filled, against what was asked for."""
    name, quantity = f"algo {algo['id']}", algo["quantity"]
    at_venue = [held[child["name"]] for child in children if child["name"] in held]
    filled = sum((Decimal(row["filled"]) for row in at_venue), Decimal(0))
    least = max(
        algo["smallest"], algo["worth"] / algo["price"] + algo["lot"] if algo["price"] else Decimal(0)
    )
    if filled > quantity:
        found.broken["G1"].append(f"{name} filled {filled} of {quantity}")
    if algo["state"] == "completed" and quantity - filled >= least:
        found.broken["G1"].append(f"{name} is completed with {filled} of {quantity}")
    if algo["state"] not in ENDED:
        found.broken["G4"].append(f"{name} is still {algo['state']}")
    elif any(row["status"] in OPEN_AT_VENUE for row in at_venue):
        found.broken["G4"].append(f"{name} is {algo['state']} and has an order in the book")
    targets = [Decimal(0), *(Decimal(piece["target"]) for piece in algo["plan"])]
    largest = max(after - before for before, after in pairwise(targets))
    most = algo["visible_quantity"] + least if algo["kind"] == "iceberg" else 2 * largest
    found.broken["G4"] += [
        f"{name}: child {child['number']} has {child['quantity']}, more than {most}"
        for child in children
        if child["quantity"] > most
    ]


def _heed_trail(found: AlgoFindings, algo: Row, children: list[Row], trail: list[Row]) -> None:
    """Entries are written under the parent's lock: their order is the order of what happened."""
    name, state, told = f"algo {algo['id']}", "", []
    for entry in trail:
        if entry["kind"] != "algo.child":
            state = STATE_AFTER.get(entry["kind"], entry["kind"].removeprefix("algo."))
            continue
        told.append(int(entry["number"]))
        if state != "running":
            found.broken["G2"].append(f"{name}: child {entry['number']} was made while it was {state}")
    numbers = [child["number"] for child in children]
    if numbers != list(range(1, len(numbers) + 1)) or told != numbers:
        found.broken["G3"].append(f"{name} has the children {numbers}, the trail {told}")
    if state != algo["state"]:
        found.broken["G3"].append(f"{name} is {algo['state']}, in the trail {state}")


def _heed_halts(
    found: AlgoFindings,
    algo: Row,
    children: list[Row],
    trail: list[Row],
    arrived: dict[str, list[float]],
    halts: Sequence[Engaged],
) -> None:
    """From an engage's answer until somebody resumed it, nothing of it reaches the venue that was not under way."""
    resumed = [entry["at"] for entry in trail if entry["kind"] == "algo.resumed"]
    ended = trail[-1]["at"] if algo["state"] in ENDED and trail else float("inf")
    for halt in halts:
        if not halt.concerns(algo) or halt.answered > ended:
            continue
        later = bisect_right(resumed, halt.answered)
        until = resumed[later] if later < len(resumed) else float("inf")
        found.halts_met += 1
        found.broken["G2"] += [
            f"{child['name']} of algo {algo['id']} arrived {at - halt.answered:.3f} s after a halt was answered"
            for child in children
            if child["name"] not in halt.in_flight
            for at in arrived[child["name"]]
            if halt.answered < at < until
        ]


def judge_algos(found: AlgoFindings) -> list[Figure]:
    total = found.states.total()
    ended = ", ".join(f"{number} {state}" for state, number in sorted(found.states.items()))
    children = f"their children; {found.halts_met} times one met a halt"
    return [
        Figure("G", f"algos: {ended}", str(total), "> 0", total > 0),
        Figure("G", children, str(found.children), "> 0", found.children > 0),
        *(count(name, what, found.broken[name]) for name, what in PROMISES.items()),
    ]
