"""Orders in Binance's form: plain decimals, a time in force only where the venue takes one, nothing ambiguous."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.exchanges.making import make_place_request
from trading.domain.enums import OrderType, TimeInForce
from trading.domain.errors import InvalidInput
from trading.exchanges.binance.order_form import order_key_pairs, place_pairs


def test_a_limit_order() -> None:
    request = make_place_request(quantity=Decimal("0.0000001"), price=Decimal("5E+4"))
    assert dict(place_pairs(request)) == {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "0.0000001",
        "price": "50000",
        "newClientOrderId": "lvtest0000000000000000000000001",
        "newOrderRespType": "RESULT",
    }


@pytest.mark.parametrize("time_in_force", list(TimeInForce))
def test_the_time_in_force_of_a_limit_order(time_in_force: TimeInForce) -> None:
    pairs = dict(place_pairs(make_place_request(time_in_force=time_in_force)))
    assert (pairs["type"], pairs["timeInForce"]) == ("LIMIT", time_in_force.value)


def test_market_and_maker_orders_name_no_time_in_force() -> None:
    market = {"order_type": OrderType.MARKET, "price": None}
    by_quantity = dict(place_pairs(make_place_request(**market)))
    by_quote = dict(place_pairs(make_place_request(**market, quantity=None, quote_quantity=Decimal(100))))
    maker = dict(place_pairs(make_place_request(order_type=OrderType.LIMIT_MAKER)))
    assert all("timeInForce" not in pairs for pairs in (by_quantity, by_quote, maker))
    assert (by_quantity["quantity"], "quoteOrderQty" in by_quantity) == ("0.001", False)
    assert (by_quote["quoteOrderQty"], "quantity" in by_quote) == ("100", False)


@pytest.mark.parametrize(
    "changes",
    [
        {"client_order_id": ""},
        {"client_order_id": "x" * 37},
        {"client_order_id": "a b"},
        {"client_order_id": "a\n"},
        {"quantity": None},
        {"quote_quantity": Decimal(1)},
        {"quantity": None, "quote_quantity": Decimal(1)},
        {"price": None},
        {"order_type": OrderType.MARKET},
        {"order_type": OrderType.LIMIT_MAKER, "time_in_force": TimeInForce.IOC},
    ],
)
def test_what_has_no_form_is_refused_before_it_is_sent(changes: dict) -> None:
    with pytest.raises(InvalidInput):
        place_pairs(make_place_request(**changes))


def test_an_order_is_named_by_the_venues_number_where_it_is_known() -> None:
    assert list(order_key_pairs("BTCUSDT", "ours", "BTCUSDT:28")) == [
        ("symbol", "BTCUSDT"),
        ("orderId", "28"),
    ]
    assert list(order_key_pairs("BTCUSDT", "ours", "")) == [
        ("symbol", "BTCUSDT"),
        ("origClientOrderId", "ours"),
    ]
    for client, venue in (("", ""), ("ours", "ETHUSDT:28"), ("", "abc")):
        with pytest.raises(InvalidInput):
            order_key_pairs("BTCUSDT", client, venue)
