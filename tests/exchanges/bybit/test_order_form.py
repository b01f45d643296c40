"""Orders in Bybit's form: never borrowed, the unit of a market order always said, plain decimals."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.exchanges.making import make_place_request
from trading.domain.enums import OrderType, Side, TimeInForce
from trading.domain.errors import InvalidInput
from trading.exchanges.bybit.order_form import cancel_all_pairs, cancel_pairs, order_key_pairs, place_pairs


def test_a_limit_order() -> None:
    request = make_place_request(quantity=Decimal("0.0000001"), price=Decimal("5E+4"))
    assert dict(place_pairs(request)) == {
        "category": "spot",
        "symbol": "BTCUSDT",
        "side": "Buy",
        "orderType": "Limit",
        "qty": "0.0000001",
        "price": "50000",
        "timeInForce": "GTC",
        "orderLinkId": "lvtest0000000000000000000000001",
        "isLeverage": "0",
        "orderFilter": "Order",
    }


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize(
    ("sized", "quantity", "unit"),
    [
        ({"quantity": Decimal("0.5"), "quote_quantity": None}, "0.5", "baseCoin"),
        ({"quantity": None, "quote_quantity": Decimal("100.5")}, "100.5", "quoteCoin"),
    ],
)
def test_a_market_order_always_says_its_unit(side, sized, quantity, unit) -> None:
    pairs = dict(place_pairs(make_place_request(order_type=OrderType.MARKET, price=None, side=side, **sized)))
    assert (pairs["qty"], pairs["marketUnit"], pairs["orderType"]) == (quantity, unit, "Market")
    assert pairs["isLeverage"] == "0"
    assert "price" not in pairs


@pytest.mark.parametrize(
    ("order_type", "time_in_force", "word"),
    [
        (OrderType.LIMIT, TimeInForce.IOC, "IOC"),
        (OrderType.LIMIT, TimeInForce.FOK, "FOK"),
        (OrderType.LIMIT_MAKER, TimeInForce.GTC, "PostOnly"),
    ],
)
def test_the_time_in_force_has_a_word_and_post_only_is_one(order_type, time_in_force, word) -> None:
    pairs = dict(place_pairs(make_place_request(order_type=order_type, time_in_force=time_in_force)))
    assert (pairs["orderType"], pairs["timeInForce"]) == ("Limit", word)


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_order_id": ""},
        {"client_order_id": "x" * 37},
        {"client_order_id": "a b"},
        {"quantity": None},
        {"quote_quantity": Decimal(1)},
        {"quantity": None, "quote_quantity": Decimal(1)},
        {"price": None},
        {"order_type": OrderType.MARKET},
        {"order_type": OrderType.LIMIT_MAKER, "time_in_force": TimeInForce.IOC},
    ],
)
def test_what_has_no_form_is_refused(wrong: dict) -> None:
    with pytest.raises(InvalidInput):
        place_pairs(make_place_request(**wrong))


def test_an_order_is_named_by_the_venues_id_where_it_is_known() -> None:
    assert order_key_pairs("ours", "theirs") == [("orderId", "theirs")]
    assert order_key_pairs("ours", "") == [("orderLinkId", "ours")]
    with pytest.raises(InvalidInput):
        order_key_pairs("", "")


def test_cancels_stay_inside_spot_and_its_plain_orders() -> None:
    assert cancel_pairs("BTCUSDT", "ours", "") == [
        ("category", "spot"),
        ("symbol", "BTCUSDT"),
        ("orderLinkId", "ours"),
    ]
    assert cancel_all_pairs(None) == [("category", "spot"), ("orderFilter", "Order")]
    assert cancel_all_pairs("BTCUSDT")[1] == ("symbol", "BTCUSDT")
