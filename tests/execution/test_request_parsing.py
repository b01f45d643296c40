"""Client input: every mistake is named with its field, and nothing that is not exactly one request gets through."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from trading.domain.enums import OrderType, Side, TimeInForce
from trading.domain.errors import InvalidInput
from trading.execution.request_parsing import FIELDS, check_age, parse_request

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
GOOD = {"symbol": "btc/usdt", "side": "buy", "quantity": "0.01"}


def parse(**changes):
    return parse_request({**GOOD, **changes})


def test_a_plain_body_is_a_market_order():
    order = parse(strategy="Momentum", account="paper").order
    assert (order.symbol, order.side, order.order_type) == ("BTC/USDT", Side.BUY, OrderType.MARKET)
    assert (order.quantity, order.time_in_force) == (Decimal("0.01"), TimeInForce.GTC)


def test_a_price_makes_it_a_limit_order():
    assert parse(price="50000").order.order_type is OrderType.LIMIT


def test_names_are_kept_apart_from_the_order():
    parsed = parse(strategy="Momentum", account="paper", source_id="abc")
    assert (parsed.strategy, parsed.account, parsed.source_id) == ("momentum", "paper", "abc")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"quantity": "0"}, "quantity"),
        ({"quantity": "-1"}, "quantity"),
        ({"quantity": "NaN"}, "quantity"),
        ({"quantity": "Infinity"}, "quantity"),
        ({"quantity": "1e400"}, "quantity"),
        ({"quantity": "1e999999999"}, "quantity"),
        ({"quantity": "0." + "0" * 18 + "1"}, "quantity"),
        ({"quantity": 0.01}, "quantity"),
        ({"quantity": True}, "quantity"),
        ({"quantity": []}, "quantity"),
        ({"quantity": "ten"}, "quantity"),
        ({"quantity": "9" * 65}, "quantity"),
        ({"quantity": None}, "quantity"),
        ({"quote_quantity": "10"}, "quantity"),
        ({"price": "0"}, "price"),
        ({"price": "-5"}, "price"),
        ({"order_type": "LIMIT"}, "price"),
        ({"order_type": "MARKET", "price": "5"}, "price"),
        ({"order_type": "STOP"}, "order_type"),
        ({"side": "HOLD"}, "side"),
        ({"side": ""}, "side"),
        ({"side": None}, "side"),
        ({"side": 1}, "side"),
        ({"time_in_force": "GTD"}, "time_in_force"),
        ({"time_in_force": "IOC"}, "time_in_force"),
        ({"reduce_only": "true"}, "reduce_only"),
        ({"reduce_only": 1}, "reduce_only"),
        ({"last_price": "0"}, "last_price"),
        ({"symbol": ""}, "symbol"),
        ({"symbol": None}, "symbol"),
        ({"symbol": ["BTC/USDT"]}, "symbol"),
        ({"symbol": "B" * 61}, "symbol"),
        ({"symbol": "BTC\x00USDT"}, "symbol"),
        ({"strategy": "a\nb"}, "strategy"),
        ({"strategy": "not a name!"}, "strategy"),
        ({"strategy": "s" * 41}, "strategy"),
        ({"account": {}}, "account"),
        ({"source_id": "k" * 201}, "source_id"),
        ({"sent_at": "yesterday"}, "sent_at"),
        ({"sent_at": "2026-03-01T12:00:00"}, "sent_at"),
        ({"sent_at": 1772366400}, "sent_at"),
        ({"pirce": "50000"}, "pirce"),
        ({7: "x"}, "7"),
    ],
)
def test_a_mistake_names_its_field(changes, field):
    with pytest.raises(InvalidInput) as caught:
        parse_request({**GOOD, **changes})
    assert caught.value.context["field"] == field


@pytest.mark.parametrize("body", [None, [], "BUY", 7])
def test_a_body_that_is_no_object_is_refused(body):
    with pytest.raises(InvalidInput):
        parse_request(body)


@pytest.mark.parametrize(
    ("seconds", "said"), [(6, "in the future"), (86_400, "in the future"), (-301, "too long ago")]
)
def test_a_signal_from_the_future_or_the_past_is_refused(seconds, said):
    with pytest.raises(InvalidInput, match=said):
        check_age(parse(sent_at=(NOW + timedelta(seconds=seconds)).isoformat()), NOW)


@pytest.mark.parametrize("seconds", [5, 0, -300])
def test_clocks_may_differ_a_little(seconds):
    check_age(parse(sent_at=(NOW + timedelta(seconds=seconds)).isoformat()), NOW)


def test_every_known_field_may_be_named():
    with pytest.raises(InvalidInput, match="Known fields: " + ", ".join(FIELDS)):
        parse(qty="1")
