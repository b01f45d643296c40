"""Orders in MEXC's form: plain decimals, the time in force as a type, nothing ambiguous."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.exchanges.making import make_place_request
from trading.domain.enums import OrderType, TimeInForce
from trading.domain.errors import InvalidInput
from trading.exchanges.mexc.order_form import order_key_pairs, place_pairs


def test_a_limit_order() -> None:
    request = make_place_request(quantity=Decimal("0.0000001"), price=Decimal("5E+4"))
    assert dict(place_pairs(request)) == {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "type": "LIMIT",
        "quantity": "0.0000001",
        "price": "50000",
        "newClientOrderId": "lvtest0000000000000000000000001",
    }


@pytest.mark.parametrize(
    ("time_in_force", "word"),
    [(TimeInForce.GTC, "LIMIT"), (TimeInForce.IOC, "IMMEDIATE_OR_CANCEL"), (TimeInForce.FOK, "FILL_OR_KILL")],
)
def test_the_time_in_force_is_the_type(time_in_force: TimeInForce, word: str) -> None:
    pairs = dict(place_pairs(make_place_request(time_in_force=time_in_force)))
    assert pairs["type"] == word
    assert "timeInForce" not in pairs


def test_market_orders_by_quantity_and_by_quote() -> None:
    market = {"order_type": OrderType.MARKET, "price": None}
    by_quantity = dict(place_pairs(make_place_request(**market)))
    by_quote = dict(place_pairs(make_place_request(**market, quantity=None, quote_quantity=Decimal(100))))
    assert (by_quantity["quantity"], "quoteOrderQty" in by_quantity) == ("0.001", False)
    assert (by_quote["quoteOrderQty"], "quantity" in by_quote) == ("100", False)
    assert "price" not in by_quote


@pytest.mark.parametrize(
    "changes",
    [
        {"client_order_id": ""},
        {"client_order_id": "x" * 33},
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
def test_what_has_no_form_is_refused_here(changes: dict) -> None:
    with pytest.raises(InvalidInput):
        place_pairs(make_place_request(**changes))


def test_an_order_is_named_by_the_venues_id_first() -> None:
    assert order_key_pairs("X", "mine", "theirs") == [("symbol", "X"), ("orderId", "theirs")]
    assert order_key_pairs("X", "mine", "") == [("symbol", "X"), ("origClientOrderId", "mine")]
    with pytest.raises(InvalidInput):
        order_key_pairs("X", "", "")
