"""Last prices and instruments as the venues state them: the only writer of Quote and Instrument rows.

A quote is only ever replaced by a newer one. Venue calls happen outside transactions. Never judges a price: its age
travels with it to the risk rules.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from trading.connections import public_exchange
from trading.domain.enums import HaltScope, TradingState
from trading.domain.errors import VenueError
from trading.domain.outcomes import InstrumentReport, PriceReport
from trading.models import ExchangeAccount, HaltState, Instrument, Quote

log = logging.getLogger(__name__)

_UPSERT = """
INSERT INTO trading_quote (instrument_id, last, bid, ask, received_at) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (instrument_id) DO UPDATE
   SET last = EXCLUDED.last, bid = EXCLUDED.bid, ask = EXCLUDED.ask, received_at = EXCLUDED.received_at
 WHERE trading_quote.received_at < EXCLUDED.received_at
"""


def store_prices(instruments: Iterable[Instrument], reports: Iterable[PriceReport]) -> int:
    """Write what is newer than what we have; returns how many reports matched an instrument."""
    by_symbol = {instrument.venue_symbol: instrument for instrument in instruments}
    rows = [
        (by_symbol[report.symbol].pk, report.last, report.bid, report.ask, report.received_at)
        for report in reports
        if report.symbol in by_symbol
    ]
    with connection.cursor() as cursor:
        cursor.executemany(_UPSERT, rows)
    return len(rows)


def refresh_prices(account: ExchangeAccount, instruments: list[Instrument]) -> int:
    """Ask the venue for the prices of these instruments now. Raises VenueError."""
    if not instruments:
        return 0
    reports = public_exchange(account).fetch_prices([instrument.venue_symbol for instrument in instruments])
    return store_prices(instruments, reports)


# After a failed question the venue is left alone this long: a dead venue must not cost every signal a time-out.
_FORGIVE_SECONDS = 2.0
_failed_at: dict[str, float] = {}


def ensure_price(account: ExchangeAccount, instrument: Instrument, *, older_than_seconds: int = 5) -> None:
    """Refresh the price if ours is older. A venue that does not answer leaves the old price, with its age."""
    newest_needed = timezone.now() - timedelta(seconds=older_than_seconds)
    if Quote.objects.filter(instrument=instrument, received_at__gte=newest_needed).exists():
        return
    if time.monotonic() - _failed_at.get(account.base_url, -_FORGIVE_SECONDS) < _FORGIVE_SECONDS:
        return
    try:
        refresh_prices(account, [instrument])
    except VenueError as error:
        _failed_at[account.base_url] = time.monotonic()
        log.warning("no fresh price for %s: %s", instrument.symbol, error.code)


def forget_failures() -> None:
    """Ask every venue again at the next signal."""
    _failed_at.clear()


def _row(account: ExchangeAccount, report: InstrumentReport, now: datetime) -> Instrument:
    return Instrument(
        venue=account.venue,
        environment=account.environment,
        symbol=report.symbol,
        venue_symbol=report.venue_symbol,
        base_asset=report.base_asset,
        quote_asset=report.quote_asset,
        is_tradable=report.is_tradable,
        tick_size=report.tick_size,
        lot_size=report.lot_size,
        min_quantity=report.min_quantity,
        max_quantity=report.max_quantity,
        min_notional=report.min_notional,
        max_notional=report.max_notional,
        min_notional_market=report.min_notional_market,
        max_notional_market=report.max_notional_market,
        price_up_factor=report.price_up_factor,
        price_down_factor=report.price_down_factor,
        order_types=list(report.order_types),
        sides=[side.value for side in report.sides],
        synced_at=now,
    )


_KEY = ["venue", "environment", "symbol"]


def refresh_instruments(account: ExchangeAccount) -> int:
    """Replace the rules of this venue's instruments by what it says now. Raises VenueError."""
    reports = public_exchange(account).fetch_instruments()
    now = timezone.now()
    rows = [_row(account, report, now) for report in reports]
    changing = [field.name for field in Instrument._meta.concrete_fields if field.name not in ("id", *_KEY)]
    with transaction.atomic():
        Instrument.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=_KEY, update_fields=changing
        )
        # Gone from the venue's list: kept, because orders and fills name it, but not tradable any more.
        Instrument.objects.filter(
            venue=account.venue, environment=account.environment, synced_at__lt=now
        ).update(is_tradable=False)
        HaltState.objects.bulk_create(
            [
                HaltState(
                    scope=HaltScope.INSTRUMENT,
                    target=row.symbol,
                    state=TradingState.ACTIVE,
                    since=now,
                    actor="system",
                )
                for row in rows
            ],
            ignore_conflicts=True,
        )
    return len(rows)
