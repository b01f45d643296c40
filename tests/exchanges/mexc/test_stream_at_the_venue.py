"""The stream against the simulated venue: what it rings for, and the venue's ways to fail."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from simulator.testing import SimulatedVenue
from tests.exchanges.making import CountingObserver, generous_limiter, make_place_request
from tests.exchanges.mexc.asking import SYMBOL
from trading.domain.enums import Environment, OrderStatus, VenueName
from trading.domain.errors import VenueError, VenueRefused, VenueUnavailable
from trading.domain.outcomes import Placed
from trading.exchanges.base import Connection, Credentials, Exchange
from trading.exchanges.registry import connect_stream
from trading.exchanges.streams import PrivateStream, StreamEvent, StreamEventKind, StreamLost

PATIENCE = 20.0
OURS = make_place_request().client_order_id


def make_stream(venue: SimulatedVenue, observer: CountingObserver, secret: str = "") -> PrivateStream:
    keys = Credentials(venue.key, secret or venue.secret)
    connection = Connection(VenueName.MEXC, Environment.SIMULATED, venue.base_url, "main", keys)
    return connect_stream(connection, limiter=generous_limiter(), observer=observer)


@pytest.fixture
def stream(venue: SimulatedVenue, observer: CountingObserver) -> Iterator[PrivateStream]:
    found = make_stream(venue, observer)
    yield found
    found.close()


def place(exchange: Exchange) -> str:
    outcome = exchange.place_order(make_place_request(venue_time_ms=exchange.venue_time_ms()))
    assert isinstance(outcome, Placed)
    return outcome.exchange_order_id


def next_order(stream: PrivateStream) -> StreamEvent:
    """The next event of an order; fills and balances come beside it."""
    while True:
        event = stream.read(PATIENCE)
        assert event is not None
        if event.kind is StreamEventKind.ORDER:
            return event


def lost(stream: PrivateStream) -> str:
    with pytest.raises(StreamLost) as caught:
        while stream.read(PATIENCE) is not None:
            pass
    return caught.value.message


def test_it_rings_for_an_order_from_its_placing_to_its_end(stream: PrivateStream, exchange: Exchange, venue):
    stream.open()
    order = place(exchange)
    told = [next_order(stream)]
    for quantity in ("0.0004", None):
        venue.fill(order, quantity)
        told.append(next_order(stream))
    assert {(event.symbol, event.client_order_id, event.exchange_order_id) for event in told} == {
        (SYMBOL, OURS, order)
    }
    assert [(event.status, event.filled_quantity) for event in told] == [
        (OrderStatus.OPEN, Decimal(0)),
        (OrderStatus.PARTIALLY_FILLED, Decimal("0.0004")),
        (OrderStatus.FILLED, Decimal("0.001")),
    ]
    assert all(event.at_ms > 0 for event in told)


def test_it_rings_for_fills_and_balances_without_taking_over_what_they_say(stream, exchange, venue):
    stream.open()
    order = place(exchange)
    venue.fill(order)
    seen: dict[StreamEventKind, StreamEvent] = {}
    while len(seen) < len(StreamEventKind):
        event = stream.read(PATIENCE)
        assert event is not None
        seen[event.kind] = event
    fill = seen[StreamEventKind.FILL]
    assert (fill.exchange_order_id, fill.client_order_id, fill.status) == (order, OURS, None)
    assert seen[StreamEventKind.BALANCE].asset in ("BTC", "USDT")


def test_a_canceled_order_is_told(stream, exchange, venue):
    stream.open()
    order = place(exchange)
    exchange.cancel_order(SYMBOL, exchange_order_id=order)
    assert [next_order(stream).status for _ in range(2)] == [OrderStatus.OPEN, OrderStatus.CANCELED]


@pytest.mark.parametrize("polite", [True, False])
def test_a_dropped_connection_is_lost_and_a_new_one_can_be_had(stream, exchange, venue, observer, polite):
    stream.open()
    venue.faults([{"kind": "stream_drop", "count": 1, "polite": polite}])
    assert "The connection is lost" in lost(stream)
    stream.close()
    again = make_stream(venue, observer)
    again.open()
    place(exchange)
    assert next_order(again).client_order_id == OURS
    again.close()


def test_a_venue_that_refuses_streams_is_unavailable_and_keeps_no_key(stream, venue, observer):
    stream.open()
    venue.faults([{"kind": "stream_drop", "count": 1, "refuse_seconds": 60}])
    lost(stream)
    stream.close()
    with pytest.raises(VenueUnavailable, match="HTTP 503"):
        make_stream(venue, observer).open()
    assert observer.outcomes("createListenKey") == observer.outcomes("deleteListenKey") == ["ok", "ok"]


def test_a_frame_that_cannot_be_read_loses_it(stream, exchange, venue):
    stream.open()
    venue.faults([{"kind": "stream_malformed", "count": 1}])
    place(exchange)
    assert "A frame cannot be read" in lost(stream)


def test_a_lost_frame_is_not_noticed_here(stream, exchange, venue):
    """Which is why nobody may take a stream for the whole truth."""
    stream.open()
    venue.faults([{"kind": "stream_gap", "match": {"channel": "orders"}, "count": 1}])
    order = place(exchange)
    venue.clear_faults()
    venue.fill(order)
    assert next_order(stream).status is OrderStatus.FILLED


def test_a_wrong_secret_is_refused_before_anything_is_connected(venue, observer):
    stream = make_stream(venue, observer, secret="wrong-secret")
    with pytest.raises(VenueRefused) as caught:
        stream.open()
    assert caught.value.venue_code == "700002"
    assert venue.streams() == []


def test_closing_gives_the_key_back_and_ends_the_connection_at_the_venue(stream, venue, observer):
    stream.open()
    stream.close()
    assert observer.outcomes("deleteListenKey") == ["ok"]
    assert all(row["ended"] for row in venue.streams())
    with pytest.raises(VenueError):
        stream.read(0)
