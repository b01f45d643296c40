"""The stream against the simulated venue: what it rings for, and the venue's ways to fail."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal as D

import pytest

from simulator.testing import SimulatedVenue
from tests.exchanges.making import generous_limiter
from tests.exchanges.mexc.asking import SYMBOL, place
from trading.domain.enums import Environment, OrderStatus, OrderType, VenueName
from trading.exchanges.base import Connection, Credentials, NullObserver
from trading.exchanges.registry import connect_stream
from trading.exchanges.streams import PrivateStream, StreamEvent, StreamEventKind, StreamLost

PATIENCE = 20.0


def make_stream(venue: SimulatedVenue, secret: str = "") -> PrivateStream:
    keys = Credentials(venue.key, secret or venue.secret)
    connection = Connection(VenueName.BYBIT, Environment.SIMULATED, venue.base_url, "main", keys)
    return connect_stream(connection, limiter=generous_limiter(), observer=NullObserver())


@pytest.fixture
def stream(venue: SimulatedVenue) -> Iterator[PrivateStream]:
    found = make_stream(venue)
    found.open()
    yield found
    found.close()


def next_order(stream: PrivateStream) -> StreamEvent:
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


def test_it_rings_for_an_order_from_its_placing_to_its_end(stream, exchange, venue) -> None:
    placed, request = place(exchange)
    told = [next_order(stream)]
    for quantity in ("0.0004", None):
        venue.fill(placed.exchange_order_id, quantity)
        told.append(next_order(stream))
    assert {(event.symbol, event.client_order_id, event.exchange_order_id) for event in told} == {
        (SYMBOL, request.client_order_id, placed.exchange_order_id)
    }
    assert [(event.status, event.filled_quantity) for event in told] == [
        (OrderStatus.OPEN, 0),
        (OrderStatus.PARTIALLY_FILLED, D("0.0004")),
        (OrderStatus.FILLED, D("0.001")),
    ]
    assert all(event.at_ms > 0 for event in told)


def test_it_rings_for_fills_and_balances_and_for_a_refusal_after_the_acknowledgement(
    stream, exchange, venue
) -> None:
    placed, _ = place(exchange)
    venue.fill(placed.exchange_order_id)
    seen: dict[StreamEventKind, StreamEvent] = {}
    while len(seen) < len(StreamEventKind):
        event = stream.read(PATIENCE)
        assert event is not None
        seen[event.kind] = event
    assert seen[StreamEventKind.FILL].exchange_order_id == placed.exchange_order_id
    assert seen[StreamEventKind.BALANCE].asset in ("BTC", "USDT")

    late, _ = place(exchange, order_type=OrderType.LIMIT_MAKER, price=D(51000))
    while (
        event := next_order(stream)
    ).exchange_order_id != late.exchange_order_id or event.status is OrderStatus.OPEN:
        pass
    assert event.status is OrderStatus.CANCELED


def test_a_cancel_that_lost_its_race_tells_the_end_twice_and_harms_nobody(stream, exchange, venue) -> None:
    venue.settings(late_cancels="acknowledge")
    placed, request = place(exchange)
    venue.fill(placed.exchange_order_id)
    exchange.cancel_order(SYMBOL, client_order_id=request.client_order_id)
    ends = [event for event in (next_order(stream) for _ in range(3)) if event.status is OrderStatus.FILLED]
    assert [event.filled_quantity for event in ends] == [D("0.001")] * 2


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ({"kind": "stream_drop", "count": 1}, "The connection is lost"),
        ({"kind": "stream_malformed", "count": 1}, "A frame cannot be read"),
    ],
)
def test_a_stream_that_cannot_be_trusted_is_lost_and_a_new_one_can_be_had(
    stream, exchange, venue, fault, why
) -> None:
    venue.faults([fault])
    place(exchange)
    assert why in lost(stream)
    venue.clear_faults()
    again = make_stream(venue)
    again.open()
    _, request = place(exchange)
    assert next_order(again).client_order_id == request.client_order_id
    again.close()


def test_a_wrong_secret_is_told_by_the_venue_and_no_stream_stays(venue) -> None:
    stream = make_stream(venue, secret="wrong-secret")
    with pytest.raises(StreamLost, match="sign error"):
        stream.open()
    assert all(row["ended"] for row in venue.streams())
