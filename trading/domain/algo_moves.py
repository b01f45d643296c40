"""What an algo does next: a pure function of its plan, its clock and what became of its children.

Whatever is not proven ended counts at its full quantity, so that the children together can never exceed the parent.
What was missed is caught up by at most CATCH_UP times the largest planned slice at a time, and what is left when the
time is over is not dumped on the market. Knows no clock, no row and no venue; whoever carries a move out checks under a
lock that nothing has moved since the view was taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from .algo_plans import PlanSlice, slice_quantities
from .enums import AlgoKind, AlgoState, OrderStatus
from .money import ZERO, add, add_up, multiply, plain, round_to_lot
from .order_states import TERMINAL

CATCH_UP = Decimal(2)
MOST_FAILURES = 5
# Seconds to wait after so many children in a row that came to nothing.
BACK_OFF = tuple(Decimal(seconds) for seconds in (5, 10, 20, 40, 60))
LOOK_AGAIN = Decimal(1)
_PRICE_LOOK = Decimal(2)
# Ended without having been at the venue.
_NOTHING = frozenset({OrderStatus.DENIED, OrderStatus.LAPSED, OrderStatus.REJECTED, OrderStatus.NOT_ACCEPTED})


@dataclass(frozen=True, slots=True)
class ChildView:
    """One child as the rows show it. `ended_ago`: seconds since its end, None while it is alive."""

    number: int
    slice: int
    status: OrderStatus
    quantity: Decimal
    filled: Decimal
    ended_ago: Decimal | None = None
    cancel_asked: bool = False
    why: str = ""

    @property
    def is_alive(self) -> bool:
        return self.status not in TERMINAL

    @property
    def committed(self) -> Decimal:
        """What it has taken of the parent's quantity, or still may."""
        return max(self.quantity, self.filled) if self.is_alive else self.filled

    @property
    def came_to_nothing(self) -> bool:
        return self.status in _NOTHING and self.filled == 0


@dataclass(frozen=True, slots=True)
class AlgoView:
    """`elapsed`: seconds of the algo's own clock. `smallest`: the least base units that the venue takes in one order
    now. `is_beyond`: the market is worse than the algo's price, so that nothing could be taken."""

    kind: AlgoKind
    state: AlgoState
    quantity: Decimal
    plan: tuple[PlanSlice, ...]
    elapsed: Decimal
    children: tuple[ChildView, ...]
    lot_size: Decimal
    smallest: Decimal
    duration: Decimal | None = None
    visible: Decimal | None = None
    forgiven: int = 0
    is_beyond: bool = False

    @property
    def alive(self) -> tuple[ChildView, ...]:
        return tuple(child for child in self.children if child.is_alive)

    @property
    def room(self) -> Decimal:
        """What may still be ordered."""
        return add(self.quantity, -add_up(child.committed for child in self.children))

    @property
    def filled(self) -> Decimal:
        return add_up(child.filled for child in self.children)


@dataclass(frozen=True, slots=True)
class Make:
    """The next child; its number is one more than the view's last."""

    slice: int
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Ask for the end of these children."""

    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again after so many seconds; None: nothing will change by itself."""

    seconds: Decimal | None
    why: str


@dataclass(frozen=True, slots=True)
class Change:
    """The algo's own state moves."""

    state: AlgoState
    reason: str


Move = Make | Withdraw | Wait | Change


def next_move(view: AlgoView) -> Move:
    """Of a living algo."""
    if view.filled >= view.quantity and not view.alive:
        return Change(AlgoState.COMPLETED, _what_is_left(view) if view.filled > view.quantity else "")
    if view.state is AlgoState.CANCELING:
        return _withdraw(view.alive) or Change(AlgoState.CANCELED, _what_is_left(view))
    if view.state is AlgoState.PAUSED:
        return _withdraw(view.alive) or Wait(None, "paused: a person has to resume it")
    if view.duration is not None and view.elapsed >= view.duration:
        return _withdraw(view.alive) or _over(view)
    if view.elapsed < 0:
        return Wait(-view.elapsed, "it has not begun yet")
    if foreign := [child for child in view.children if _is_taken_away(child, view)]:
        return Change(AlgoState.PAUSED, f"child {foreign[-1].number} was canceled, and not by this algo")
    if len(failed := _failures(view)) >= MOST_FAILURES:
        why = f"{len(failed)} children in a row came to nothing; the last was {_described(failed[-1])}"
        return Change(AlgoState.PAUSED, why)
    if view.room < view.smallest:
        return Wait(LOOK_AGAIN, "all of it is ordered") if view.alive else _over(view)
    return _next_of_iceberg(view) if view.kind is AlgoKind.ICEBERG else _next_of_schedule(view)


def _next_of_schedule(view: AlgoView) -> Move:
    due = max(number for number, piece in enumerate(view.plan) if piece.after <= view.elapsed)
    later = view.plan[due + 1].after if due + 1 < len(view.plan) else view.duration
    until_next = add(later or view.elapsed, -view.elapsed)
    tried = [child for child in view.children if child.slice == due and child.number > view.forgiven]
    if tried and not tried[-1].came_to_nothing:
        return Wait(until_next, "the next slice is not due yet")
    if pause := _back_off(view):
        return pause
    largest = max(slice_quantities(view.plan))
    # What the rules were asked about at the start was one slice: after a failure no child is larger than that.
    most = largest if _failures(view) else multiply(largest, CATCH_UP)
    committed = add(view.quantity, -view.room)
    wanted = round_to_lot(min(add(view.plan[due].target, -committed), most, view.room), view.lot_size)
    if view.room <= most and ZERO < add(view.room, -wanted) < view.smallest:
        wanted = view.room  # the rest could never be ordered by itself
    if wanted < view.smallest:
        return Wait(until_next, "what is due is less than the venue takes in one order")
    if view.is_beyond:
        return Wait(min(_PRICE_LOOK, until_next), "the market is beyond its price")
    return Make(due, wanted)


def _next_of_iceberg(view: AlgoView) -> Move:
    if view.alive:
        return Wait(LOOK_AGAIN, f"child {view.alive[0].number} is {_word(view.alive[0].status)}")
    last = view.children[-1] if view.children else None
    if last and last.number > view.forgiven and last.status in (OrderStatus.CANCELED, OrderStatus.EXPIRED):
        return Change(AlgoState.PAUSED, f"child {last.number} was {_described(last)}, and not by this algo")
    if pause := _back_off(view):
        return pause
    wanted = min(view.visible or view.room, view.room)
    if add(view.room, -wanted) < view.smallest:
        wanted = view.room
    return Make(0, wanted)


def _is_taken_away(child: ChildView, view: AlgoView) -> bool:
    """Somebody asked for its end while the algo ran: who takes one out does not want the next one at once."""
    return child.cancel_asked and child.number > view.forgiven and child.filled < child.quantity


def _withdraw(alive: Sequence[ChildView]) -> Move | None:
    """None when nothing is alive any more."""
    if not alive:
        return None
    unasked = tuple(child.number for child in alive if not child.cancel_asked)
    if unasked:
        return Withdraw(unasked)
    return Wait(LOOK_AGAIN, f"child {alive[0].number} is {_word(alive[0].status)}, its cancel was asked for")


def _over(view: AlgoView) -> Change:
    """Nothing is alive and nothing more can be ordered, for want of quantity or of time."""
    if view.room >= view.smallest:
        return Change(AlgoState.EXPIRED, _what_is_left(view))
    left = f"the last {plain(view.room)} are less than the venue takes in one order" if view.room else ""
    if not view.filled:  # the price fell or the venue's minimum rose before its first child
        return Change(AlgoState.EXPIRED, f"nothing filled: {left}")
    return Change(AlgoState.COMPLETED, left)


def _what_is_left(view: AlgoView) -> str:
    return f"{plain(view.filled)} of {plain(view.quantity)} filled"


def _failures(view: AlgoView) -> list[ChildView]:
    """Those at the end, in a row, that came to nothing since a person last looked."""
    failed: list[ChildView] = []
    for child in reversed(view.children):
        if child.number <= view.forgiven or not child.came_to_nothing:
            break
        failed.insert(0, child)
    return failed


def _back_off(view: AlgoView) -> Wait | None:
    failed = _failures(view)
    if not failed:
        return None
    rest = add(BACK_OFF[min(len(failed), len(BACK_OFF)) - 1], -(failed[-1].ended_ago or ZERO))
    return Wait(rest, f"child {failed[-1].number} was {_described(failed[-1])}") if rest > 0 else None


def _described(child: ChildView) -> str:
    return f"{_word(child.status)} ({child.why})" if child.why else _word(child.status)


def _word(status: OrderStatus) -> str:
    return status.value.replace("_", " ")
