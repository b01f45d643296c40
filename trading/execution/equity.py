"""Writes the equity snapshots: the account valued at one instant, with what the curve and its drawdown are made of.

The peak is of the equity less everything that was deposited and plus everything withdrawn, so that money from outside
is neither a gain nor a way out of a loss. A peak counts only as far as three snapshots in a row confirm it. A
snapshot that could not price an asset moves no peak.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.utils import timezone

from trading.domain.money import add
from trading.models import EquityPeak, EquitySnapshot, ExchangeAccount
from trading.queries.portfolio import held_exposure
from trading.queries.scope_use import PEAK_LOOKS, PEAK_SPAN
from trading.queries.valuation import PriceTable, day_start, day_start_equity, transfers_value, value_account


def write_snapshot(account: ExchangeAccount) -> EquitySnapshot | None:
    """None before anything is known of what the account holds."""
    prices = PriceTable(account)
    worth = value_account(account, prices)
    if worth is None:
        return None
    exposure, _ = held_exposure(account, prices)
    now = timezone.now()
    start = day_start_equity(account, now)
    transfers = transfers_value(account)
    daily_pnl = None if worth.unpriced else add(worth.equity, -(start if start is not None else worth.equity))
    row = EquitySnapshot.objects.create(
        account=account,
        at=now,
        equity=worth.equity,
        cash=worth.cash,
        positions_value=worth.positions_value,
        exposure=exposure,
        daily_pnl=daily_pnl,
        transfers=transfers,
        peak=_confirmed_peak(account, now, None if worth.unpriced else add(worth.equity, -transfers)),
        unpriced=list(worth.unpriced),
    )
    _raise_peak(account, now)
    return row


def _confirmed_peak(account: ExchangeAccount, now: datetime, own: Decimal | None) -> Decimal | None:
    """The peak so far, raised by the least of this and the last snapshots' equity without transfers."""
    rows = EquitySnapshot.objects.filter(account=account).order_by("-at")
    last: Decimal | None = rows.values_list("peak", flat=True).first()
    if own is None or last is None:
        return last if own is None else own
    recent = rows.filter(unpriced=[], at__gt=now - PEAK_SPAN).values_list("equity", "transfers")
    owns = [own, *(add(equity, -moved) for equity, moved in recent[: PEAK_LOOKS - 1])]
    return last if len(owns) < PEAK_LOOKS else max(last, min(owns))


def _raise_peak(account: ExchangeAccount, now: datetime) -> None:
    """The day's highest equity, but only as far as three snapshots in a row confirm it."""
    latest = EquitySnapshot.objects.filter(account=account, unpriced=[], at__gt=now - PEAK_SPAN)
    equities = list(latest.order_by("-at").values_list("equity", flat=True)[:PEAK_LOOKS])
    if len(equities) < PEAK_LOOKS:
        return
    confirmed, day = min(equities), day_start(now).date()
    if not EquityPeak.objects.filter(account=account, day=day, equity__gte=confirmed).exists():
        EquityPeak.objects.update_or_create(
            account=account, day=day, defaults={"equity": confirmed, "at": now}
        )
