"""Frames: what they ring for, and that no bytes whatever do more than end the connection."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.exchanges.mexc.samples import ACCOUNT_FRAME, DEALS_FRAME, ORDERS_FRAME
from trading.domain.enums import OrderStatus
from trading.domain.errors import MalformedAnswer
from trading.exchanges.mexc.frames import BODIES, PushFrame
from trading.exchanges.mexc.stream_events import (
    ACCOUNT_CHANNEL,
    CHANNELS,
    DEALS_CHANNEL,
    ORDERS_CHANNEL,
    parse_frame,
)
from trading.exchanges.streams import StreamEvent, StreamEventKind

SENT = 1_795_393_478_580
FRAMES = (ORDERS_FRAME, DEALS_FRAME, ACCOUNT_FRAME)
BODY_OF = dict(zip(CHANNELS, BODIES, strict=True))


def frame(channel: str, body: dict[str, Any] | None, *, into: str = "", **wrapper: Any) -> bytes:
    """The frame of a channel; `into` for a body that does not belong to it."""
    bodies = {} if body is None else {into or BODY_OF[channel]: body}
    made: bytes = PushFrame(**{"channel": channel} | bodies | wrapper).SerializeToString()
    return made


def order(**fields: Any) -> bytes:
    return frame(ORDERS_CHANNEL, {"id": "C02__1", "clientId": "lv1"} | fields, symbol="BTCUSDT")


def test_the_venues_own_samples_are_read() -> None:
    assert parse_frame(ORDERS_FRAME) == StreamEvent(
        StreamEventKind.ORDER,
        symbol="MXUSDT",
        exchange_order_id="C02__505979017439002624115",
        filled_quantity=Decimal(1),
        status=OrderStatus.FILLED,
        at_ms=1_736_417_034_281,
    )
    assert parse_frame(DEALS_FRAME) == StreamEvent(
        StreamEventKind.FILL,
        symbol="MXUSDT",
        exchange_order_id="C02__505979017439002624115",
        at_ms=1_736_417_034_280,
    )
    assert parse_frame(ACCOUNT_FRAME) == StreamEvent(
        StreamEventKind.BALANCE, asset="USDT", at_ms=1_736_416_910_000
    )


@pytest.mark.parametrize(
    ("number", "status"),
    [
        (1, OrderStatus.OPEN),
        (2, OrderStatus.FILLED),
        (3, OrderStatus.PARTIALLY_FILLED),
        (4, OrderStatus.CANCELED),
        (5, OrderStatus.CANCELED),
        (0, None),
        (6, None),
        (-1, None),
        (2**31 - 1, None),
    ],
)
def test_a_status_nobody_knows_still_rings_for_its_order(number: int, status: OrderStatus | None) -> None:
    event = parse_frame(order(status=number))
    assert event is not None
    assert (event.exchange_order_id, event.status) == ("C02__1", status)


def test_what_the_wire_leaves_out_was_not_said() -> None:
    event = parse_frame(frame(ORDERS_CHANNEL, {"id": "C02__1"}))
    assert event == StreamEvent(StreamEventKind.ORDER, exchange_order_id="C02__1")


def test_the_time_of_an_event_is_not_that_of_its_order() -> None:
    body = {"id": "C02__1", "createTime": SENT - 60_000}
    event = parse_frame(frame(ORDERS_CHANNEL, body, sendTime=SENT))
    assert event is not None and event.at_ms == SENT


@pytest.mark.parametrize("channel", ["spot@public.deals.v3.api.pb@BTCUSDT", "spot@private.orders.v4.api.pb"])
def test_a_frame_of_another_channel_is_left_alone(channel: str) -> None:
    assert parse_frame(frame(channel, {"id": "C02__1"}, into="privateOrders")) is None


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (b"", "channel"),
        (frame("", {"id": "C02__1"}, into="privateOrders"), "channel"),
        (frame(ORDERS_CHANNEL, None), "body"),
        (frame(ORDERS_CHANNEL, {"orderId": "C02__1"}, into="privateDeals"), "body"),
        (frame(ORDERS_CHANNEL, {}), "id"),
        (frame(DEALS_CHANNEL, {"price": "1"}), "id"),
        (frame(ACCOUNT_CHANNEL, {"balanceAmount": "1"}), "vcoinName"),
        (order(id="x" * 129), "id"),
        (order(id="a\x00b"), "id"),
        (order(clientId="a b"), "clientId"),
        (order(cumulativeQuantity="-1"), "cumulativeQuantity"),
        (order(cumulativeQuantity="NaN"), "cumulativeQuantity"),
        (order(cumulativeQuantity="1e999"), "cumulativeQuantity"),
        (order(cumulativeQuantity="many"), "cumulativeQuantity"),
        (frame(DEALS_CHANNEL, {"orderId": "C02__1", "time": 1_795_393_478}), "time"),
        (frame(DEALS_CHANNEL, {"orderId": "C02__1", "time": -5}), "time"),
    ],
)
def test_what_does_not_fit_is_refused_by_the_name_of_its_field(data: bytes, field: str) -> None:
    with pytest.raises(MalformedAnswer, match=field):
        parse_frame(data)


def test_a_field_of_another_type_counts_as_not_said() -> None:
    """As proto3 has it. An id that is a number is no id, so the frame rings for nobody."""
    body = bytes([0x08, 0x07])  # field 1, a varint
    wrapper = frame(ORDERS_CHANNEL, None) + bytes([0x82, 0x13, len(body)]) + body  # field 304
    with pytest.raises(MalformedAnswer, match="id"):
        parse_frame(wrapper)


@pytest.mark.parametrize("whole", FRAMES)
def test_a_frame_without_its_end_is_refused_wherever_it_stops(whole: bytes) -> None:
    for length in range(len(whole)):
        with pytest.raises(MalformedAnswer):
            parse_frame(whole[:length])


def read_safely(data: bytes) -> None:
    """The whole promise: an event whose words can be stored, None, or MalformedAnswer."""
    try:
        event = parse_frame(data)
    except MalformedAnswer:
        return
    if event is not None:
        for word in (event.symbol, event.client_order_id, event.exchange_order_id, event.asset):
            assert len(word) <= 128 and (not word or word.isprintable())
        assert event.filled_quantity is None or event.filled_quantity >= 0
        assert event.asset or event.exchange_order_id or event.client_order_id


@given(st.binary(max_size=400))
def test_no_bytes_crash_it(data: bytes) -> None:
    read_safely(data)


@given(st.sampled_from(FRAMES), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4))
def test_no_spoiled_frame_crashes_it(whole: bytes, changes: list[tuple[int, int]]) -> None:
    spoiled = bytearray(whole)
    for place, byte in changes:
        spoiled[place % len(spoiled)] = byte
    read_safely(bytes(spoiled))


@given(
    channel=st.sampled_from(CHANNELS),
    body=st.sampled_from(list(BODIES)),
    words=st.tuples(*[st.text(max_size=140)] * 3),
    number=st.integers(-(2**31), 2**31 - 1),
    stamp=st.integers(-(2**63), 2**63 - 1),
)
def test_no_fields_crash_it(channel: str, body: str, words: tuple[str, ...], number: int, stamp: int) -> None:
    one, two, three = words
    fields: dict[str, dict[str, Any]] = {
        "privateOrders": {"id": one, "clientId": two, "cumulativeQuantity": three, "status": number},
        "privateDeals": {"orderId": one, "clientOrderId": two, "price": three, "time": stamp},
        "privateAccount": {"vcoinName": one, "time": stamp},
    }
    read_safely(frame(channel, fields[body], into=body, symbol=two, createTime=stamp))
