"""Takes a due algo's next move. Rows are the queue: `next_action_at` is the only timer; who finds it due claims it.

Any number of runners, on any host, with Redis dead or alive: a move is decided from the rows and checked again under
the parent's lock where it is made, so that a lost race costs a look. One move per step.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, OperationalError
from django.utils import timezone

from trading.domain.algo_moves import (
    LOOK_AGAIN,
    AlgoView,
    Change,
    ChildView,
    Make,
    Move,
    Wait,
    Withdraw,
    next_move,
)
from trading.domain.algo_states import LIVING
from trading.domain.enums import AlgoKind, AlgoState, CancelState, OrderStatus, Side
from trading.domain.errors import IdempotencyConflict, InvalidInput, LeviError, StaleDecision
from trading.domain.money import ZERO, divide, multiply
from trading.failpoints import failpoint
from trading.locking import is_lock_trouble
from trading.market import ensure_price
from trading.models import Algo, AlgoChild, Quote
from trading.queries.algos import clock_of, read_children, read_plan

from ..algo_changes import locked_algo, move_algo
from ..cancellation import request_cancel
from .children import ACTOR, make_child
from .halting import why_stopped
from .planning import least_order

log = logging.getLogger(__name__)
Done = TypeVar("Done")
_CLAIM = timedelta(seconds=5)
# A timer is never set further than this, so that a halt or a clock that changed is seen.
_FARTHEST = Decimal(5)


def run_due_algos(limit: int = 20) -> int:
    """Advance what is due; returns how many algos were claimed."""
    claimed = 0
    due = Algo.objects.filter(
        account__mode=settings.LEVI_MODE, state__in=sorted(LIVING), next_action_at__lte=timezone.now()
    )
    for algo_id, due_at in list(due.order_by("next_action_at").values_list("id", "next_action_at")[:limit]):
        if not _claim(algo_id, due_at):
            continue
        claimed += 1
        failpoint("algos.after_claim")
        try:
            advance_algo(algo_id)
        except LeviError as error:
            log.warning("algo %s: %s", algo_id, error)
        except DatabaseError:
            raise  # not this algo's trouble: the caller reconnects
        except Exception:  # broad: one algo's defect must not keep the others waiting
            log.exception("algo %s could not be advanced", algo_id)
    return claimed


def _claim(algo_id: UUID, due_at: datetime | None) -> bool:
    return bool(
        Algo.objects.filter(pk=algo_id, next_action_at=due_at).update(next_action_at=timezone.now() + _CLAIM)
    )


def advance_algo(algo_id: UUID) -> Move | None:
    """The one next move of this algo. Safe to call at any time, by anybody, any number of times. None: it has ended."""
    algo = Algo.objects.select_related("account", "instrument", "strategy").get(pk=algo_id)
    if algo.state not in LIVING or algo.account.mode != settings.LEVI_MODE:
        return None
    if algo.state == AlgoState.RUNNING:
        stopped = _unless_busy(algo, lambda: _heed_halts(algo))
        if stopped is not None:
            return stopped
    rows = list(read_children(algo))
    move = next_move(view := read_view(algo, rows, now := timezone.now()))
    if isinstance(move, Make) or (view.is_beyond and isinstance(move, Wait)):  # only these rest on the price
        ensure_price(algo.account, algo.instrument)
        rows = list(read_children(algo))  # the question may have taken its time
        move = next_move(read_view(algo, rows, now := timezone.now()))
    failpoint("algos.before_move")
    _unless_busy(algo, lambda: _carry_out(algo, rows, move, seen_at=now))
    _set_timer(algo, move)
    return move


def _unless_busy(algo: Algo, act: Callable[[], Done]) -> Done | None:
    """None where something moved since the look, or somebody holds it for too long: the next look decides anew."""
    try:
        return act()
    except (StaleDecision, IdempotencyConflict) as error:
        log.info("algo %s: %s", algo.pk, error)
    except OperationalError as error:
        if not is_lock_trouble(error):
            raise
        log.info("algo %s is busy elsewhere", algo.pk)
    return None


def _heed_halts(algo: Algo) -> Change | None:
    """Pauses it at a halt; else takes note of the epoch that was found harmless."""
    reason, epoch = why_stopped(algo)
    if reason:
        stopped = Change(AlgoState.PAUSED, f"a halt: {reason}")
        _change(algo, None, stopped)
        return stopped
    if epoch != algo.epoch:
        Algo.objects.filter(pk=algo.pk, epoch=algo.epoch).update(epoch=epoch)
        algo.epoch = epoch
    return None


def read_view(algo: Algo, rows: list[AlgoChild], now: datetime) -> AlgoView:
    instrument = algo.instrument
    quote = Quote.objects.filter(instrument=instrument).first()
    price = algo.price or (quote.last if quote else None)
    return AlgoView(
        kind=AlgoKind(algo.kind),
        state=AlgoState(algo.state),
        quantity=algo.quantity,
        plan=read_plan(algo),
        elapsed=clock_of(algo, now),
        children=tuple(_child_view(row, now) for row in rows),
        lot_size=instrument.lot_size,
        smallest=least_order(instrument, price, is_market=algo.price is None),
        duration=None if algo.duration_seconds is None else Decimal(algo.duration_seconds),
        visible=algo.visible_quantity,
        forgiven=algo.forgiven,
        is_beyond=_is_beyond(algo, quote),
    )


def _child_view(row: AlgoChild, now: datetime) -> ChildView:
    order = row.order
    ended = order.finished_at
    return ChildView(
        number=row.number,
        slice=row.slice,
        status=OrderStatus(order.status),
        quantity=order.exposure_quantity,
        filled=max(order.filled_quantity, order.venue_filled_quantity),
        ended_ago=divide(Decimal((now - ended) // timedelta(milliseconds=1)), Decimal(1000))
        if ended
        else None,
        cancel_asked=order.cancel_state != CancelState.NONE,
        why=order.status_reason,
    )


def _is_beyond(algo: Algo, quote: Quote | None) -> bool:
    """An order that only takes would find nothing. An iceberg rests and waits for the market to come."""
    if algo.price is None or algo.kind == AlgoKind.ICEBERG or quote is None:
        return False
    best = (quote.ask if algo.side == Side.BUY else quote.bid) or quote.last
    return multiply(best - algo.price, Decimal(Side(algo.side).sign)) > ZERO


def _carry_out(algo: Algo, rows: list[AlgoChild], move: Move, *, seen_at: datetime) -> None:
    match move:
        case Make(slice=slice, quantity=quantity):
            try:
                make_child(algo, number=len(rows) + 1, slice=slice, quantity=quantity, seen_at=seen_at)
            except InvalidInput as error:  # its own request does not fit any more, and will not by waiting
                why = f"its child cannot be asked for: {error.message}"
                _change(algo, len(rows), Change(AlgoState.PAUSED, why))
        case Withdraw(numbers=numbers):
            withdraw([row for row in rows if row.number in numbers])
        case Change():
            _change(algo, len(rows), move)
        case Wait():
            pass


def withdraw(rows: list[AlgoChild]) -> None:
    """Ask for the end of these children; one that has ended meanwhile is as good."""
    for row in rows:
        try:
            request_cancel(row.order_id, actor=ACTOR)
        except InvalidInput as error:
            log.info("child %s: %s", row.number, error)
        except OperationalError as error:
            if not is_lock_trouble(error):
                raise
            log.info("child %s is busy; the next step asks again", row.number)


def _change(algo: Algo, children: int | None, move: Change) -> None:
    """Raises StaleDecision where the algo is not any more what the move was decided for."""
    with locked_algo(algo.pk) as locked:
        same = (locked.state, locked.state_since) == (algo.state, algo.state_since)
        if not same or (children is not None and locked.children.count() != children):
            raise StaleDecision("The algo has moved in between.", algo=str(algo.pk))
        move_algo(locked, move.state, reason=move.reason, actor=ACTOR)


def _set_timer(algo: Algo, move: Move) -> None:
    """After a change of state, also by somebody else meanwhile, the timer is the change's; else it is pushed to where
    the move says."""
    if isinstance(move, Change):
        return
    seconds = move.seconds if isinstance(move, Wait) else LOOK_AGAIN
    why = move.why[:300] if isinstance(move, Wait) else ""
    due = None if seconds is None else timezone.now() + _span(min(seconds, _FARTHEST))
    same = Algo.objects.filter(pk=algo.pk, state=algo.state, state_since=algo.state_since)
    same.update(next_action_at=due, waiting_for=why)


def _span(seconds: Decimal) -> timedelta:
    return timedelta(milliseconds=int(multiply(seconds, Decimal(1000))) + 1)
