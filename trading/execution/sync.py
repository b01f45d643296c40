"""Portfolio sync: the venue's truth beside our books, every ten seconds and on demand.

Balances, open orders, fills since the cursor and prices are read; fills are booked, changed orders are woken for the
follower, orders of others are taken in as external, and every difference becomes a break record with an age, after
targeted questions (`balance_check`, `book_checks`). Nothing is repaired silently, and a question that failed never
counts as "nothing there". The cost grows with the number of rows, never the number of statements per row.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from trading.connections import exchange_for
from trading.domain.enums import OrderStatus
from trading.domain.errors import LeviError, VenueError
from trading.domain.money import DOLLARS
from trading.domain.order_states import AT_RISK, UNRESOLVED, WORKING
from trading.domain.outcomes import OrderReport
from trading.exchanges.base import Exchange
from trading.failpoints import failpoint
from trading.market import refresh_instruments, refresh_prices
from trading.metrics import SYNC_SECONDS
from trading.models import (
    Balance,
    BalanceVerdict,
    Break,
    BreakKind,
    BreakState,
    ExchangeAccount,
    Instrument,
    Order,
    Position,
    SyncRun,
)

from .balance_check import check_balances
from .book_checks import check_fills, check_orders, check_positions
from .break_response import respond_to_breaks
from .breaks import settle_breaks
from .equity import write_snapshot
from .fill_intake import book_listed, collect_fills
from .foreign import take_in
from .jobs import claim_slot
from .settlement import note_missing_fills
from .triggers import evaluate_triggers

log = logging.getLogger(__name__)
_OVERLAP = timedelta(minutes=2)  # fills may become visible late: look back further than the cursor
_WIDE_OVERLAP = timedelta(minutes=10)
_FIRST_LOOK_BACK = timedelta(hours=1)
_INSTRUMENTS_AGE = timedelta(hours=1)
_POSITIONS_SECONDS = 30  # adding up every fill is the one look whose cost grows with the history
# An order that moved while the lists were read says nothing about a difference.
_QUIET = timedelta(seconds=5)


def sync_account(account_id: UUID, *, trigger: str) -> SyncRun:
    """One pass over one account. The run's row says whether it is complete; what was read is booked in any case."""
    began = time.perf_counter()
    account = ExchangeAccount.objects.get(pk=account_id)
    run = SyncRun.objects.create(account=account, trigger=trigger, started_at=timezone.now())
    try:
        _sync(account, run)
        run.is_complete = True
    except LeviError as error:
        run.error = str(error)[:500]
        log.warning("sync of %s: %s", account.name, error)
    run.finished_at = timezone.now()
    run.save()
    ExchangeAccount.objects.filter(pk=account.pk).update(
        sync_error=run.error, **({"synced_at": run.finished_at} if run.is_complete else {})
    )
    SYNC_SECONDS.observe(time.perf_counter() - began)
    evaluate_triggers(account)
    return run


def _sync(account: ExchangeAccount, run: SyncRun) -> None:
    exchange = exchange_for(account)
    _sync_rules(account)
    _note_clock(account, exchange)
    open_reports = exchange.fetch_open_orders()
    woken, unlisted = _sync_orders(account, open_reports, run.started_at)
    run.orders_updated = woken
    check_orders(account, exchange, open_reports, unlisted)
    run.fills_booked = _sync_fills(account, exchange)
    failpoint("sync.after_fills")
    run.balances = check_balances(account, exchange, partial(_collect_again, account, exchange))
    failpoint("sync.after_balances")
    refresh_prices(account, _watched(account))  # after the balances: they say which assets need a price
    write_snapshot(account)
    _note_missing_fills(account)
    run.breaks_open = settle_breaks(account, run.started_at, _looked_for(account, run))
    respond_to_breaks(account)


def _looked_for(account: ExchangeAccount, run: SyncRun) -> list[str]:
    """The kinds of break this run can say of that they are gone."""
    kinds: list[str] = [BreakKind.ORDER, BreakKind.FILL]
    if run.balances != BalanceVerdict.MOVING:
        kinds.append(BreakKind.BALANCE)
    if claim_slot(f"positions {account.pk}", _POSITIONS_SECONDS):
        check_positions(account)
        kinds.append(BreakKind.POSITION)
    return kinds


def _note_clock(account: ExchangeAccount, exchange: Exchange) -> None:
    """The venue's clock less this host's, wrong by the uncertainty of the measurement, which counts against us.

    A clock that cannot be measured again must not end the sync: its age is stored, and what opens is denied for it.
    """
    try:
        exchange.refresh_clock()
    except VenueError as error:
        log.warning("the clock of %s could not be measured: %s", account.name, error.code)
    before = timezone.now()
    offset = Decimal(exchange.venue_time_ms() - int(before.timestamp() * 1000)) / 1000
    age = timedelta(seconds=exchange.clock_age_seconds() or 0.0)
    account.clock_offset_seconds, account.clock_measured_at = offset, before - age
    ExchangeAccount.objects.filter(pk=account.pk).update(
        clock_offset_seconds=offset, clock_measured_at=before - age
    )


def _sync_rules(account: ExchangeAccount) -> None:
    known = (
        Instrument.objects.filter(venue=account.venue, environment=account.environment)
        .order_by("-synced_at")
        .first()
    )
    if known is None or known.synced_at < timezone.now() - _INSTRUMENTS_AGE:
        refresh_instruments(account)


def _watched(account: ExchangeAccount) -> list[Instrument]:
    """Instruments whose price matters: allowed, held, or with an order at risk."""
    listed = Instrument.objects.filter(venue=account.venue, environment=account.environment)
    held = Position.objects.filter(account=account).exclude(quantity=0).values("instrument")
    at_risk = Order.objects.filter(account=account, status__in=AT_RISK).values("instrument")
    assets = Balance.objects.filter(account=account).exclude(asset__in=DOLLARS).values("asset")
    wanted = (
        listed.filter(symbol__in=settings.LEVI_CONFIG.live.symbols)
        | listed.filter(pk__in=held)
        | listed.filter(pk__in=at_risk)
        | listed.filter(base_asset__in=assets, quote_asset="USDT")
    )
    return list(wanted.distinct())


def _sync_orders(
    account: ExchangeAccount, reports: list[OrderReport], asked_at: datetime
) -> tuple[int, list[Order]]:
    """Wake the orders whose row differs from the list; take in orders we do not know.

    Returns how many were woken, and those that should be in the list and are not.
    """
    by_client_id = {report.client_order_id: report for report in reports if report.client_order_id}
    by_exchange_id = {report.exchange_order_id: report for report in reports}
    woken: dict[str, list[UUID]] = defaultdict(list)
    unlisted, known_ids = [], set()
    ours = Order.objects.filter(account=account, status__in=WORKING | UNRESOLVED).order_by("updated_at")
    for order in ours.select_related("instrument", "account"):
        # The venue's own id wins: under the name there may be another order.
        if order.exchange_order_id:
            report = by_exchange_id.get(order.exchange_order_id)
        else:
            report = by_client_id.get(order.client_order_id)
        if report is not None:
            known_ids.add(report.exchange_order_id)
        if _needs_look(order, report, asked_at):
            woken[order.status].append(order.pk)
            if report is None:
                unlisted.append(order)
    for status, ids in woken.items():
        Order.objects.filter(pk__in=ids, status=status).update(next_action_at=timezone.now())
    take_in(account, [report for report in reports if report.exchange_order_id not in known_ids])
    return sum(len(ids) for ids in woken.values()), unlisted


def _needs_look(order: Order, report: OrderReport | None, asked_at: datetime) -> bool:
    if order.updated_at > asked_at - _QUIET or order.status == OrderStatus.SUBMITTING:
        return False  # it is being handled right now
    if report is None:
        return order.status in WORKING  # gone from the list: ended, or the list is old; a query will tell
    return order.status not in WORKING or report.filled_quantity != order.venue_filled_quantity


def _sync_fills(account: ExchangeAccount, exchange: Exchange) -> int:
    """Book every fill since the cursor, whichever order it belongs to."""
    now, booked = timezone.now(), 0
    since = (account.fills_cursor_at or now - _FIRST_LOOK_BACK) - _OVERLAP
    for instrument in _watched(account):
        listed = exchange.fetch_fills(instrument.venue_symbol, since=since)
        booked += book_listed(account, exchange, instrument, listed)
        check_fills(account, exchange, instrument, listed, (since, now))
    ExchangeAccount.objects.filter(pk=account.pk).update(fills_cursor_at=now)
    return booked


def _collect_again(account: ExchangeAccount, exchange: Exchange, assets: set[str]) -> int:
    """Fills that may explain a difference in these assets, of instruments nobody watched too."""
    since = (account.fills_cursor_at or timezone.now() - _FIRST_LOOK_BACK) - _WIDE_OVERLAP
    listed = Instrument.objects.filter(venue=account.venue, environment=account.environment)
    concerned = {row.pk: row for row in (*_watched(account), *listed.filter(base_asset__in=assets))}
    return sum(collect_fills(account, exchange, row, since) for row in concerned.values())


def _note_missing_fills(account: ExchangeAccount) -> None:
    """An order that ended short of fills stays a difference until they are booked."""
    noted = Break.objects.filter(account=account, kind=BreakKind.FILL).exclude(state=BreakState.RESOLVED)
    orders = Order.objects.filter(account=account, client_order_id__in=noted.values("subject"))
    for order in orders.filter(filled_quantity__lt=F("venue_filled_quantity")):
        note_missing_fills(order)
