"""What a symbol cost and what an account did in it: the line and the marks of a position's picture. For eyes.

Nothing records prices for their own sake; the stored ones are what each decision saw, what each fill paid, and the last
quote. The line costs a fixed number of index look-ups however many orders there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection

from trading.models import Fill, Position

MOST_FILLS = 50
_POINTS = 120
_QUIET_SPAN = timedelta(days=1)
_SEEN = """
SELECT seen.created_at, seen.reference_price
  FROM generate_series(1, %(points)s) AS place
  JOIN LATERAL (
       SELECT created_at, reference_price FROM trading_order o
        WHERE o.instrument_id = %(instrument)s AND reference_price IS NOT NULL
          AND created_at > %(begin)s + (place - 1) * %(step)s AND created_at <= %(begin)s + place * %(step)s
        ORDER BY created_at DESC LIMIT 1) seen ON true
 ORDER BY place
"""


@dataclass(frozen=True, slots=True)
class PriceMark:
    """A price at an instant; `fill` is the one that paid it, None where a decision or a quote saw it."""

    at: datetime
    price: Decimal
    fill: Fill | None = None


@dataclass(frozen=True, slots=True)
class PriceStory:
    """`marks` oldest first, `fills` newest first."""

    marks: list[PriceMark]
    fills: list[Fill]


def read_price_story(row: Position, now: datetime) -> PriceStory:
    """From the oldest of the newest fills until now. `row` comes with its instrument and quote."""
    held = Fill.objects.filter(account_id=row.account_id, instrument_id=row.instrument_id)
    fills = list(held.select_related("order").order_by("-filled_at", "-id")[:MOST_FILLS])
    begin = min(fills[-1].filled_at, now - timedelta(minutes=1)) if fills else now - _QUIET_SPAN
    given = {
        "points": _POINTS,
        "instrument": row.instrument_id,
        "begin": begin,
        "step": (now - begin) / _POINTS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SEEN, given)
        marks = [PriceMark(at, price) for at, price in cursor.fetchall()]
    marks += [PriceMark(fill.filled_at, fill.price, fill) for fill in fills]
    quote = getattr(row.instrument, "quote", None)
    if quote is not None and quote.received_at >= begin:
        marks.append(PriceMark(quote.received_at, quote.last))
    return PriceStory(sorted(marks, key=lambda mark: mark.at), fills)
