"""Whatever order fills arrive in, however often and in whatever company: the books come to the same."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import ProgrammingError, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.execution.test_settlement import fill_of
from tests.making import PERSON, World, fresh
from trading.domain.enums import Side
from trading.domain.outcomes import FillReport
from trading.domain.positions import PositionState
from trading.execution.rebuilding import compare_books, repair_books
from trading.execution.settlement import settle_fills
from trading.models import AuditEntry, Balance, Fill, Order, Position

SIDES = ("BUY", "SELL")
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
    position, fills = Position.objects.get(), Fill.objects.order_by("venue_fill_id")
    return {
        "position": (position.quantity, position.average_price, position.realized_pnl),
        "newest": (position.newest_fill_at, position.newest_fill),
        "fees": {asset: paid for asset, paid in position.as_state().fees.items() if paid},
        "closed": list(fills.values_list("venue_fill_id", "realized_pnl", "average_after")),
        "booked": {row.asset: row.booked for row in Balance.objects.all() if row.booked},
        "orders": [(fresh(order).filled_quantity, fresh(order).filled_notional) for order in orders.values()],
        "audited": AuditEntry.objects.filter(kind="fill.booked").count(),
    }


def walked(reports: Sequence[tuple[str, FillReport]]) -> PositionState:
    """What the fills come to by arithmetic alone."""
    state = PositionState()
    for side, fill in reports:
        state = state.after(Side(side), fill.quantity, fill.price, fill.fee, fill.fee_asset, base_asset="BTC")
    return state


def make_orders(world: World) -> dict[str, Order]:
    world.venue.deposit("BTC", "1")
    world.sync()
    return {"BUY": world.rest(price="49000"), "SELL": world.rest(price="51000", side="SELL")}


def test_any_order_of_arrival_comes_to_the_same_books(world: World):
    orders = make_orders(world)

    @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(arrivals())
    def same(arrival) -> None:
        fills, deliveries = arrival
        reports = as_reports(orders, fills)
        with forgotten():
            book(orders, [reports])
            expected = sums(orders)
            in_venue_order = sorted(reports, key=lambda pair: (pair[1].filled_at, pair[1].venue_fill_id))
            assert Position.objects.get().as_state() == walked(in_venue_order)
        with forgotten():
            book(orders, [[reports[number] for number in numbers] for numbers in deliveries])
            assert sums(orders) == expected
            assert compare_books(world.account) == []

    same()


def settle_at(order: Order, number: int, quantity: str, price: str, second: int) -> FillReport:
    """One fill that happened at this second of today, booked in a delivery of its own."""
    at = timezone.now().replace(microsecond=0) - timedelta(hours=1) + timedelta(seconds=second)
    fill = replace(fill_of(order, number, quantity, price), filled_at=at)
    settle_fills({order.id: [fill]}, source="test")
    return fill


def closed() -> list[tuple[Decimal, Decimal]]:
    rows = Fill.objects.order_by("filled_at").values_list("realized_pnl", "average_after")
    return [(realized, average) for realized, average in rows]


def test_a_late_fill_moves_the_split_and_the_trail_says_so(world: World):
    orders = make_orders(world)
    settle_at(orders["BUY"], 1, "0.001", "40000", 0)
    settle_at(orders["SELL"], 2, "0.001", "50000", 20)
    position = Position.objects.get()
    assert (position.quantity, position.average_price, position.realized_pnl) == (0, 0, 10)
    assert not AuditEntry.objects.filter(kind="position.reordered").exists()
    late = settle_at(orders["BUY"], 3, "0.001", "44000", 10)  # bought before it was sold
    position.refresh_from_db()
    assert (position.quantity, position.average_price, position.realized_pnl) == (Decimal("0.001"), 42000, 8)
    assert closed() == [(0, 40000), (0, 42000), (8, 42000)]
    told = AuditEntry.objects.get(kind="position.reordered")
    assert (told.object_type, told.object_id) == ("account", str(world.account.pk))
    assert told.data == {
        "symbol": "BTC/USDT",
        "late": [late.venue_fill_id],
        "walked_again": 1,
        "before": {"quantity": "0", "average_price": "0", "realized_pnl": "10"},
        "after": {"quantity": "0.001", "average_price": "42000", "realized_pnl": "8"},
    }
    assert compare_books(world.account) == []


def test_only_what_happened_since_a_late_fill_is_walked_again(world: World):
    buying = make_orders(world)["BUY"]
    for number in range(6):
        settle_at(buying, number, "0.001", "49000", number * 10)
    settle_at(buying, 7, "0.001", "48000", 45)
    assert AuditEntry.objects.get(kind="position.reordered").data["walked_again"] == 1
    assert compare_books(world.account) == []


def test_a_late_fill_behind_fills_of_an_older_version_walks_the_whole_history(world: World):
    buying = make_orders(world)["BUY"]
    for number in range(3):
        settle_at(buying, number, "0.001", "49000", number * 10)
    Fill.objects.update(average_after=None)  # that version did not keep it
    settle_at(buying, 4, "0.001", "48000", 15)
    assert AuditEntry.objects.get(kind="position.reordered").data["walked_again"] == 3
    assert None not in {average for _, average in closed()} and compare_books(world.account) == []


def test_what_is_derived_of_a_fill_is_compared_and_rebuilt(world: World):
    orders = make_orders(world)
    settle_at(orders["BUY"], 1, "0.001", "40000", 0)
    settle_at(orders["SELL"], 2, "0.001", "50000", 10)
    Fill.objects.filter(side="SELL").update(realized_pnl=99, average_after=7)
    (found,) = compare_books(world.account)
    assert (found.stored["closed"], found.recomputed["closed"]) == ("99", "10")
    repair_books(world.account, reason="a restore went wrong", actor=PERSON)
    assert closed() == [(0, 40000), (10, 0)] and compare_books(world.account) == []


@pytest.mark.parametrize("column", ["price", "quantity", "fee", "filled_at", "venue_fill_id", "order_id"])
def test_what_the_venue_said_of_a_fill_is_refused_to_change(world: World, column: str):
    settle_at(make_orders(world)["BUY"], 1, "0.001", "40000", 0)
    before = Fill.objects.values().get()
    value = {"filled_at": timezone.now(), "venue_fill_id": "other", "order_id": uuid4()}.get(
        column, Decimal(1)
    )
    with pytest.raises(ProgrammingError, match="never changes"), transaction.atomic():
        Fill.objects.update(**{column: value})
    assert Fill.objects.values().get() == before
