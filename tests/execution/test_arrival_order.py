"""Whatever order fills arrive in, however often and in whatever company: the books come to the same."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.execution.test_settlement import fill_of
from tests.making import World, fresh
from trading.domain.money import exact_arithmetic
from trading.domain.outcomes import FillReport
from trading.execution.rebuilding import compare_books
from trading.execution.settlement import settle_fills
from trading.models import AuditEntry, Balance, Fill, Order, Position

SIDES = ("BUY", "SELL")
LAST = Decimal(50_000)
# Each: side, quantity, price, fee and its asset, when; the orders are for 0.01, so that no list can complete them.
drawn = st.tuples(
    st.sampled_from(SIDES),
    st.decimals("0.0001", "0.0015", places=4),
    st.decimals("40000", "60000", places=2),
    st.decimals("-0.01", "0.05", places=6),
    st.sampled_from(["USDT", "MX", "BTC"]),
    st.integers(0, 3),
)


@st.composite
def arrivals(draw):
    """The fills, and deliveries of them: every one at least once, in any order, some again."""
    fills = draw(st.lists(drawn, min_size=1, max_size=6))
    numbers = list(range(len(fills)))
    again = draw(st.lists(st.sampled_from(numbers), max_size=3))
    shuffled = draw(st.permutations([*numbers, *again]))
    cuts = sorted(draw(st.sets(st.integers(1, len(shuffled)), max_size=4)) | {len(shuffled)})
    begins = [0, *cuts[:-1]]
    return fills, [shuffled[begin:end] for begin, end in zip(begins, cuts, strict=True)]


@contextmanager
def forgotten():
    """What is booked inside is taken back; a plain savepoint, because settlement insists on a commit of its own."""
    point = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(point)


def as_reports(orders: dict[str, Order], fills: Sequence[tuple]) -> list[tuple[str, FillReport]]:
    begin = timezone.now() - timedelta(seconds=60)
    return [
        (
            side,
            replace(
                fill_of(orders[side], number, str(quantity), str(price)),
                fee=fee,
                fee_asset=asset,
                filled_at=begin + timedelta(seconds=second),
            ),
        )
        for number, (side, quantity, price, fee, asset, second) in enumerate(fills)
    ]


def book(orders: dict[str, Order], deliveries: Sequence[Sequence[tuple[str, FillReport]]]) -> None:
    for delivery in deliveries:
        of_side = {side: [report for of, report in delivery if of == side] for side in SIDES}
        settle_fills({orders[side].id: reports for side, reports in of_side.items()}, source="test")


def sums(orders: dict[str, Order]) -> dict[str, object]:
    """What must be the same to the last decimal."""
    position = Position.objects.get().as_state()
    return {
        "quantity": position.quantity,
        "fees": {asset: paid for asset, paid in position.fees.items() if paid},
        "booked": {row.asset: row.booked for row in Balance.objects.all() if row.booked},
        "orders": [(fresh(order).filled_quantity, fresh(order).filled_notional) for order in orders.values()],
        "fills": Fill.objects.count(),
        "audited": AuditEntry.objects.filter(kind="fill.booked").count(),
    }


def pnl() -> Decimal:
    state = Position.objects.get().as_state()
    with exact_arithmetic():
        return state.realized_pnl + state.unrealized_pnl(LAST)


def make_orders(world: World) -> dict[str, Order]:
    world.venue.deposit("BTC", "1")
    world.sync()
    return {"BUY": world.rest(price="49000"), "SELL": world.rest(price="51000", side="SELL")}


def test_any_order_of_arrival_comes_to_the_same_books(world: World):
    orders = make_orders(world)

    @settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(arrivals())
    def same(arrival) -> None:
        fills, deliveries = arrival
        reports = as_reports(orders, fills)
        with forgotten():
            book(orders, [reports])
            expected, expected_pnl = sums(orders), pnl()
            whole = Position.objects.get().as_state()
        with forgotten():
            book(orders, [[reports[number] for number in numbers] for numbers in deliveries])
            assert sums(orders) == expected
            assert abs(pnl() - expected_pnl) < Decimal("1e-15")
            assert compare_books(world.account) == []
        with forgotten():
            book(orders, [[*reversed(reports), *reports]])
            assert Position.objects.get().as_state() == whole, (
                "one delivery, whatever its order, is one state"
            )

    same()
