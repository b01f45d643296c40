"""Portfolio sync: the venue's truth beside our books, every ten seconds and on demand.

Balances, open orders, fills since the cursor and prices are read; fills are booked, changed orders are woken for the
follower, orders of others are taken in as external, and every difference becomes a break record with an age. Nothing is
repaired silently, and a question that failed never counts as "nothing there".
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from trading.connections import exchange_for
from trading.domain.enums import OrderStatus
from trading.domain.errors import LeviError
from trading.domain.money import plain
from trading.domain.order_states import AT_RISK, UNRESOLVED, WORKING
from trading.domain.outcomes import BalanceReport, OrderReport
from trading.exchanges.base import Exchange
from trading.failpoints import failpoint
from trading.locking import lock_account, lock_balances
from trading.market import refresh_instruments, refresh_prices
from trading.metrics import SYNC_SECONDS
from trading.models import (
    Balance,
    Break,
    BreakKind,
    BreakState,
    EquityPeak,
    EquitySnapshot,
    ExchangeAccount,
    Instrument,
    Order,
    Position,
    SyncRun,
)
from trading.queries.portfolio import held_exposure
from trading.queries.valuation import DOLLARS, PriceTable, day_start, day_start_equity, value_account

from .balances import add_newer_fills
from .breaks import note_break, settle_breaks
from .fill_intake import collect_fills
from .foreign import take_in
from .settlement import note_missing_fills
from .triggers import evaluate_triggers

log = logging.getLogger(__name__)
_OVERLAP = timedelta(minutes=2)  # fills may become visible late: look back further than the cursor
_FIRST_LOOK_BACK = timedelta(hours=1)
_INSTRUMENTS_AGE = timedelta(hours=1)
# An order that moved while the lists were read says nothing about a difference.
_QUIET = timedelta(seconds=5)
_PEAK_LOOKS, _PEAK_SPAN = 3, timedelta(minutes=5)


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
    run.orders_updated = _sync_orders(account, open_reports, run.started_at)
    run.fills_booked = _sync_fills(account, exchange, _watched(account))
    failpoint("sync.after_fills")
    _sync_balances(account, exchange)
    failpoint("sync.after_balances")
    refresh_prices(account, _watched(account))  # after the balances: they say which assets need a price
    _write_snapshot(account)
    _note_missing_fills(account)
    run.breaks_open = settle_breaks(account, run.started_at)


def _note_clock(account: ExchangeAccount, exchange: Exchange) -> None:
    """The venue's clock less this host's, wrong by the uncertainty of the measurement, which counts against us."""
    before = timezone.now()
    offset = Decimal(exchange.venue_time_ms() - int(before.timestamp() * 1000)) / 1000
    account.clock_offset_seconds = offset
    ExchangeAccount.objects.filter(pk=account.pk).update(clock_offset_seconds=offset)


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


def _sync_orders(account: ExchangeAccount, reports: list[OrderReport], asked_at: datetime) -> int:
    """Wake the orders whose row differs from the list; take in orders we do not know. Returns how many were woken."""
    by_client_id = {report.client_order_id: report for report in reports if report.client_order_id}
    by_exchange_id = {report.exchange_order_id: report for report in reports}
    woken, known_ids = 0, set()
    ours = Order.objects.filter(account=account, status__in=WORKING | UNRESOLVED)
    for order in ours.only(
        "id", "client_order_id", "exchange_order_id", "status", "venue_filled_quantity", "updated_at"
    ):
        report = by_client_id.get(order.client_order_id) or by_exchange_id.get(order.exchange_order_id)
        if report is not None:
            known_ids.add(report.exchange_order_id)
        if _needs_look(order, report, asked_at):
            Order.objects.filter(pk=order.pk, status=order.status).update(next_action_at=timezone.now())
            woken += 1
    for report in reports:
        if report.exchange_order_id not in known_ids:
            take_in(account, report)
    return woken


def _needs_look(order: Order, report: OrderReport | None, asked_at: datetime) -> bool:
    if order.updated_at > asked_at - _QUIET or order.status == OrderStatus.SUBMITTING:
        return False  # it is being handled right now
    if report is None:
        return order.status in WORKING  # gone from the list: ended, or the list is old; a query will tell
    return order.status not in WORKING or report.filled_quantity != order.venue_filled_quantity


def _sync_fills(account: ExchangeAccount, exchange: Exchange, instruments: list[Instrument]) -> int:
    """Book every fill since the cursor, whichever order it belongs to."""
    now = timezone.now()
    since = (account.fills_cursor_at or now - _FIRST_LOOK_BACK) - _OVERLAP
    booked = sum(collect_fills(account, exchange, instrument, since) for instrument in instruments)
    ExchangeAccount.objects.filter(pk=account.pk).update(fills_cursor_at=now)
    return booked


def _note_missing_fills(account: ExchangeAccount) -> None:
    """An order that ended short of fills stays a difference until they are booked."""
    noted = Break.objects.filter(account=account, kind=BreakKind.FILL).exclude(state=BreakState.RESOLVED)
    orders = Order.objects.filter(account=account, client_order_id__in=noted.values("subject"))
    for order in orders.filter(filled_quantity__lt=F("venue_filled_quantity")):
        note_missing_fills(order)


def _sync_balances(account: ExchangeAccount, exchange: Exchange) -> None:
    """Compare the snapshot with our running balances, then let it replace them."""
    asked_at = timezone.now()
    reports = exchange.fetch_balances()
    with transaction.atomic(durable=True):
        lock_account(account.pk)
        seen = {report.asset: report for report in reports}
        known = Balance.objects.filter(account=account).values_list("asset", flat=True)
        rows = lock_balances(account.pk, {*seen, *known})
        busy = Order.objects.filter(account=account, updated_at__gt=asked_at - _QUIET).exists()
        for asset in {*rows, *seen}:
            report = seen.get(asset) or BalanceReport(asset, Decimal(0), Decimal(0))
            row = rows.get(asset)
            if row is not None and not busy:
                _compare_balance(account, row, report)
            Balance.objects.update_or_create(
                account=account,
                asset=asset,
                defaults={"free": report.free, "locked": report.locked, "observed_at": asked_at},
            )
        add_newer_fills(account, asked_at)
        failpoint("sync.before_balances_commit")


def _compare_balance(account: ExchangeAccount, row: Balance, report: BalanceReport) -> None:
    ours, theirs = row.free + row.locked, report.free + report.locked
    if ours != theirs:
        note_break(account, "balance", row.asset, ours=ours, theirs=theirs, since_sync=plain(theirs - ours))


def _write_snapshot(account: ExchangeAccount) -> None:
    prices = PriceTable(account)
    worth = value_account(account, prices)
    if worth is None:
        return
    exposure, _ = held_exposure(account, prices)
    now = timezone.now()
    start = day_start_equity(account, now)
    daily_pnl = None if worth.unpriced else worth.equity - (start if start is not None else worth.equity)
    EquitySnapshot.objects.create(
        account=account,
        at=now,
        equity=worth.equity,
        cash=worth.cash,
        positions_value=worth.positions_value,
        exposure=exposure,
        daily_pnl=daily_pnl,
        unpriced=list(worth.unpriced),
    )
    _raise_peak(account, now)


def _raise_peak(account: ExchangeAccount, now: datetime) -> None:
    """The day's highest equity, but only as far as three snapshots in a row confirm it: one bad tick is no peak."""
    latest = EquitySnapshot.objects.filter(account=account, unpriced=[], at__gt=now - _PEAK_SPAN)
    equities = list(latest.order_by("-at").values_list("equity", flat=True)[:_PEAK_LOOKS])
    if len(equities) < _PEAK_LOOKS:
        return
    confirmed, day = min(equities), day_start(now).date()
    if not EquityPeak.objects.filter(account=account, day=day, equity__gte=confirmed).exists():
        EquityPeak.objects.update_or_create(
            account=account, day=day, defaults={"equity": confirmed, "at": now}
        )
