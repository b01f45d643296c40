"""What one seed means: a few orders, operators, faults and tunables. Plain data, so that a story can be shrunk.

Every bound that the guarantees assume is kept: processing ≤ 10 s, read lag below the proof's margin, stamps never
early, clocks of one installation within half a second. Within the bounds everything is random.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from decimal import Decimal

from trading.domain.enums import HaltScope, Side, TradingState
from trading.domain.enums import VenueOrderStatus as V

from .venue import Destiny

ACCOUNTS = ("main", "second")
SYMBOLS = ("BTC/USDT", "ETH/USDT")
STRATEGIES = ("grid", "")
OFFICE = ("api", "operator", "operator 2", "sync", "supervisor")
LIMIT = Decimal(24)  # the exposure that each account may have


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happens. `who` is a process; `at` a time in seconds, a step, or a commit by kind."""

    kind: str
    at: float = 0.0
    who: str = ""
    seconds: float = 0.0
    what: str = ""
    amount: float = 0.0
    order: int = 0
    scope: tuple[str, str] = ("", "")

    def __str__(self) -> str:
        return _WORDS[self.kind](self)


@dataclass(frozen=True, slots=True)
class OrderPlan:
    name: str
    at: float
    account: str
    symbol: str
    strategy: str
    quantity: Decimal
    ends_at_once: bool
    life: float
    destiny: Destiny
    aged: float = 0.0  # rests at the venue since so many seconds when the story begins
    held: bool = False  # was filled and booked long before: a position
    side: Side = Side.BUY
    reduce_only: bool = False
    flattens: bool = False  # asked for by the flatten verb
    number: int = 0  # 128 bits, for the client order id


@dataclass(frozen=True, slots=True)
class Tunables:
    workers: int = 2
    poll: float = 0.5
    sync: float = 10.0
    lease: float = 20.0
    timeout: float = 5.0
    trip: float = 0.03
    step: float = 0.002
    read_lag: float = 0.0
    lag_floor: float = 0.0  # the part of the lag that every read has
    fill_lag: float = 0.0
    stamp_late: float = 0.0
    bell_loss: float = 0.0
    bell_doubling: float = 0.0
    bell_delay: float = 0.01
    skew: float = 0.0
    hosts: int = 1
    recognises_repeats: bool = False
    prepare: float = 0.0  # between permit and write: signing, a lost connection that is dialled again


@dataclass(slots=True)
class Scenario:
    seed: int
    tunables: Tunables
    orders: list[OrderPlan] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    @property
    def calm_from(self) -> float:
        """After this instant nothing bad begins any more."""
        times = [order.at for order in self.orders]
        return max(
            [*times, *(event.at + event.seconds for event in self.events if event.kind not in BY_STEP)],
            default=0.0,
        )


BY_STEP = ("crash", "pause", "stall", "hold", "zombie", "alarm", "commit")
_SCOPES = (HaltScope.EVERYTHING, HaltScope.ACCOUNT, HaltScope.INSTRUMENT, HaltScope.STRATEGY)


def make_plain_scenario(seed: int, generator: random.Random) -> Scenario:
    r = generator
    tunables = _tunables(r)
    scenario = Scenario(seed, tunables)
    scenario.orders = [_order(r, index) for index in range(r.choice((1, 1, 2, 2, 3)))]
    if r.random() < 0.2:
        _sell_what_is_held(r, scenario.orders)
    names = [*(f"worker {n + 1}" for n in range(tunables.workers)), *OFFICE]
    scenario.events = _operators(r, scenario.orders)
    instants = [order.at for order in scenario.orders] + [event.at for event in scenario.events]
    for _ in range(r.choice((0, 1, 1, 2, 2, 3))):
        at = r.choice(instants) + r.random() * r.choice((0.1, 1.0, 4.0))
        scenario.events.append(_fault(r, round(at, 3), names, scenario.orders))
    return scenario


def _tunables(r: random.Random) -> Tunables:
    timeout = r.choice((1.0, 2.0, 5.0, 9.0))
    return Tunables(
        workers=r.choice((2, 2, 3)),
        poll=r.choice((0.5, 1.0)),
        sync=r.choice((5.0, 10.0)),
        lease=r.choice((max(timeout + 3.0, 6.0), 20.0)),
        timeout=timeout,
        trip=r.choice((0.002, 0.03, 0.03, 0.2)),
        step=r.choice((0.001, 0.004, 0.02, 0.1)),
        read_lag=r.choice((0.0, 0.0, 0.5, 3.0)),
        lag_floor=r.choice((0.0, 0.0, 0.9)),
        fill_lag=r.choice((0.0, 0.0, 0.5, 4.0)),
        stamp_late=r.choice((0.0, 0.05, 0.3)),
        bell_loss=r.choice((0.0, 0.0, 0.3, 1.0)),
        bell_doubling=r.choice((0.0, 0.0, 0.5, 1.0)),
        bell_delay=r.choice((0.01, 0.01, 2.0)),
        skew=r.choice((0.0, 0.0, 0.4)),
        hosts=r.choice((1, 2)),
        recognises_repeats=r.random() < 0.3,
        prepare=r.choice((0.0, 0.0, 0.3, 0.9, 1.6)),
    )


def _order(r: random.Random, index: int) -> OrderPlan:
    at_once = r.random() < 0.3
    quantity = Decimal(r.choice((6, 12, 18)))
    aged = 0.0 if at_once or r.random() < 0.75 else r.choice((20.0, 100.0))
    return OrderPlan(
        name="ABC"[index],
        at=round(r.random() * 4, 3),
        account=ACCOUNTS[r.random() < 0.15],
        symbol=SYMBOLS[r.random() < 0.25],
        strategy=STRATEGIES[r.random() < 0.4],
        quantity=quantity,
        ends_at_once=at_once,
        life=10.0 if at_once else 60.0,
        destiny=_destiny(r, quantity, at_once, aged),
        aged=aged,
        number=r.getrandbits(128),
    )


def _sell_what_is_held(r: random.Random, orders: list[OrderPlan]) -> None:
    """A position, and reduce-only orders that want to sell of it, perhaps more than there is."""
    first = replace(orders[0], aged=0.0, held=True, at=0.0, ends_at_once=False, destiny=Destiny())
    orders[0] = first
    for index, plan in enumerate(orders[1:] or [replace(_order(r, 1), aged=0.0)], start=1):
        same = {"account": first.account, "symbol": first.symbol, "aged": 0.0}
        orders[index:] = [replace(plan, **same, side=Side.SELL, reduce_only=True), *orders[index + 1 :]]


def _destiny(r: random.Random, quantity: Decimal, at_once: bool, aged: float) -> Destiny:
    processing = r.choice((0.002, 0.01, 0.05, 0.05, 0.3, 3.0, 9.5))
    if not aged and r.random() < 0.07:
        return Destiny(processing, is_refused=True)
    if at_once:
        part = quantity if r.random() < 0.7 else quantity / 2
        return Destiny(processing, ((0.0, part),), ends_as=None if part == quantity else V.CANCELED)
    if r.random() < 0.4:
        return Destiny(processing)
    pieces = r.choice((1, 2, 3))
    filled = r.choice((1, 1, pieces))  # may stay partly filled
    fills = tuple((round(r.random() * r.choice((0.2, 6.0)), 3), quantity / pieces) for _ in range(filled))
    return Destiny(processing, fills if pieces > 1 or r.random() < 0.8 else ())


def _fault(r: random.Random, at: float, names: list[str], orders: list[OrderPlan]) -> Event:
    kind = r.choice(_FAULTS)
    who = names[0] if r.random() < 0.35 else r.choice(names)
    if kind == "crash":
        return Event(kind, r.randint(1, 60), who, r.choice((0.2, 1.0, 5.0)))
    if kind == "pause":
        return Event(kind, r.randint(1, 60), who, r.choice((0.3, 1.2, 3.0, 7.0, 25.0)))
    if kind in ("stall", "hold", "zombie"):
        return Event(kind, 0, f"worker {r.randint(1, 2)}", r.choice((0.5, 2.0, 6.0, 25.0)))
    if kind == "commit":
        return Event(kind, r.randint(1, 12), who, what=r.choice(("done", "undone")))
    if kind in ("lose", "slow"):
        what = f"{r.choice(('out', 'back'))} {r.choice(('place', 'place', 'read', 'cancel', 'all'))}"
        return Event(
            kind, at, seconds=r.choice((0.5, 3.0, 15.0)), what=what, amount=r.choice((0.5, 2.0, 8.0, 30.0))
        )
    if kind in ("database", "bells"):
        return Event(kind, at, seconds=r.choice((0.3, 2.0, 8.0)))
    if kind == "outage":
        return Event(
            kind, at, seconds=r.choice((0.5, 3.0, 20.0, 60.0)), what=r.choice(("errs", "does it and errs"))
        )
    if kind == "refuse":
        return Event(kind, at, seconds=r.choice((0.3, 2.0)))
    if kind == "forge":
        task = r.choice(("dispatch_order", "follow_order", "cancel_order", "follow_order"))
        return Event(kind, at, what=task, order=r.randrange(len(orders)), amount=r.choice((1, 4, 8)))
    return Event("missing scope", scope=(HaltScope.INSTRUMENT, r.choice(orders).symbol))


_FAULTS = (
    *("crash", "crash", "crash", "pause", "pause", "stall", "hold", "commit", "lose", "lose"),
    *("lose", "slow", "outage", "outage", "refuse", "forge", "forge", "missing scope"),
    *("zombie", "zombie", "database", "bells"),
)


def _operators(r: random.Random, orders: list[OrderPlan]) -> list[Event]:
    events: list[Event] = []
    if r.random() < 0.6:
        near = orders[0].at + r.random() * 1.5 if r.random() < 0.5 else r.random() * 5
        at = round(near, 3)
        scope = scope_of(r, orders)
        state = TradingState.HALTED if r.random() < 0.85 else TradingState.REDUCING
        events.append(Event("engage", at, "operator", what=state, scope=scope))
        if r.random() < 0.6:
            events.append(Event("release", at + round(r.random() * 4, 3), "operator", scope=scope))
        if r.random() < 0.2:
            again = at + round(r.random() * 5, 3)
            events.append(Event("engage", again, "operator 2", what=TradingState.HALTED, scope=scope))
    if r.random() < 0.35:
        order = r.randrange(len(orders))
        at = orders[order].at + round(r.random() * r.choice((0.3, 5.0)), 3)
        events.append(Event("cancel", at, "api", order=order))
    if r.random() < 0.15:
        events.append(Event("limits", round(r.random() * 5, 3), "operator"))
    return events


def scope_of(r: random.Random, orders: list[OrderPlan]) -> tuple[str, str]:
    scope, order = r.choice(_SCOPES), orders[0]
    target = {
        HaltScope.EVERYTHING: "",
        HaltScope.ACCOUNT: order.account,
        HaltScope.INSTRUMENT: order.symbol,
        HaltScope.STRATEGY: order.strategy or STRATEGIES[0],
    }[scope]
    return scope, target


_WORDS = {
    "crash": lambda e: f"{e.who} is killed at its step {e.at:.0f} and starts again after {e.seconds} s",
    "pause": lambda e: f"{e.who} is stopped at its step {e.at:.0f} for {e.seconds} s",
    "stall": lambda e: f"{e.who} is stopped between its last check and the write, for {e.seconds} s",
    "hold": lambda e: f"{e.who} is stopped while its permit holds the halt lock, for {e.seconds} s",
    "zombie": lambda e: f"{e.who} is stopped with the answer in hand, for {e.seconds} s",
    "database": lambda e: f"at t={e.at}s the database is restarted and away for {e.seconds} s",
    "bells": lambda e: f"from t={e.at}s for {e.seconds} s the broker is away",
    "verdict": lambda e: f"at t={e.at}s {e.who} says of a quarantined order: {e.what}",
    "alarm": lambda e: f"the answer to the commit of an alarm by {e.who} is lost (it was {e.what})",
    "commit": lambda e: f"the answer to commit {e.at:.0f} of {e.who} is lost (it was {e.what})",
    "lose": lambda e: f"from t={e.at}s for {e.seconds} s the network loses: {e.what}",
    "slow": lambda e: f"from t={e.at}s for {e.seconds} s the network adds {e.amount} s to: {e.what}",
    "outage": lambda e: f"from t={e.at}s for {e.seconds} s the venue {e.what} with HTTP 502",
    "refuse": lambda e: f"from t={e.at}s for {e.seconds} s no connection to the venue can be had",
    "forge": lambda e: f"at t={e.at}s a stray message {e.what} arrives ({e.amount:.0f} times)",
    "missing scope": lambda e: f"the halt state of {e.scope[0]} {e.scope[1]} is missing",
    "engage": lambda e: f"at t={e.at}s {e.who} sets {e.scope[0]} {e.scope[1]} to {e.what}",
    "release": lambda e: f"at t={e.at}s {e.who} releases {e.scope[0]} {e.scope[1]}",
    "cancel": lambda e: f"at t={e.at}s a client asks to cancel an order",
    "limits": lambda e: f"at t={e.at}s {e.who} changes the risk limits",
}
