"""The stream against the simulated Binance, and what a refusal asks of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal

import pytest
from websockets.sync.server import ServerConnection

from simulator.testing import SimulatedVenue
from tests.exchanges.binance.scripted_venue import scripted
from tests.exchanges.making import CountingObserver, generous_limiter, make_place_request
from tests.exchanges.mexc.asking import SYMBOL
from tests.exchanges.stream_server import talking
from trading.domain.enums import Environment, OrderStatus, VenueName
from trading.domain.errors import VenueRefused, VenueThrottled
from trading.domain.outcomes import Placed, QueryFailed
from trading.exchanges.base import Connection, Credentials, Exchange, NullObserver
from trading.exchanges.binance.stream import BinanceStream
from trading.exchanges.registry import connect_stream
from trading.exchanges.streams import PrivateStream, StreamEvent, StreamEventKind, StreamLost

PATIENCE = 20.0
OURS = make_place_request().client_order_id


def make_stream(venue: SimulatedVenue, observer: CountingObserver, secret: str = "") -> PrivateStream:
    keys = Credentials(venue.key, secret or venue.secret)
    connection = Connection(VenueName.BINANCE, Environment.SIMULATED, venue.base_url, "main", keys)
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


def next_of(stream: PrivateStream, kind: StreamEventKind) -> StreamEvent:
    """The next event of the kind; others come beside it."""
    while True:
        event = stream.read(PATIENCE)
        assert event is not None
        if event.kind is kind:
            return event


def test_it_rings_for_an_order_from_its_placing_to_its_end(stream, exchange, venue) -> None:
    stream.open()
    order = place(exchange)
    told = [next_of(stream, StreamEventKind.ORDER)]
    venue.fill(OURS, "0.0004")
    told.append(next_of(stream, StreamEventKind.ORDER))
    fill = next_of(stream, StreamEventKind.FILL)
    exchange.cancel_order(SYMBOL, exchange_order_id=order)
    told.append(next_of(stream, StreamEventKind.ORDER))
    assert {(event.symbol, event.client_order_id, event.exchange_order_id) for event in (*told, fill)} == {
        (SYMBOL, OURS, order)
    }
    assert [(event.status, event.filled_quantity) for event in told] == [
        (OrderStatus.OPEN, Decimal(0)),
        (OrderStatus.PARTIALLY_FILLED, Decimal("0.0004")),
        (OrderStatus.CANCELED, Decimal("0.0004")),
    ]
    assert next_of(stream, StreamEventKind.BALANCE).asset in ("BTC", "USDT")


def test_an_ended_connection_is_lost_and_a_new_one_can_be_had(stream, exchange, venue, observer) -> None:
    stream.open()
    venue.faults([{"match": {"venue": "binance"}, "kind": "stream_drop", "count": 1}])
    place(exchange)
    with pytest.raises(StreamLost, match="lost"):
        while stream.read(PATIENCE) is not None:
            pass
    again = make_stream(venue, observer)
    again.open()
    exchange.cancel_order(SYMBOL, client_order_id=OURS)
    assert next_of(again, StreamEventKind.ORDER).status is OrderStatus.CANCELED
    again.close()


def test_a_wrong_secret_opens_nothing_and_is_not_told(venue, observer) -> None:
    stranger = make_stream(venue, observer, secret="wrong-secret")
    with pytest.raises(StreamLost, match="-1022") as caught:
        stranger.open()
    assert "wrong-secret" not in str(caught.value) and venue.key not in str(caught.value)


def test_a_ping_is_answered_and_is_a_sign_of_life(venue) -> None:
    at = [1000.0]
    keys = Credentials(venue.key, venue.secret)
    connection = Connection(VenueName.BINANCE, Environment.SIMULATED, venue.base_url, "main", keys)
    stream = BinanceStream(
        connection, venue.stream_url, generous_limiter(), NullObserver(), now=lambda: at[0]
    )
    stream.open()
    for _ in range(4):
        at[0] += 20
        while stream.heard_at != at[0]:
            stream.read(0.2)
    stream.close()


def test_a_refusal_for_weight_closes_the_venue_for_everybody() -> None:
    def talk(link: ServerConnection) -> None:
        number = json.loads(link.recv())["id"]
        link.send(json.dumps({"id": number, "status": 429, "error": {"code": -1003, "msg": "no"}}))

    limiter = generous_limiter()
    with scripted(limiter=limiter) as (exchange, rest), talking(talk) as server:
        for error, said in ((StreamLost, "-1003"), (VenueThrottled, "was not sent|not opened")):
            stream = BinanceStream(exchange.connection, server.url, limiter, NullObserver())
            with pytest.raises(error, match=said):
                stream.open()
        before = len(rest.asked)
        assert isinstance(exchange.query_order(SYMBOL, client_order_id=OURS), QueryFailed)
        assert len(rest.asked) == before


def test_without_a_key_nothing_is_connected() -> None:
    with scripted() as (exchange, rest):
        address = exchange.connection.base_url
        keyless = Connection(VenueName.BINANCE, Environment.SIMULATED, address, "main")
        stream = connect_stream(keyless, limiter=generous_limiter())
        with pytest.raises(VenueRefused, match="needs an API key"):
            stream.open()
        assert rest.asked == []
