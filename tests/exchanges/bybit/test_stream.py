"""The private stream's own steps, against a server that a test directs: opening, staying alive, ways to lose it."""

from __future__ import annotations

import json
import threading
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http import HTTPStatus

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Response
from websockets.sync.server import ServerConnection

from tests.exchanges.bybit.samples import as_body, envelope
from tests.exchanges.making import KEY, SECRET, generous_limiter
from tests.exchanges.raw_server import answers, raw_server
from tests.exchanges.stream_server import Hands, Talk, TalkingServer, talking, wait_for_end
from trading.domain.enums import Environment, OrderStatus, VenueName
from trading.domain.errors import MalformedAnswer, VenueRefused, VenueThrottled, VenueUnavailable
from trading.exchanges import text_stream
from trading.exchanges.base import Connection, Credentials, NullObserver
from trading.exchanges.bybit.signing import stream_signature
from trading.exchanges.bybit.stream import BybitStream
from trading.exchanges.bybit.stream_talk import TOPICS, understand
from trading.exchanges.streams import StreamEvent, StreamEventKind, StreamLost
from trading.exchanges.text_stream import Heard

PATIENCE = 20.0
VENUE_MS = 1_688_639_403_423
ORDER_ROW = {
    "category": "spot",
    "symbol": "BTCUSDT",
    "orderId": "1321003749386327552",
    "orderLinkId": "lv-1",
    "orderStatus": "PartiallyFilled",
    "cumExecQty": "0.4",
    "updatedTime": "1684476068372",
}
ORDER_TEXT = json.dumps({"topic": "order.spot", "id": "1", "creationTime": VENUE_MS, "data": [ORDER_ROW]})
FILLS_TEXT = json.dumps(
    {
        "topic": "execution.spot",
        "creationTime": VENUE_MS,
        "data": [ORDER_ROW | {"execId": "1", "execTime": "1746270400353"}, ORDER_ROW | {"execId": "2"}],
    }
)
WALLET_TEXT = json.dumps(
    {
        "topic": "wallet",
        "creationTime": 1700034722104,
        "data": [
            {
                "accountType": "UNIFIED",
                "coin": [{"coin": "BTC", "walletBalance": "0.00102964"}, {"coin": "USDT"}],
            }
        ],
    }
)
PONG = json.dumps({"op": "pong", "args": ["1"], "conn_id": "c"})


def granted(op: str, success: bool = True, said: str = "") -> str:
    return json.dumps({"success": success, "ret_msg": said, "op": op, "conn_id": "c"})


def grant_all(link: ServerConnection) -> list[dict]:
    heard = []
    for op in ("auth", "subscribe"):
        heard.append(json.loads(link.recv()))
        link.send(granted(op))
    return heard


def says_after_granting(*texts: str | bytes) -> Talk:
    def talk(link: ServerConnection) -> None:
        grant_all(link)
        for text in texts:
            link.send(text)
        wait_for_end(link)

    return talk


@dataclass
class BybitStage:
    stream: BybitStream
    server: TalkingServer
    clock: Hands


@contextmanager
def stage(talk: Talk, *, with_key: bool = True, **settings) -> Iterator[BybitStage]:
    clock = Hands()
    time = as_body(envelope({"timeSecond": "1", "timeNano": f"{VENUE_MS}000000"}))
    with ExitStack() as stack:
        server = stack.enter_context(talking(talk, **settings))
        rest = stack.enter_context(raw_server(answers("200 OK", time)))
        keys = Credentials(KEY, SECRET) if with_key else None
        connection = Connection(VenueName.BYBIT, Environment.SIMULATED, rest.base_url, "main", keys)
        stream = BybitStream(connection, server.url, generous_limiter(), NullObserver(), now=clock)
        try:
            yield BybitStage(stream, server, clock)
        finally:
            stream.close()


def why_lost(found: BybitStage) -> str:
    with pytest.raises(StreamLost) as caught:
        found.stream.open()
        while found.stream.read(PATIENCE) is not None:
            pass
    return caught.value.message


# -- opening -------------------------------------------------------------------------------------------------------


def test_it_signs_in_subscribes_and_then_tells_what_comes() -> None:
    said: list[dict] = []

    def talk(link: ServerConnection) -> None:
        said.extend(grant_all(link))
        for text in (ORDER_TEXT, FILLS_TEXT, WALLET_TEXT):
            link.send(text)
        wait_for_end(link)

    with stage(talk) as found:
        assert found.stream.heard_at is None
        found.stream.open()
        kinds = [found.stream.read(PATIENCE).kind for _ in range(5)]
        assert found.stream.heard_at == found.clock.at
        assert found.stream.read(0.01) is None
    assert kinds == [
        StreamEventKind.ORDER,
        StreamEventKind.FILL,
        StreamEventKind.FILL,
        StreamEventKind.BALANCE,
        StreamEventKind.BALANCE,
    ]
    key, expires, signature = said[0]["args"]
    assert (key, signature) == (KEY, stream_signature(SECRET, expires))
    assert VENUE_MS + 5_000 < expires < VENUE_MS + 60_000, "good for seconds, by the venue's clock"
    assert said[1] == {"op": "subscribe", "args": list(TOPICS)}


@pytest.mark.parametrize("op", ["auth", "subscribe"])
def test_what_is_refused_is_no_stream(op: str) -> None:
    def talk(link: ServerConnection) -> None:
        for asked in ("auth", "subscribe"):
            link.recv()
            link.send(granted(asked, asked != op, "" if asked != op else f"error:no {op} for {KEY}"))
            if asked == op:
                wait_for_end(link)

    with stage(talk) as found:
        reason = why_lost(found)
    assert f"error:no {op} for ***" in reason


def test_what_is_not_granted_in_time_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_stream, "_GRANT_SECONDS", 0.2)

    def talk(link: ServerConnection) -> None:
        link.recv()
        link.send(granted("auth"))
        link.send(ORDER_TEXT)
        wait_for_end(link)

    with stage(talk) as found:
        assert why_lost(found) == "Not granted in time: subscribe."


@pytest.mark.parametrize(
    ("status", "kind"), [(403, VenueThrottled), (404, VenueRefused), (503, VenueUnavailable)]
)
def test_a_refused_handshake_says_whether_to_stay_away(status: int, kind: type) -> None:
    def refuse(_link, _request) -> Response:
        return Response(HTTPStatus(status).value, "", Headers())

    with stage(wait_for_end, process_request=refuse) as found, pytest.raises(kind) as caught:
        found.stream.open()
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_without_a_key_there_is_none() -> None:
    with stage(wait_for_end, with_key=False) as found:
        with pytest.raises(VenueRefused):
            found.stream.open()
        assert found.server.paths == []


# -- staying alive -------------------------------------------------------------------------------------------------


def test_it_pings_every_twenty_seconds_and_a_pong_is_a_sign_of_life() -> None:
    pings: list[dict] = []

    def talk(link: ServerConnection) -> None:
        grant_all(link)
        for text in link:
            pings.append(json.loads(text))
            link.send(PONG)
            link.send(ORDER_TEXT)

    with stage(talk) as found:
        found.stream.open()
        for count in (1, 2):
            found.clock.at += 20.0
            assert found.stream.read(PATIENCE) is not None
            assert pings == [{"op": "ping"}] * count
            assert found.stream.heard_at == found.clock.at


def test_silence_loses_it() -> None:
    with stage(says_after_granting()) as found:
        found.stream.open()
        found.clock.at += 46.0
        with pytest.raises(StreamLost, match="Silent"):
            found.stream.read(0.0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not json", "cannot be read"),
        (b"\x00\x01", "binary"),
        ("[]", "cannot be read"),
        (json.dumps({"topic": "order.spot", "data": {}}), "cannot be read"),
        (json.dumps({"topic": "order.spot", "data": [{"symbol": "BTCUSDT"}]}), "cannot be read"),
        (json.dumps({"op": "error", "ret_msg": "gone"}), "The venue said"),
        ("{}", "The venue said"),
    ],
)
def test_what_cannot_be_understood_loses_it(text, said: str) -> None:
    with stage(says_after_granting(text)) as found:
        assert said in why_lost(found)


def test_an_end_loses_it_and_closing_ends_a_read_under_way() -> None:
    with stage(lambda link: grant_all(link) and None) as found:
        assert "connection is lost" in why_lost(found)
    with stage(says_after_granting()) as found:
        found.stream.open()
        failed: list[StreamLost] = []

        def read() -> None:
            try:
                found.stream.read(PATIENCE)
            except StreamLost as lost:
                failed.append(lost)

        reader = threading.Thread(target=read)
        reader.start()
        found.stream.close()
        reader.join(PATIENCE)
        assert failed
        found.stream.close()
        with pytest.raises(StreamLost):
            found.stream.read(0)


# -- what a text means ---------------------------------------------------------------------------------------------


def test_an_order_rings_with_its_ids_and_what_the_word_would_mean() -> None:
    (event,) = understand(ORDER_TEXT).events
    assert event == StreamEvent(
        StreamEventKind.ORDER,
        symbol="BTCUSDT",
        client_order_id="lv-1",
        exchange_order_id="1321003749386327552",
        filled_quantity=event.filled_quantity,
        status=OrderStatus.PARTIALLY_FILLED,
        at_ms=1684476068372,
    )
    assert str(event.filled_quantity) == "0.4"


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Filled", OrderStatus.FILLED),
        ("Cancelled", OrderStatus.CANCELED),
        ("Rejected", OrderStatus.REJECTED),
        ("Unheard", None),
        ("", None),
    ],
)
def test_an_unknown_status_is_an_order_to_look_at(word, status) -> None:
    text = json.dumps({"topic": "order.spot", "data": [ORDER_ROW | {"orderStatus": word}]})
    assert understand(text).events[0].status is status


def test_fills_and_balances_name_what_they_ring_for_and_fall_back_on_the_messages_time() -> None:
    first, second = understand(FILLS_TEXT).events
    assert (first.client_order_id, first.at_ms, second.at_ms) == ("lv-1", 1746270400353, VENUE_MS)
    assert first.filled_quantity is None, "of one execution, so not of the order"
    assert [event.asset for event in understand(WALLET_TEXT).events] == ["BTC", "USDT"]


@pytest.mark.parametrize(
    "text",
    [PONG, json.dumps({"success": True, "ret_msg": "pong", "op": "ping"}), '{"topic":"greeks","data":1}'],
)
def test_a_pong_and_a_topic_nobody_asked_for_are_signs_of_life(text: str) -> None:
    assert understand(text) == Heard()


@pytest.mark.parametrize(
    "row",
    [
        ORDER_ROW | {"orderId": "", "orderLinkId": ""},
        ORDER_ROW | {"orderId": "a b"},
        ORDER_ROW | {"orderLinkId": "\u202e"},
        ORDER_ROW | {"cumExecQty": "many"},
        ORDER_ROW | {"updatedTime": "1684476068"},
    ],
)
def test_a_row_that_would_ring_for_nobody_knows_whom_is_malformed(row) -> None:
    with pytest.raises(MalformedAnswer):
        understand(json.dumps({"topic": "order.spot", "data": [row]}))


def test_a_text_that_is_none_is_malformed() -> None:
    with pytest.raises(MalformedAnswer):
        understand("\ud800")
