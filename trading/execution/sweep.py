"""The sweep that follows a halt: cancel what is open, look, repeat, until it is proven empty or time is up.

CLEAN is claimed only with proof: two successive complete and empty open-order lists of every account in scope, both
asked after the last instant at which a venue could accept something sent before the halt, and nothing of ours alive in
our books: not submitting, not in doubt, not open (the rule is `domain.clean`). Otherwise the verdict is an itemised
report of what survives. Cancels are idempotent, so two processes may sweep at once; the lease only saves requests. Uses
neither Redis nor Celery.

A narrow halt reaches as far as its scope also where everything is to be canceled: an instrument's orders by its symbol
at the venue, a strategy's by ours of that strategy.

An order approved after the halt (a flattening one, or any after a release) is none of the sweep's business: a release
does not end the sweep, but from then on only what was approved before the halt is canceled.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from trading import audit
from trading.connections import exchange_for
from trading.domain.actors import system_actor
from trading.domain.clean import AccountLook, count_clean_rounds, is_clean
from trading.domain.client_order_id import is_ours
from trading.domain.enums import CancelScope, CancelState, HaltScope, OrderOrigin, OrderStatus, TradingState
from trading.domain.errors import LeviError
from trading.domain.order_states import TERMINAL, UNRESOLVED, WORKING
from trading.domain.outcomes import OrderReport
from trading.exchanges.base import Exchange
from trading.failpoints import failpoint
from trading.locking import lock_order
from trading.metrics import HALT_SECONDS
from trading.models import ExchangeAccount, HaltState, Instrument, Order, Sweep, SweepVerdict
from trading.process_name import process_name

from .cancellation import note_sent_cancel, send_cancel
from .changes import set_fields
from .dispatch import lapse_if_void
from .dispatch_limits import LAST_ACCEPTANCE
from .following import follow_order
from .foreign import take_in
from .in_doubt import resolve_order

log = logging.getLogger(__name__)
ACTOR = system_actor("sweep")

LONGEST = timedelta(minutes=5)
_LEASE = timedelta(seconds=15)
_THREADS = 4
_PAUSES = (0.3, 0.5, 1.0, 1.0, 2.0)
Report = dict[str, dict[str, Any]]


def claim_sweep(sweep_id: UUID) -> Sweep | None:
    """Take or renew the lease of a running sweep; None if it ended or somebody else has it."""
    now = timezone.now()
    free = Q(leased_until__isnull=True) | Q(leased_until__lt=now) | Q(leased_by=process_name())
    claimed = Sweep.objects.filter(free, pk=sweep_id, verdict=SweepVerdict.RUNNING).update(
        leased_until=now + _LEASE, leased_by=process_name()
    )
    return Sweep.objects.select_related("change").get(pk=sweep_id) if claimed else None


def waiting_sweeps(*, for_seconds: int = 0) -> list[UUID]:
    """Running sweeps that nobody works on, and that have waited for so long at least."""
    now = timezone.now()
    free = Q(leased_until__isnull=True) | Q(leased_until__lt=now)
    waiting = Sweep.objects.filter(
        free, verdict=SweepVerdict.RUNNING, engaged_at__lte=now - timedelta(seconds=for_seconds)
    )
    return list(waiting.values_list("id", flat=True))


def run_sweep(sweep_id: UUID, *, progress: Callable[[Sweep], None] | None = None) -> Sweep:
    """Sweep to the verdict. Returns the row; still `running` if another process has the lease."""
    clean_rounds = 0
    while True:
        sweep = claim_sweep(sweep_id)
        if sweep is None:
            return Sweep.objects.select_related("change").get(pk=sweep_id)
        failpoint("sweep.after_claim")
        # The instant before the questions, not after the answers: a list asked too early proves nothing.
        round_began, proof = timezone.now(), sweep.engaged_at + LAST_ACCEPTANCE
        report = _one_round(sweep)
        looks = [_as_look(seen) for seen in report.values()]
        clean_rounds = count_clean_rounds(clean_rounds, looks, round_began, proof)
        _note_empty(sweep, is_empty=all(look.is_empty for look in looks))
        # A round that is clean deserves its second look, also when the sweep began late.
        late = timezone.now() >= sweep.engaged_at + LONGEST and clean_rounds == 0
        if is_clean(clean_rounds) or late:
            verdict = SweepVerdict.CLEAN if is_clean(clean_rounds) else SweepVerdict.SURVIVORS
            failpoint("sweep.before_verdict")
            return _finish(sweep, report, verdict)
        Sweep.objects.filter(pk=sweep.pk).update(rounds=sweep.rounds + 1, report=report)
        if progress:
            progress(sweep)
        time.sleep(_PAUSES[min(sweep.rounds, len(_PAUSES) - 1)])


def _note_empty(sweep: Sweep, *, is_empty: bool) -> None:
    """Since when nothing was seen; said to whoever watches, and no proof."""
    if is_empty == (sweep.emptied_at is not None):
        return
    sweep.emptied_at = timezone.now() if is_empty else None
    Sweep.objects.filter(pk=sweep.pk).update(emptied_at=sweep.emptied_at)


def _in_scope(sweep: Sweep) -> QuerySet[Order]:
    orders = Order.objects.select_related("account", "instrument", "strategy")
    scope, target = sweep.change.scope, sweep.change.target
    narrow = {
        HaltScope.ACCOUNT: {"account__name": target},
        HaltScope.INSTRUMENT: {"instrument__symbol": target},
        HaltScope.STRATEGY: {"strategy__name": target},
    }.get(HaltScope(scope), {})
    before = Q(approved_epoch__isnull=True) | Q(approved_epoch__lt=sweep.change.epoch)
    return orders.filter(before, **narrow)


def _accounts(sweep: Sweep) -> list[ExchangeAccount]:
    accounts = ExchangeAccount.objects.filter(mode=settings.LEVI_MODE)
    if sweep.change.scope == HaltScope.ACCOUNT:
        accounts = accounts.filter(name=sweep.change.target)
    return list(accounts)


def _one_round(sweep: Sweep) -> Report:
    """Cancel, lapse, resolve, then look: what each account still shows. A void approval is sent by nobody and can wait;
    an open order can be filled while it waits."""
    _cancel_ours(sweep)
    for order in _in_scope(sweep).filter(status=OrderStatus.APPROVED):
        lapse_if_void(order)
    for order in _in_scope(sweep).filter(status__in=[OrderStatus.IN_DOUBT, OrderStatus.QUARANTINED]):
        if order.next_action_at is None or order.next_action_at <= timezone.now():
            _guarded(resolve_order, order.id)
    failpoint("sweep.before_look")
    return {account.name: _look(sweep, account) for account in _accounts(sweep)}


def _cancel_ours(sweep: Sweep) -> None:
    """Send the cancels that were not sent yet; look at the orders whose cancel the venue took."""
    orders = _in_scope(sweep).filter(status__in=WORKING).exclude(origin=OrderOrigin.EXTERNAL)
    states = dict(orders.values_list("id", "cancel_state"))
    sent = [order_id for order_id, state in states.items() if state == CancelState.SENT]
    unsent = [order_id for order_id in states if order_id not in set(sent)]
    if unsent:
        _note_first_cancel(sweep)
        sweep.cancels_sent += len(unsent)
        Sweep.objects.filter(pk=sweep.pk).update(cancels_sent=sweep.cancels_sent)
    _in_threads(_cancel, unsent)
    _in_threads(follow_order, sent)


def _note_first_cancel(sweep: Sweep) -> None:
    if sweep.first_cancel_at is None:
        sweep.first_cancel_at = timezone.now()
        Sweep.objects.filter(pk=sweep.pk, first_cancel_at__isnull=True).update(
            first_cancel_at=sweep.first_cancel_at
        )
        HALT_SECONDS.labels("first_cancel").observe(
            (sweep.first_cancel_at - sweep.engaged_at).total_seconds()
        )


def _in_threads(step: Callable[[UUID], object], order_ids: list[UUID]) -> None:
    """A few at a time; each thread has a database connection of its own and ends it."""

    def run(share: list[UUID]) -> None:
        try:
            for order_id in share:
                _guarded(step, order_id)
        finally:
            connection.close()

    shares = [share for at in range(_THREADS) if (share := order_ids[at::_THREADS])]
    if shares:
        with ThreadPoolExecutor(len(shares)) as pool:
            list(pool.map(run, shares))


def _cancel(order_id: UUID) -> None:
    with transaction.atomic(durable=True):
        order = lock_order(order_id)
        if order.status in WORKING and order.cancel_state == CancelState.NONE:
            set_fields(order, cancel_state=CancelState.REQUESTED)
    send_cancel(order_id)


def _guarded(step: Callable[[UUID], object], order_id: UUID) -> None:
    """One order's trouble must not stop the sweep of the others."""
    try:
        step(order_id)
    except LeviError as error:
        log.warning("sweep: order %s: %s", order_id, error)


def _look(sweep: Sweep, account: ExchangeAccount) -> dict[str, Any]:
    """What the account shows now; `unasked` says why it could not be asked, which is never taken for empty."""
    alive = _in_scope(sweep).filter(account=account, status__in=UNRESOLVED | WORKING)
    unresolved = alive.exclude(origin=OrderOrigin.EXTERNAL)  # a list may lag behind what we know to be open
    seen: dict[str, Any] = {"unresolved": list(unresolved.values_list("client_order_id", flat=True)[:200])}
    symbol = _venue_symbol(sweep, account)
    try:
        exchange = exchange_for(account)
        everything = sweep.cancel_scope == CancelScope.EVERYTHING and _is_still_halted(sweep)
        if everything:
            _clear(exchange, HaltScope(sweep.change.scope), symbol)
        reports = exchange.fetch_open_orders(urgent=True)
    except LeviError as error:
        return {**seen, "unasked": error.message, "open": [], "foreign": 0}
    later = _approved_later(sweep, reports)
    mine = [
        report
        for report in reports
        if report.client_order_id not in later and _counts(sweep, report, symbol, everything=everything)
    ]
    _take_in_lost(account, mine)
    _cancel_ended(sweep, account, exchange, mine)
    return {
        **seen,
        "open": _names(account, mine)[:200],
        "foreign": len(reports) - len(mine),
    }


def _venue_symbol(sweep: Sweep, account: ExchangeAccount) -> str:
    """What the halted instrument is called at this account's venue; empty for any other scope, or not listed there."""
    if sweep.change.scope != HaltScope.INSTRUMENT:
        return ""
    listed = Instrument.objects.filter(venue=account.venue, environment=account.environment)
    return listed.filter(symbol=sweep.change.target).values_list("venue_symbol", flat=True).first() or ""


def _clear(exchange: Exchange, scope: HaltScope, symbol: str) -> None:
    """Also what is not ours, as far as the halt reaches. Nobody else's orders belong to a strategy: its own are
    canceled one by one. Never all of an account because a symbol cannot be named."""
    if scope in (HaltScope.EVERYTHING, HaltScope.ACCOUNT):
        exchange.cancel_all()
    elif symbol:
        exchange.cancel_all(symbol)


def _names(account: ExchangeAccount, reports: list[OrderReport]) -> list[str]:
    """What to look for at the venue. A second order under a name of ours is told apart by the venue's id."""
    ids = [report.exchange_order_id for report in reports]
    rows = Order.objects.filter(account=account, exchange_order_id__in=ids)
    known = dict(rows.values_list("exchange_order_id", "client_order_id"))
    return [
        report.exchange_order_id
        if not report.client_order_id
        else report.client_order_id
        if known.get(report.exchange_order_id, report.client_order_id) == report.client_order_id
        else f"{report.client_order_id} a second time (venue id {report.exchange_order_id})"
        for report in reports
    ]


def _take_in_lost(account: ExchangeAccount, reports: list[OrderReport]) -> None:
    """Open at the venue and not alive in our books: taken in here, so that the next round cancels it."""
    alive = Order.objects.filter(account=account).exclude(status__in=TERMINAL)
    ids = alive.filter(exchange_order_id__in=[report.exchange_order_id for report in reports])
    known = set(ids.values_list("exchange_order_id", flat=True))
    unnamed = alive.filter(
        client_order_id__in=[report.client_order_id for report in reports], exchange_order_id=""
    )
    names = set(unnamed.values_list("client_order_id", flat=True))
    lost = [
        report
        for report in reports
        if report.exchange_order_id not in known and report.client_order_id not in names
    ]
    take_in(account, lost)


def _cancel_ended(
    sweep: Sweep, account: ExchangeAccount, exchange: Exchange, reports: list[OrderReport]
) -> None:
    """Open at the venue and ended in our books for good, by a person's word or by the venue's own. If it is only the
    list that is old, the venue refuses, which is harmless."""
    ids = [report.exchange_order_id for report in reports]
    ended = Order.objects.filter(account=account, exchange_order_id__in=ids, status__in=TERMINAL)
    for order in ended.select_related("instrument"):
        _note_first_cancel(sweep)
        outcome = exchange.cancel_order(
            order.instrument.venue_symbol, exchange_order_id=order.exchange_order_id
        )
        with transaction.atomic(durable=True):
            note_sent_cancel(order, outcome)


def _is_still_halted(sweep: Sweep) -> bool:
    """After a release other people's orders are left alone again."""
    change = sweep.change
    return HaltState.objects.filter(
        scope=change.scope, target=change.target, state=TradingState.HALTED
    ).exists()


def _approved_later(sweep: Sweep, reports: list[OrderReport]) -> set[str]:
    ids = [report.client_order_id for report in reports if report.client_order_id]
    later = Order.objects.filter(client_order_id__in=ids, approved_epoch__gte=sweep.change.epoch)
    return set(later.values_list("client_order_id", flat=True))


def _counts(sweep: Sweep, report: OrderReport, symbol: str, *, everything: bool) -> bool:
    """Whether an open order at the venue is the sweep's business."""
    scope = sweep.change.scope
    if scope == HaltScope.INSTRUMENT and report.symbol != symbol:
        return False  # by the venue's symbol: the database may not know the order
    if everything and scope != HaltScope.STRATEGY:
        return True
    if not is_ours(report.client_order_id, settings.INSTANCE_ID):
        return False
    return (
        scope != HaltScope.STRATEGY
        or _in_scope(sweep).filter(client_order_id=report.client_order_id).exists()
    )


def _as_look(seen: dict[str, Any]) -> AccountLook:
    return AccountLook(not seen.get("unasked"), len(seen["open"]), len(seen["unresolved"]))


def _survivors(report: Report) -> dict[str, dict[str, Any]]:
    return {name: seen for name, seen in report.items() if not _as_look(seen).is_empty}


def _finish(sweep: Sweep, report: Report, verdict: SweepVerdict) -> Sweep:
    now = timezone.now()
    with transaction.atomic(durable=True):
        ended = Sweep.objects.filter(pk=sweep.pk, verdict=SweepVerdict.RUNNING).update(
            verdict=verdict, report=report, finished_at=now, rounds=sweep.rounds + 1, leased_until=None
        )
        if ended:
            audit.record(
                f"sweep.{verdict}",
                actor=ACTOR,
                object_type="halt",
                object_id=sweep.change_id,
                data={"sweep": sweep.id, "survivors": _survivors(report), "cancels_sent": sweep.cancels_sent},
            )
    HALT_SECONDS.labels("clean").observe((now - sweep.engaged_at).total_seconds())
    sweep.refresh_from_db()
    return sweep
