"""One seed as a row of steps: which verb, on which order, and what the venue answers meanwhile.

The next step is drawn by the state that the double shows, so that a few dozen steps go deep; one in five ignores it.
The venue's truth only grows (accepted, filled piece by piece, ended); a step sees it as it is or as it was.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from tests.chaos.virtual.scenario import ACCOUNTS, STRATEGIES, SYMBOLS
from tests.chaos.virtual.store import OrderRow
from trading.domain.enums import HaltScope, OrderStatus, QuarantineVerdict, Side, TradingState
from trading.domain.enums import VenueOrderStatus as V
from trading.domain.order_states import TERMINAL
from trading.domain.outcomes import (
    CancelAccepted,
    CancelOutcome,
    CancelRefused,
    NotSentOutcome,
    Placed,
    PlaceOutcome,
    Refused,
    Unknown,
)

STEPS = 32
ORDERS = 4
S = OrderStatus


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for an order."""

    index: int
    account: str
    symbol: str
    strategy: str
    side: Side
    quantity: Decimal
    ends_at_once: bool
    reduce_only: bool
    flattens: bool


@dataclass(slots=True)
class Truth:
    """What the venue made of one order. `looks`: its states so far; the first is the one before it was accepted."""

    asked: Asked
    exchange_order_id: str
    looks: list[tuple[V, Decimal] | None] = field(default_factory=lambda: [None])
    fills: list[tuple[str, Decimal, float]] = field(default_factory=list)

    @property
    def is_alive(self) -> bool:
        last = self.looks[-1]
        return last is not None and last[0] in (V.OPEN, V.PARTIALLY_FILLED)

    def accept(self) -> None:
        if self.looks[-1] is None:
            self.looks.append((V.OPEN, Decimal(0)))

    def move(self, r: random.Random, now: float) -> None:
        """A piece is filled, or it ends."""
        last = self.looks[-1]
        if last is None or not self.is_alive:
            return
        if r.random() < 0.2:
            self.end()
            return
        left = self.asked.quantity - last[1]
        piece = left if r.random() < 0.4 else min(left, Decimal(3))
        piece += Decimal(1) if r.random() < 0.02 else 0  # more than was ordered
        filled = last[1] + piece
        self.fills.append((f"{self.exchange_order_id}-{len(self.fills)}", piece, now))
        self.looks.append((V.FILLED if filled >= self.asked.quantity else V.PARTIALLY_FILLED, filled))

    def end(self) -> None:
        last = self.looks[-1]
        if last is not None and self.is_alive:
            self.looks.append((V.CANCELED, last[1]))


@dataclass(frozen=True, slots=True)
class View:
    """What the venue shows of one order during one step."""

    exchange_order_id: str
    seen: tuple[V, Decimal] | None
    fills: tuple[tuple[str, Decimal, float], ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """What the venue answers during one step; None for a question that fails."""

    views: dict[int, View]
    place: PlaceOutcome
    cancel: CancelOutcome
    query_fails: bool = False
    lists_fail: bool = False
    fills_fail: bool = False
    is_refused: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    verb: str
    answers: Answers
    wait: float
    order: int = 0
    asked: Asked | None = None
    scope: tuple[str, str] = ("", "")
    what: str = ""

    def __str__(self) -> str:
        told = {
            "approve": f" {self.asked}",
            "engage": f" {self.scope} {self.what}",
            "release": f" {self.scope} {self.what}",
            "forget": f" the state of {self.scope}",
        }
        of = "" if self.verb in _OF_NO_ORDER else f" {self.order}"
        return (
            f"+{self.wait}s {self.verb}{of}{told.get(self.verb, f' {self.what}'.rstrip())} [{_short(self)}]"
        )


def _short(step: Step) -> str:
    a = step.answers
    views = "; ".join(f"{index}: {view.seen}, {len(view.fills)} fills" for index, view in a.views.items())
    fails = [name for name in ("query_fails", "lists_fail", "fills_fail", "is_refused") if getattr(a, name)]
    return f"place {type(a.place).__name__}, cancel {type(a.cancel).__name__}, {views} {' '.join(fails)}"


_WEIGHTS: dict[S, Sequence[str]] = {
    S.APPROVED: ("dispatch",) * 6 + ("permit",) * 4 + ("advance", "lapse", "cancel"),
    S.SUBMITTING: ("report",) * 5 + ("advance",) * 3 + ("settle", "follow", "cancel", "dispatch"),
    S.IN_DOUBT: ("resolve",) * 6 + ("advance", "advance", "report", "settle", "cancel", "follow", "verdict"),
    S.QUARANTINED: ("verdict",) * 4 + ("resolve",) * 2 + ("advance", "settle", "report", "cancel"),
    S.OPEN: ("follow",) * 4 + ("settle",) * 2 + ("advance",) * 2 + ("cancel", "send_cancel", "send_cancel"),
}
_SENDING = (
    ("dispatch", S.APPROVED),
    ("advance", S.APPROVED),
    ("report", S.SUBMITTING),
    ("report", S.IN_DOUBT),
)
_ENDED = ("settle", "settle", "follow", "report", "advance", "cancel")
_STRAY = ("dispatch", "follow", "send_cancel", "resolve", "advance", "lapse", "verdict", "report", "cancel")
_OF_NO_ORDER = ("approve", "engage", "release", "forget", "limits", "sweep", "poll")
_WAITS = (0.0, 0.0, 0.3, 0.3, 1.1, 2.5, 2.5, 5.0, 19.0, 61.0)


class Schedule:
    """Draws the steps of one seed, one after the other."""

    def __init__(self, seed: int) -> None:
        self.seed, self.random = seed, random.Random(seed)
        self.truths: list[Truth] = []

    def next_step(self, rows: Sequence[OrderRow], sweeps: int, now: float) -> Step:
        r = self.random
        for truth in self.truths:
            if r.random() < 0.25:
                truth.move(r, now)
        wait = r.choice(_WAITS) if r.random() < 0.98 else 920.0
        if not rows or (len(self.truths) < ORDERS and r.random() < 0.25):
            return Step("approve", self._answers(), wait, asked=self._ask(len(self.truths)))
        draw = r.random()
        if draw < 0.16:
            return self._step_of_operators(draw, wait, sweeps)
        index = r.randrange(len(rows))
        status = rows[index].status
        usual = _WEIGHTS.get(status, _ENDED if status in TERMINAL else _WEIGHTS[S.OPEN])
        verb = r.choice(usual if r.random() < 0.8 else _STRAY)
        word = r.choice(tuple(QuarantineVerdict)) if verb == "verdict" else ""
        return Step(verb, self._answers(index, verb, status), wait, index, what=word)

    def _step_of_operators(self, draw: float, wait: float, sweeps: int) -> Step:
        r = self.random
        if draw < 0.03 and sweeps:
            return Step("sweep", self._answers(), wait, r.randrange(sweeps))
        if draw < 0.05:
            return Step("poll", self._answers(), wait)
        if draw < 0.06:
            return Step("limits", self._answers(), wait)
        scope = self._scope()
        if draw < 0.065:
            return Step("forget", self._answers(), wait, scope=scope)
        if draw < 0.11:
            state = TradingState.HALTED if r.random() < 0.6 else TradingState.REDUCING
            return Step("engage", self._answers(), wait, scope=scope, what=state)
        return Step("release", self._answers(), wait, scope=scope, what=r.choice(("seen", "seen", "stale")))

    def _scope(self) -> tuple[str, str]:
        r = self.random
        scope = r.choice((HaltScope.EVERYTHING, HaltScope.ACCOUNT, HaltScope.INSTRUMENT, HaltScope.STRATEGY))
        target = {
            HaltScope.EVERYTHING: "",
            HaltScope.ACCOUNT: ACCOUNTS[0],
            HaltScope.INSTRUMENT: SYMBOLS[0],
            HaltScope.STRATEGY: STRATEGIES[0],
        }[scope]
        return scope, target

    def _ask(self, index: int) -> Asked:
        r = self.random
        sells = index > 0 and r.random() < 0.35
        asked = Asked(
            index,
            ACCOUNTS[r.random() < 0.1],
            SYMBOLS[r.random() < 0.2],
            STRATEGIES[r.random() < 0.5],
            Side.SELL if sells else Side.BUY,
            Decimal(r.choice((3, 6, 12, 18))),
            r.random() < 0.3,
            sells or r.random() < 0.05,
            r.random() < (0.4 if sells else 0.05),
        )
        self.truths.append(Truth(asked, f"X{self.seed}-{index}"))
        return asked

    def _answers(self, index: int = -1, verb: str = "", status: S | None = None) -> Answers:
        r = self.random
        place: PlaceOutcome = r.choice(
            (Placed(""), Placed(""), Placed(""), Unknown("read time-out"), Unknown("HTTP 502"))
        )
        if r.random() < 0.2:
            refused = Refused("30004", "insufficient balance", reached_matching=r.random() < 0.5)
            place = r.choice((refused, NotSentOutcome("connection refused"), NotSentOutcome("no slot")))
        taken = isinstance(place, Placed) or (isinstance(place, Unknown) and r.random() < 0.5)
        if taken and (verb, status) in _SENDING:
            self.truths[index].accept()
        if isinstance(place, Placed) and index >= 0:
            place = Placed(self.truths[index].exchange_order_id)
        cancel: CancelOutcome = r.choice(
            (CancelAccepted(), CancelAccepted(), CancelRefused("-2011", "unknown order"), Unknown("time-out"))
        )
        if verb == "send_cancel" and isinstance(cancel, CancelAccepted):
            self.truths[index].end()
        views = {truth.asked.index: self._view(truth) for truth in self.truths}
        fails = [r.random() < 0.08 for _ in range(3)]
        return Answers(views, place, cancel, *fails, is_refused=r.random() < 0.04)

    def _view(self, truth: Truth) -> View:
        r = self.random
        at = len(truth.looks) - 1 if r.random() < 0.75 else r.randrange(len(truth.looks))
        seen = truth.looks[at]
        if r.random() < 0.01 and seen is not None:
            seen = (V.REJECTED, seen[1])
        shown = list(truth.fills) if r.random() < 0.8 else truth.fills[: r.randint(0, len(truth.fills))]
        if shown and r.random() < 0.2:
            shown = [*shown, r.choice(shown)]  # told twice
            r.shuffle(shown)
        return View(truth.exchange_order_id, seen, tuple(shown))
