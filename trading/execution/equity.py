"""Writes the equity snapshots: the account valued at one instant, with what the curve and its drawdown are made of.

The peak is of the equity less everything that was deposited and plus everything withdrawn, so that money from outside
is neither a gain nor a way out of a loss; what came in and is not explained yet counts as deposited. A peak counts only
as far as three snapshots in a row confirm it. A snapshot that could not price an asset moves no peak.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.utils import timezone

from trading.domain.money import add
from trading.models import EquityPeak, EquitySnapshot, ExchangeAccount
from trading.queries.portfolio import held_exposure
from trading.queries.scope_use import PEAK_LOOKS, PEAK_SPAN
from trading.queries.valuation import (
    PriceTable,
    day_start,
    day_start_equity,
    transfers_value,
    unexplained_value,
    value_account,
)


def write_snapshot(account: ExchangeAccount) -> EquitySnapshot | None:
    """None before anything is known of what the account holds."""
    prices = PriceTable(account)
    worth = value_account(account, prices)
    if worth is None:
        return None
    exposure, _ = held_exposure(account, prices)
    now = timezone.now()
    start = day_start_equity(account, now, prices)
    deposited, unexplained = transfers_value(account), unexplained_value(account, prices)
    transfers = add(deposited, unexplained)
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
        unexplained=unexplained,
        peak=_confirmed_peak(account, now, None if worth.unpriced else add(worth.equity, -transfers)),
        unpriced=list(worth.unpriced),
    )
    _raise_peak(account, now, deposited)
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


def _raise_peak(account: ExchangeAccount, now: datetime, deposited: Decimal) -> None:
    """The day's highest equity, but only as far as three snapshots in a row confirm it; as if everything that was
    deposited or withdrawn until now had been so from the start."""
    latest = EquitySnapshot.objects.filter(account=account, unpriced=[], at__gt=now - PEAK_SPAN)
    rows = list(latest.order_by("-at").values_list("equity", "transfers")[:PEAK_LOOKS])
    if len(rows) < PEAK_LOOKS:
        return
    confirmed = add(min(add(equity, -moved) for equity, moved in rows), deposited)
    day = day_start(now).date()
    known = EquityPeak.objects.filter(account=account, day=day).first()
    if known is None or add(known.equity, transfers_value(account, after=known.at)) < confirmed:
        EquityPeak.objects.update_or_create(
            account=account, day=day, defaults={"equity": confirmed, "at": now}
        )
