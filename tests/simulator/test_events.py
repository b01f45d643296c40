"""What the exchange tells its listeners: everything once, in order, after the commit, to listeners only."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from simulator.core.clock import SimClock
from simulator.core.events import BalanceCause, BalanceChanged, FillHappened, OrderChanged, VenueEvent
from simulator.core.profile import VenueProfile
from simulator.core.refusals import SimRefusal
from simulator.core.rows import SimOrderStatus, SimOrderType, SimSide
from simulator.core.rules import SimOrderRequest
from simulator.core.settings import VenueSettings
from simulator.core.store import VenueStore
from simulator.core.trading import TradingVenue


def open_venue(path: Path | None = None) -> TradingVenue:
    venue = TradingVenue("mexc", 7, VenueProfile(), VenueSettings(), SimClock(0), VenueStore(path))
    venue.restore()
    venue.create_user("trader", "key", "secret", {"USDT": Decimal(100_000)})
    return venue


def buy(quantity: str, price: str) -> SimOrderRequest:
    return SimOrderRequest(
        "BTCUSDT",
        SimSide.BUY,
        SimOrderType.LIMIT,
        Decimal(quantity),
        price=Decimal(price),
        client_order_id="c1",
    )


def statuses(events: list[VenueEvent]) -> list[SimOrderStatus]:
    return [event.order.status for event in events if isinstance(event, OrderChanged)]


@pytest.fixture
def venue() -> TradingVenue:
    return open_venue()


@pytest.fixture
def heard(venue: TradingVenue) -> list[VenueEvent]:
    events: list[VenueEvent] = []
    venue.feed.listen(venue.users["trader"], events.extend)
    return events


def test_the_life_of_an_order_is_told_as_it_was_at_every_step(venue: TradingVenue, heard: list[VenueEvent]):
    order = venue.place(venue.users["trader"], buy("0.1", "40000"))
    venue.force_fill(order, Decimal("0.04"))
    venue.cancel(venue.users["trader"], "BTCUSDT", order.order_id, None)
    assert statuses(heard) == ["NEW", "PARTIALLY_FILLED", "PARTIALLY_CANCELED"]
    changes = [event for event in heard if isinstance(event, OrderChanged)]
    assert [change.order.filled for change in changes] == [0, Decimal("0.04"), Decimal("0.04")]
    fills = [event for event in heard if isinstance(event, FillHappened)]
    assert [(fill.fill, fill.number) for fill in fills] == [(venue.fills[0], 1)]
    assert heard.index(fills[0]) < heard.index(changes[1])


def test_an_order_that_is_filled_at_once_was_new_before(venue: TradingVenue, heard: list[VenueEvent]):
    venue.place(venue.users["trader"], buy("0.01", "50100"))
    assert (statuses(heard)[0], statuses(heard)[-1]) == ("NEW", "FILLED")


def test_balances_are_told_with_what_changed_them(venue: TradingVenue, heard: list[VenueEvent]):
    user = venue.users["trader"]
    order = venue.place(user, buy("0.1", "40000"))
    venue.force_fill(order, None)
    venue.transfer(user, "USDT", Decimal(5), Decimal(0))
    venue.transfer(user, "USDT", Decimal(-5), Decimal(1))
    venue.adjust_balance(user, "MX", Decimal(3))
    told = [event for event in heard if isinstance(event, BalanceChanged)]
    assert [(event.asset, event.cause) for event in told] == [
        ("USDT", BalanceCause.PLACED),
        ("USDT", BalanceCause.FILLED),
        ("BTC", BalanceCause.FILLED),
        ("USDT", BalanceCause.DEPOSITED),
        ("USDT", BalanceCause.WITHDRAWN),
        ("MX", BalanceCause.ADJUSTED),
    ]
    assert (told[0].free_change, told[0].locked_change) == (Decimal(-4002), Decimal(4002))
    in_usdt = [event for event in told if event.asset == "USDT"]
    assert 100_000 + sum(event.free_change for event in in_usdt) == in_usdt[-1].free == user.find_free("USDT")


def test_it_is_told_only_when_the_books_are_written(tmp_path: Path):
    path = tmp_path / "mexc.jsonl"
    venue = open_venue(path)
    written: list[bool] = []

    def look(events: list[VenueEvent]) -> None:
        names = [event.order.order_id for event in events if isinstance(event, OrderChanged)]
        written.append(all(name in path.read_text() for name in names))

    venue.feed.listen(venue.users["trader"], look)
    order = venue.place(venue.users["trader"], buy("0.1", "40000"))
    venue.cancel(venue.users["trader"], "BTCUSDT", order.order_id, None)
    assert written == [True, True]


def test_a_refused_order_is_not_told(venue: TradingVenue, heard: list[VenueEvent]):
    with pytest.raises(SimRefusal):
        venue.place(venue.users["trader"], buy("100", "40000"))
    assert heard == []


def test_another_users_orders_are_not_told(venue: TradingVenue, heard: list[VenueEvent]):
    other = venue.create_user("other", "key2", "secret2", {"USDT": Decimal(100_000)})
    venue.place(other, buy("0.1", "40000"))
    assert heard == []


def test_nothing_is_kept_for_those_nobody_listens_to_any_more(venue: TradingVenue, heard: list[VenueEvent]):
    user = venue.users["trader"]
    later: list[VenueEvent] = []
    venue.feed.stop_listening("trader", heard.extend)
    venue.place(user, buy("0.1", "40000"))
    venue.feed.listen(user, later.extend)
    venue.adjust_balance(user, "USDT", Decimal(1))
    assert heard == []
    assert [type(event) for event in later] == [BalanceChanged]
    assert later[0].free_change == 1
