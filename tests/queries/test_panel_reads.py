"""The timeline and the control room read what is there, in order, and say what they do not know."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.admin.trading_day import TradingDay
from trading.models import EquitySnapshot, Order, OrderEvidence, Quote
from trading.queries.dashboard import MINUTES, read_control_room
from trading.queries.timeline import MOST, read_history


@pytest.fixture
def day(db: None) -> TradingDay:
    return TradingDay()


def test_events_come_in_the_order_in_which_they_happened(day):
    history = read_history(day.orders["filled"])
    assert [event.at for event in history.events] == sorted(event.at for event in history.events)
    assert history.events[0].gap is None
    assert all(event.gap >= 0 for event in history.events[1:])


def test_stages_add_up_to_the_orders_life(day):
    order = day.orders["filled"]
    history = read_history(order)
    assert [stage.name for stage in history.stages] == [
        "decide",
        "wait for the permit",
        "until the first byte",
        "the venue's answer",
        "until filled",
        "until booked",
    ]
    life = (order.finished_at - order.signal.received_at).total_seconds()
    assert sum(stage.seconds for stage in history.stages) == pytest.approx(life)


def test_a_stage_that_did_not_happen_is_left_out(day):
    assert [stage.name for stage in read_history(day.orders["denied"]).stages] == ["decide"]


def test_an_order_without_signal_or_decision_still_has_a_page(day):
    order = day.orders["open"]
    foreign = Order.objects.create(
        account=order.account,
        instrument=order.instrument,
        origin="external",
        actor="venue",
        side="BUY",
        order_type="LIMIT",
        quantity=1,
        price=1,
        exposure_quantity=1,
        client_order_id="somebody-elses",
        status="open",
        created_at=day.now,
    )
    history = read_history(foreign)
    assert history.decision is None and history.events == [] and history.stages == []


def test_a_long_history_is_cut_and_says_so(day):
    order = day.orders["doubt"]
    OrderEvidence.objects.bulk_create(
        OrderEvidence(order=order, at=day.now, source="query", kind="not_found") for _ in range(MOST + 5)
    )
    history = read_history(order)
    assert history.is_cut and len(history.evidence) == MOST


def test_the_control_room_counts_what_is_alive_and_the_last_hour(day):
    room = read_control_room()
    assert room.live_orders == {
        "approved": 1,
        "submitting": 1,
        "in_doubt": 1,
        "quarantined": 1,
        "open": 1,
        "partially_filled": 1,
    }
    assert len(room.hour) == MINUTES
    assert sum(count for _, count in room.hour_by_status) == sum(column.total for column in room.hour) == 13


def test_orders_before_the_last_hour_are_not_counted(day):
    Order.objects.filter(pk=day.orders["filled"].pk).update(created_at=day.now - timedelta(hours=2))
    assert dict(read_control_room().hour_by_status).get("filled") is None


def test_exposure_that_cannot_be_priced_makes_the_total_unknown(day):
    assert read_control_room().total_exposure is not None
    Quote.objects.filter(instrument__symbol="ETH/USDT").delete()
    assert read_control_room().total_exposure is None


def test_the_curve_is_thinned_out_and_in_order(day):
    curve = read_control_room().curve
    assert 2 <= len(curve) <= 20
    assert [point.at for point in curve] == sorted(point.at for point in curve)
    EquitySnapshot.objects.all().delete()
    assert read_control_room().curve == []


def test_a_fresh_installation_is_new(db: None):
    room = read_control_room()
    assert room.is_new and room.accounts == [] and room.curve == [] and room.total_exposure == 0
