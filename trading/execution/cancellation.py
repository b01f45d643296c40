"""Cancel one, cancel many, confirm. Nothing may stop a cancel: no halt, no mode, no approval.

The request is written first (it survives any crash), then sent; the venue's acceptance of a cancel is no proof, so the
order is looked at until the venue shows its end. A refusal such as "unknown order" often means already filled: the
follower finds out. Sending a cancel twice is harmless.
"""

from __future__ import annotations

import logging
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from trading import audit
from trading.connections import exchange_for
from trading.domain.actors import Actor, system_actor
from trading.domain.enums import AlgoState, CancelScope, CancelState, OrderOrigin, OrderStatus
from trading.domain.errors import InvalidInput, LeviError, UnknownName
from trading.domain.order_states import TERMINAL, WORKING
from trading.domain.outcomes import CancelOutcome
from trading.domain.steps import cancel_state_after, may_send_cancel
from trading.doorbell import ring
from trading.failpoints import failpoint
from trading.locking import lock_order
from trading.models import Algo, ExchangeAccount, Instrument, Order

from .algo_changes import StoppedAlgos, stop_algos
from .changes import add_evidence, move_order, order_data, set_fields

log = logging.getLogger(__name__)
SENDER = system_actor("canceller")


def request_cancel(order_id: UUID, *, actor: Actor) -> Order:
    """Ask for an order's end. An order that was never sent ends at once. Raises UnknownName, InvalidInput."""
    with transaction.atomic(durable=True):
        try:
            order = lock_order(order_id)
        except Order.DoesNotExist:
            raise UnknownName(f"There is no order {order_id}.", code="unknown_order") from None
        if order.status in TERMINAL:
            raise InvalidInput(
                f"Order {order.client_order_id} is already {order.status}.",
                remedy="There is nothing left to cancel.",
                code="order_is_final",
                status=order.status,
            )
        if order.status == OrderStatus.APPROVED:
            move_order(
                order,
                OrderStatus.LAPSED,
                actor=actor,
                reason="canceled before it was sent",
                cancel_state=CancelState.CONFIRMED,
            )
        elif order.cancel_state != CancelState.REQUESTED or order.status in WORKING:
            _mark_requested(order, actor=actor)  # asking again sends again, which is harmless
        failpoint("cancellation.before_request_commit")
    failpoint("cancellation.after_request_commit")
    return order


def _mark_requested(order: Order, *, actor: Actor) -> None:
    """The caller holds the lock. A submitting or doubtful order is canceled as soon as the venue shows it."""
    due = {"next_action_at": timezone.now()} if order.status in WORKING else {}
    set_fields(order, cancel_state=CancelState.REQUESTED, **due)
    audit.record(
        "cancel.requested", actor=actor, object_type="order", object_id=order.id, data=order_data(order)
    )
    if order.status in WORKING:
        ring("cancel_order", order.id)


def send_cancel(order_id: UUID) -> CancelOutcome | None:
    """Send the requested cancel to the venue now. None: nothing to cancel there, or nobody asked (a stray message)."""
    order = Order.objects.select_related("account", "instrument").get(pk=order_id)
    if not may_send_cancel(OrderStatus(order.status), CancelState(order.cancel_state)):
        return None
    failpoint("cancellation.before_send")
    outcome = exchange_for(order.account).cancel_order(
        order.instrument.venue_symbol,
        client_order_id=order.client_order_id,
        exchange_order_id=order.exchange_order_id,
    )
    failpoint("cancellation.after_send")
    with transaction.atomic(durable=True):
        locked = lock_order(order_id)
        if locked.status in WORKING:
            _note_cancel(locked, outcome)
    return outcome


def _note_cancel(order: Order, outcome: CancelOutcome) -> None:
    set_fields(order, cancel_state=cancel_state_after(outcome), next_action_at=timezone.now())
    note_sent_cancel(order, outcome)
    ring("follow_order", order.id)


def note_sent_cancel(order: Order, outcome: CancelOutcome) -> None:
    """What became of it, beside whatever it changes. The caller is in a transaction."""
    kind = type(outcome).__name__
    detail = getattr(outcome, "reason", "") or getattr(outcome, "venue_code", "")
    add_evidence(order, "cancel", kind, detail=detail)
    audit.record(
        "cancel.sent",
        actor=SENDER,
        object_type="order",
        object_id=order.id,
        data=order_data(order, outcome=kind, detail=detail),
    )


def cancel_all(
    scope: CancelScope, *, account: str | None = None, symbol: str | None = None, actor: Actor
) -> dict[str, object]:
    """Request the cancel of all our live orders; scope "everything" also asks the venue to clear the account. Algos of
    these accounts and this symbol are canceled first, so that none makes another order behind it."""
    accounts = _accounts_named(account)
    if symbol:
        _check_symbol(symbol)
    algos = Algo.objects.filter(account__in=accounts)
    if symbol:
        algos = algos.filter(instrument__symbol=symbol.upper())
    ended = _end_algos(algos, actor=actor)
    orders = Order.objects.filter(account__in=accounts).exclude(status__in=TERMINAL)
    if scope is CancelScope.OURS:
        orders = orders.exclude(origin=OrderOrigin.EXTERNAL)
    if symbol:
        orders = orders.filter(instrument__symbol=symbol.upper())
    requested = []
    for order_id in orders.values_list("id", flat=True):
        try:
            request_cancel(order_id, actor=actor)
        except InvalidInput:
            continue  # it ended between the list and the lock
        requested.append(str(order_id))
    if ended.busy:  # the cancels did not wait for it; now there is time for another try
        again = _end_algos(Algo.objects.filter(pk__in=ended.busy), actor=actor)
        ended = StoppedAlgos([*ended.stopped, *again.stopped], again.busy)
    stopped = {
        "algos": [str(pk) for pk in ended.stopped],
        "algos_not_stopped": [str(pk) for pk in ended.busy],
    }
    venue = (
        [_clear_account(row, symbol, actor=actor) for row in accounts]
        if scope is CancelScope.EVERYTHING
        else []
    )
    with transaction.atomic(durable=True):
        audit.record(
            "cancel.all",
            actor=actor,
            object_type="account",
            object_id=account or "all",
            data={
                "scope": scope,
                "symbol": symbol or "",
                "requested": len(requested),
                "venue": venue,
                **stopped,
            },
        )
    return {
        "scope": scope.value,
        "requested": len(requested),
        "orders": requested,
        "venue": venue,
        **stopped,
    }


def _end_algos(algos: QuerySet[Algo], *, actor: Actor) -> StoppedAlgos:
    return stop_algos(algos, AlgoState.CANCELING, reason="all orders are canceled", actor=actor)


def _accounts_named(name: str | None) -> list[ExchangeAccount]:
    """Of the mode that runs: an account of another one is not reached, whatever is asked of it."""
    accounts = ExchangeAccount.objects.filter(mode=settings.LEVI_MODE)
    found = list(accounts.filter(name=name) if name else accounts)
    if name and not found:
        raise UnknownName(
            f"Unknown account {name!r} in {settings.LEVI_MODE} mode.", code="unknown_account", field="account"
        )
    return found


def _check_symbol(symbol: str) -> None:
    if not Instrument.objects.filter(symbol=symbol.upper()).exists():
        raise UnknownName(f"Unknown symbol {symbol!r}.", code="unknown_symbol", field="symbol")


def _clear_account(account: ExchangeAccount, symbol: str | None, *, actor: Actor) -> dict[str, str]:
    venue_symbol = None
    if symbol:
        row = Instrument.objects.filter(
            venue=account.venue, environment=account.environment, symbol=symbol.upper()
        )
        venue_symbol = row.values_list("venue_symbol", flat=True).first()
        if venue_symbol is None:  # never ask for all because one cannot be named
            return {"account": account.name, "outcome": "not_listed", "detail": f"no {symbol.upper()} here"}
    try:
        outcome = exchange_for(account).cancel_all(venue_symbol)
    except LeviError as error:
        log.warning("cancel all on %s: %s", account.name, error)
        return {"account": account.name, "outcome": error.code, "detail": error.message}
    ring("sync_account", account.id)
    detail = getattr(outcome, "reason", "") or getattr(outcome, "message", "")
    return {"account": account.name, "outcome": type(outcome).__name__, "detail": detail}
