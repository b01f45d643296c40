"""Sync: a pass over many open orders and listed fills, with answers of the venue that cost nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from benchmarks.rows import Row

# Orders that are open; ten times as many fills are listed.
SIZES = (1_000, 10_000)
FILLS_EACH = 10
SYMBOL, QUANTITY, PRICE = "BTCUSDT", Decimal("0.0001"), Decimal(40_000)
_CHUNK = 1_000


@dataclass
class Lists:
    """The account's line to the venue with its lists at hand: what is measured is the work on this side."""

    exchange: Any
    account: Any
    orders: list[Any] = field(default_factory=list)
    fills: list[Any] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.exchange, name)

    def fetch_open_orders(self, symbol: str | None = None, *, urgent: bool = False) -> list[Any]:
        return self.orders

    def fetch_fills(
        self, symbol: str, *, since: datetime | None = None, exchange_order_id: str | None = None
    ) -> list[Any]:
        return self.fills if symbol == SYMBOL else []

    def fetch_balances(self) -> list[Any]:
        from trading.domain.outcomes import BalanceReport
        from trading.models import Balance

        rows = Balance.objects.filter(account=self.account)
        return [BalanceReport(row.asset, row.booked - row.locked, row.locked) for row in rows]


def add_orders(lists: Lists, until: int) -> None:
    """Open orders of somebody else, ours by now, with fills that are news."""
    from django.utils import timezone

    from trading.domain.enums import OrderOrigin, OrderStatus, OrderType, Side, VenueOrderStatus
    from trading.domain.outcomes import FillReport, OrderReport
    from trading.models import Instrument, Order
    from trading.models.columns import new_id

    instrument = Instrument.objects.get(venue_symbol=SYMBOL, environment=lists.account.environment)
    now = timezone.now()
    long_ago = now - timedelta(minutes=5)
    begin = len(lists.orders)
    rows = [
        Order(
            id=new_id(),
            account=lists.account,
            instrument=instrument,
            origin=OrderOrigin.EXTERNAL,
            actor="benchmark",
            side=Side.BUY,
            order_type=OrderType.LIMIT,
            quantity=Decimal(1),
            price=PRICE,
            exposure_quantity=Decimal(1),
            reference_price=PRICE,
            client_order_id=f"bench-{number}",
            exchange_order_id=f"B{number}",
            status=OrderStatus.OPEN,
            acknowledged_at=long_ago,
            created_at=long_ago,
        )
        for number in range(begin, until)
    ]
    Order.objects.bulk_create(rows, batch_size=_CHUNK)
    lists.orders += [
        OrderReport(
            client_order_id=row.client_order_id,
            exchange_order_id=row.exchange_order_id,
            symbol=SYMBOL,
            side=Side.BUY,
            status=VenueOrderStatus.PARTIALLY_FILLED,
            quantity=Decimal(1),
            filled_quantity=QUANTITY * FILLS_EACH,
            filled_notional=QUANTITY * FILLS_EACH * PRICE,
            price=PRICE,
            order_type=OrderType.LIMIT,
        )
        for row in rows
    ]
    lists.fills += [
        FillReport(
            venue_fill_id=f"{row.exchange_order_id}-{number}",
            exchange_order_id=row.exchange_order_id,
            client_order_id=row.client_order_id,
            symbol=SYMBOL,
            side=Side.BUY,
            price=PRICE,
            quantity=QUANTITY,
            fee=Decimal("0.00001"),
            fee_asset="MX",
            is_maker=True,
            filled_at=now,
        )
        for row in rows
        for number in range(FILLS_EACH)
    ]


@contextmanager
def counted() -> Iterator[list[int]]:
    """The number of statements inside the block."""
    from django.db import connection

    count = [0]

    def note(execute: Any, sql: str, values: Any, many: bool, context: Any) -> Any:
        count[0] += 1
        return execute(sql, values, many, context)

    with connection.execute_wrapper(note):
        yield count


def pass_over(lists: Lists) -> tuple[float, int]:
    """Seconds and statements of one complete sync."""
    from benchmarks.books import time_call
    from trading.doorbell import silence
    from trading.execution.sync import sync_account

    with silence(), counted() as count:
        seconds, run = time_call(lambda: sync_account(lists.account.pk, trigger="benchmark"))
    assert run.is_complete, run.error
    return seconds, count[0]


def take_in_strangers(lists: Lists, begin: int, count: int) -> tuple[float, int]:
    """Seconds and statements of taking in so many open orders that nobody here knows; they end at once."""
    from benchmarks.books import time_call
    from trading.domain.enums import OrderStatus, OrderType, Side, VenueOrderStatus
    from trading.domain.outcomes import OrderReport
    from trading.doorbell import silence
    from trading.execution.foreign import take_in
    from trading.models import Order

    strangers = [
        OrderReport(
            client_order_id=f"stranger-{number}",
            exchange_order_id=f"S{number}",
            symbol=SYMBOL,
            side=Side.BUY,
            status=VenueOrderStatus.OPEN,
            quantity=Decimal(1),
            filled_quantity=Decimal(0),
            filled_notional=Decimal(0),
            price=PRICE,
            order_type=OrderType.LIMIT,
        )
        for number in range(begin, begin + count)
    ]
    with silence(), counted() as statements:
        seconds, _ = time_call(lambda: take_in(lists.account, strangers))
    Order.objects.filter(client_order_id__startswith="stranger-").update(status=OrderStatus.CANCELED)
    return seconds, statements[0]


def measure() -> list[Row]:
    from benchmarks.books import open_books
    from trading.connections import exchange_for
    from trading.execution import sync as syncing

    account = open_books()
    lists = Lists(exchange_for(account), account)
    syncing.exchange_for = lambda _account: lists  # type: ignore[assignment]
    news: list[tuple[float, int]] = []
    known: list[tuple[float, int]] = []
    strangers = [take_in_strangers(lists, begin, count) for begin, count in ((0, SIZES[0]), SIZES)]
    try:
        for size in SIZES:
            add_orders(lists, size)
            news.append(pass_over(lists))
            known.append(min(pass_over(lists) for _ in range(3)))
    finally:
        syncing.exchange_for = exchange_for
    return [*_rows_of_strangers(strangers), *_rows_of_news(news), *_rows_of_known(known)]


def _rows_of_strangers(strangers: Sequence[tuple[float, int]]) -> list[Row]:
    rates = [count / seconds for count, (seconds, _) in zip(SIZES, strangers, strict=True)]
    return [
        *(
            Row(f"{count:,} orders of others taken in", rate, "orders/s", note=f"{statements:,} statements")
            for count, rate, (_, statements) in zip(SIZES, rates, strangers, strict=True)
        ),
        Row("cost of taking one in, many to few", rates[0] / rates[1], "times", "about 1"),
    ]


def _rows_of_news(news: Sequence[tuple[float, int]]) -> list[Row]:
    counts = [SIZES[0] * FILLS_EACH, (SIZES[1] - SIZES[0]) * FILLS_EACH]
    rates = [count / seconds for count, (seconds, _) in zip(counts, news, strict=True)]
    return [
        *(
            Row(f"{count:,} new fills", rate, "fills/s", note=f"{seconds:.1f} s, {statements:,} statements")
            for count, rate, (seconds, statements) in zip(counts, rates, news, strict=True)
        ),
        Row("cost of a new fill, many to few", rates[0] / rates[1], "times", note="1: linear"),
    ]


def _rows_of_known(known: Sequence[tuple[float, int]]) -> list[Row]:
    (few_seconds, few), (many_seconds, many) = known
    ratio = many_seconds / few_seconds
    return [
        *(
            Row(
                f"{size:,} open orders, {size * FILLS_EACH:,} fills, no news",
                seconds * 1000,
                "ms",
                note=f"{statements} statements",
            )
            for size, (seconds, statements) in zip(SIZES, known, strict=True)
        ),
        Row("time for ten times as much", ratio, "times", "about 10"),
        Row("statements for ten times as much", many / few, "times", "<= 1.1"),
    ]
