"""What is said to Binance's stream and what its texts ring for, by the documented samples."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain.enums import OrderStatus
from trading.domain.errors import MalformedAnswer
from trading.exchanges.binance.stream_talk import (
    PING,
    SUBSCRIBED,
    find_status,
    signed_text,
    subscribe_text,
    understand,
)
from trading.exchanges.query_string import sign
from trading.exchanges.streams import StreamEvent, StreamEventKind
from trading.exchanges.text_stream import Heard

KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
REPORT: dict[str, Any] = {
    "e": "executionReport",
    "E": 1499405658658,
    "s": "ETHBTC",
    "c": "mUvoqJxFIILMdfAW5iGSOW",
    "S": "BUY",
    "C": "",
    "x": "NEW",
    "X": "NEW",
    "i": 4293153,
    "z": "0.00000000",
    "T": 1499405658657,
    "t": -1,
}
ORDER = StreamEvent(
    StreamEventKind.ORDER,
    symbol="ETHBTC",
    client_order_id="mUvoqJxFIILMdfAW5iGSOW",
    exchange_order_id="ETHBTC:4293153",
    filled_quantity=Decimal(0),
    status=OrderStatus.OPEN,
    at_ms=1499405658657,
)


def event(row: Any) -> str:
    return json.dumps({"subscriptionId": 0, "event": row})


def answer(**fields: Any) -> str:
    return json.dumps({"id": SUBSCRIBED, "status": 200, **fields})


def test_the_published_vector_of_a_signed_request() -> None:
    words = {
        "symbol": "BTCUSDT",
        "side": "SELL",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "0.01000000",
        "price": "52000.00",
        "recvWindow": 100,
        "timestamp": 1645423376532,
        "apiKey": KEY,
    }
    signature = "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24"
    assert sign(SECRET, signed_text(words)) == signature


def test_the_subscription_is_signed_in_the_order_of_the_alphabet_and_holds_no_secret() -> None:
    said = json.loads(subscribe_text(KEY, SECRET, 1747385641636))
    assert said["method"] == "userDataStream.subscribe.signature"
    text = f"apiKey={KEY}&recvWindow=5000&timestamp=1747385641636"
    assert said["params"] == {
        "apiKey": KEY,
        "recvWindow": 5000,
        "timestamp": 1747385641636,
        "signature": sign(SECRET, text),
    }


def test_a_subscription_counts_with_its_number_only() -> None:
    assert understand(answer(result={"subscriptionId": 0})) == Heard(granted=SUBSCRIBED)
    for result in ({}, None, {"subscriptionId": "x"}, []):
        with pytest.raises(MalformedAnswer):
            understand(answer(result=result))


def test_an_answer_to_a_ping_is_a_sign_of_life() -> None:
    assert understand(json.dumps({"id": json.loads(PING)["id"], "status": 200, "result": {}})) == Heard()


@pytest.mark.parametrize(
    "text",
    [
        answer(status=400, error={"code": -1022, "msg": "Signature for this request is not valid."}),
        json.dumps(
            {"id": "ping", "status": 429, "error": {"code": -1003, "msg": "Too much request weight."}}
        ),
        json.dumps({"id": None, "status": 400, "error": {"code": -1135, "msg": "Invalid JSON Request"}}),
        json.dumps({"id": "somebody", "status": 200, "result": {"subscriptionId": 0}}),
        "{}",
        event({"e": "eventStreamTerminated", "E": 1728973001334}),
        json.dumps({"event": {"e": "serverShutdown", "E": 1770123456789}}),
    ],
)
def test_a_refusal_a_farewell_and_what_nobody_asked_for_are_trouble(text: str) -> None:
    heard = understand(text)
    assert heard.trouble and not heard.granted and not heard.events


def test_what_a_refusal_says() -> None:
    refused = answer(status=418, error={"code": -1003, "msg": "banned"})
    assert find_status(refused) == 418
    assert find_status("{}") == 0


def test_a_report_of_an_order() -> None:
    assert understand(event(REPORT)).events == (ORDER,)


def test_a_report_of_a_fill_rings_for_the_order_and_the_fill() -> None:
    fill = REPORT | {"x": "TRADE", "X": "PARTIALLY_FILLED", "z": "0.4", "t": 57, "l": "0.4", "L": "0.1"}
    order, traded = understand(event(fill)).events
    assert (order.status, order.filled_quantity) == (OrderStatus.PARTIALLY_FILLED, Decimal("0.4"))
    assert (traded.kind, traded.exchange_order_id) == (StreamEventKind.FILL, "ETHBTC:4293153")
    assert traded.filled_quantity is None and traded.status is None


def test_on_a_cancel_the_order_goes_by_its_own_name() -> None:
    canceled = REPORT | {"x": "CANCELED", "X": "CANCELED", "c": "cancel-1", "C": "ours"}
    (told,) = understand(event(canceled)).events
    assert (told.client_order_id, told.status) == ("ours", OrderStatus.CANCELED)


def test_a_status_nobody_knows_is_an_order_to_look_at_and_an_event_nobody_knows_a_sign_of_life() -> None:
    (told,) = understand(event(REPORT | {"X": "DREAMING"})).events
    assert told.status is None and told.exchange_order_id == ORDER.exchange_order_id
    assert understand(event({"e": "listStatus", "E": 1})) == Heard()


def test_balances_ring_one_by_one() -> None:
    position = {
        "e": "outboundAccountPosition",
        "E": 1564034571105,
        "u": 1564034571073,
        "B": [{"a": "ETH", "f": "1", "l": "0"}, {"a": "BTC", "f": "1", "l": "0"}],
    }
    change = {"e": "balanceUpdate", "E": 1573200697110, "a": "BTC", "d": "100.0", "T": 1573200697068}
    assert [one.asset for one in understand(event(position)).events] == ["ETH", "BTC"]
    (told,) = understand(event(change)).events
    assert (told.kind, told.asset, told.at_ms) == (StreamEventKind.BALANCE, "BTC", 1573200697068)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "pong",
        '"\ud800"',
        event(None),
        event({"E": 1}),
        event(REPORT | {"s": ""}),
        event(REPORT | {"s": "A B"}),
        event(REPORT | {"i": "C02__1"}),
        event(REPORT | {"i": -1}),
        event(REPORT | {"z": "-1"}),
        event(REPORT | {"T": 0}),
        event(REPORT | {"T": 1499405658}),
        event(REPORT | {"x": None}),
        event({"e": "outboundAccountPosition", "E": 1, "u": 1564034571073, "B": [{"f": "1"}]}),
    ],
)
def test_what_does_not_fit_cannot_be_trusted(text: str) -> None:
    with pytest.raises(MalformedAnswer):
        understand(text)


scalars = (
    st.none() | st.booleans() | st.integers(-5, 2**42) | st.text(max_size=8) | st.floats(allow_nan=False)
)
names = st.sampled_from([*REPORT, "B", "a", "u", "id", "status", "result", "error"])


@given(st.dictionaries(names, scalars | st.lists(scalars, max_size=2), max_size=6), st.booleans())
def test_whatever_comes_it_is_understood_or_refused_and_grants_nothing_unasked(changes, as_event) -> None:
    text = event(REPORT | changes) if as_event else json.dumps(changes)
    try:
        heard = understand(text)
    except MalformedAnswer:
        return
    assert not heard.granted or changes.get("id") == SUBSCRIBED
    assert all(one.symbol or one.asset for one in heard.events)
