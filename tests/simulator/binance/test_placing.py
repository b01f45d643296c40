"""Placing orders at the simulated Binance: types, answers, filters, names, and what refuses them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.simulator.binance.client import BinanceClient, code, refusal

BTC = {"symbol": "BTCUSDT", "side": "BUY"}


def test_a_market_order_answers_with_its_fills_and_the_fee_in_what_it_bought(client, binance) -> None:
    order = client.place("MARKET", quantity="0.3").json()
    assert (order["status"], order["price"], order["executedQty"]) == ("FILLED", "0.00000000", "0.30000000")
    assert len(order["fills"]) > 1
    assert {fill["commissionAsset"] for fill in order["fills"]} == {"BTC"}
    spent = sum(Decimal(fill["price"]) * Decimal(fill["qty"]) for fill in order["fills"])
    assert Decimal(order["cummulativeQuoteQty"]) == spent
    fees = sum(Decimal(fill["commission"]) for fill in order["fills"])
    assert Decimal(client.free("BTC")) == Decimal("0.3") - fees
    listed = client.fills(orderId=order["orderId"])
    assert [fill["id"] for fill in listed] == [fill["tradeId"] for fill in order["fills"]]
    assert binance.book_differences() == []


def test_a_sale_pays_its_fee_in_quote(client: BinanceClient, other: BinanceClient) -> None:
    sold = other.place("MARKET", side="SELL", quantity="0.001").json()
    assert {fill["commissionAsset"] for fill in sold["fills"]} == {"USDT"}


def test_fees_in_the_venues_own_coin_are_cheaper(client: BinanceClient, binance) -> None:
    binance.settings(fee_asset="third")
    (fill,) = client.place("MARKET", quantity="0.001").json()["fills"]
    assert fill["commissionAsset"] == "BNB"
    at_full_rate = Decimal(fill["price"]) * Decimal(fill["qty"]) / 1000
    assert Decimal(fill["commission"]) * 600 == pytest.approx(
        at_full_rate * Decimal("0.75"), rel=Decimal("0.01")
    )
    assert client.get("/api/v3/account/commission", symbol="BTCUSDT")["discount"]["enabledForAccount"]
    binance.set_balance("BNB", "0")
    (fill,) = client.place("MARKET", quantity="0.001").json()["fills"]
    assert fill["commissionAsset"] == "BTC"


def test_a_market_order_by_quote_spends_at_most_that_on_either_side(client: BinanceClient) -> None:
    bought = client.place("MARKET", quoteOrderQty="500.12345678").json()
    assert bought["status"] == "FILLED"
    assert bought["origQuoteOrderQty"] == "500.12345678"
    assert Decimal(499) < Decimal(bought["cummulativeQuoteQty"]) <= Decimal("500.12345678")
    sold = client.place("MARKET", side="SELL", quoteOrderQty="100").json()
    assert (sold["status"], sold["origQty"]) == ("FILLED", sold["executedQty"])


def test_the_answer_has_the_form_that_was_asked_for(client: BinanceClient) -> None:
    limit, maker = client.place().json(), client.place("LIMIT_MAKER", quantity="0.01", price="40000").json()
    assert (limit["status"], limit["fills"], limit["timeInForce"]) == ("NEW", [], "GTC")
    assert set(maker) == {"symbol", "orderId", "orderListId", "clientOrderId", "transactTime"}
    assert set(client.place(newOrderRespType="ACK").json()) == set(maker)
    assert set(limit) - set(client.place(newOrderRespType="RESULT").json()) == {"fills"}
    assert isinstance(limit["orderId"], int)
    assert limit["orderId"] > 2**53


def test_immediate_and_whole_or_nothing_orders_expire_with_what_is_left(client: BinanceClient) -> None:
    deep = {"quantity": "1.9", "price": "50100"}
    immediate = client.place(timeInForce="IOC", **{**deep, "price": "50000.01"}).json()
    assert immediate["status"] == "EXPIRED"
    assert 0 < Decimal(immediate["executedQty"]) < 2
    assert immediate["expiryReason"] == "UNFILLED_IOC_QUANTITY_EXPIRED"
    whole = client.place(timeInForce="FOK", **{**deep, "price": "50000.01"}).json()
    assert (whole["status"], whole["executedQty"]) == ("EXPIRED", "0.00000000")
    assert whole["expiryReason"] == "UNFILLED_FOK_ORDER_EXPIRED"
    assert client.place(timeInForce="FOK", quantity="0.001", price="50100").json()["status"] == "FILLED"


def test_a_market_order_without_depth_expires_or_is_refused_by_quote(client: BinanceClient, binance) -> None:
    binance.change_instrument("BTCUSDT", depth_notional="0")
    order = client.place("MARKET", quantity="0.01", newClientOrderId="thin").json()
    assert (order["status"], order["expiryReason"]) == ("EXPIRED", "INSUFFICIENT_LIQUIDITY")
    assert client.query("thin")["status"] == "EXPIRED"
    assert refusal(client.place("MARKET", quoteOrderQty="100"))[1:] == (
        -2010,
        "Order book liquidity is less than symbol minimum quantity.",
    )


def test_a_post_only_order_that_would_take_is_refused(client: BinanceClient, binance) -> None:
    answer = client.place("LIMIT_MAKER", quantity="0.01", price="50100")
    assert refusal(answer) == (400, -2010, "Order would immediately match and take.")
    assert binance.orders() == []


# -- names ---------------------------------------------------------------------------------------------------------


def test_a_name_is_taken_only_while_its_order_is_open(client: BinanceClient, binance) -> None:
    first = client.rest("same")
    assert refusal(client.place(newClientOrderId="same")) == (400, -2010, "Duplicate order sent.")
    client.cancel("same")
    again = client.place("MARKET", quantity="0.001", newClientOrderId="same").json()
    twice = client.place("MARKET", quantity="0.001", newClientOrderId="same").json()
    assert len({first, again["orderId"], twice["orderId"]}) == 3
    assert client.query("same")["orderId"] == twice["orderId"]
    assert len(binance.fills()) == 2


def test_an_order_without_a_name_gets_one(client: BinanceClient) -> None:
    names = {client.place().json()["clientOrderId"] for _ in range(2)}
    assert len(names) == 2
    assert {row["clientOrderId"] for row in client.get("/api/v3/openOrders")} == names


@pytest.mark.parametrize("name", ["a" * 37, "a b", "a.b", "ü"])
def test_names_have_a_legal_range(client: BinanceClient, binance, name: str) -> None:
    assert code(client.place(newClientOrderId=name)) == (400, -1100)
    assert binance.orders() == []


# -- refusals ------------------------------------------------------------------------------------------------------

WRONG: dict[str, tuple[dict[str, Any], int, str]] = {
    "no type": ({"type": None}, -1102, "'type' was not sent"),
    "unknown type": ({"type": "PEGGED"}, -1116, "Invalid orderType."),
    "a stop": ({"type": "STOP_LOSS", "stopPrice": "1"}, -2010, "Stop loss orders are not supported"),
    "unknown side": ({"side": "HOLD"}, -1117, "Invalid side."),
    "no time in force": ({"timeInForce": None}, -1102, "'timeInForce' was not sent"),
    "unknown time in force": ({"timeInForce": "DAY"}, -1115, "Invalid timeInForce."),
    "a time in force with MARKET": ({"type": "MARKET", "price": None}, -1106, "'timeInForce' sent when not"),
    "a price with MARKET": ({"type": "MARKET", "timeInForce": None}, -1106, "'price' sent when not required"),
    "a time in force with LIMIT_MAKER": ({"type": "LIMIT_MAKER"}, -1106, "'timeInForce' sent when not"),
    "a budget with LIMIT": ({"quoteOrderQty": "10"}, -1106, "'quoteOrderQty' sent when not required"),
    "an iceberg": ({"icebergQty": "0.001"}, -2010, "Iceberg orders are not supported"),
    "no quantity": ({"quantity": None}, -1102, "'quantity' was not sent"),
    "zero": ({"quantity": "0"}, -1013, "Invalid quantity."),
    "a price of zero": ({"price": "0.00"}, -1013, "Invalid price."),
    "a negative quantity": ({"quantity": "-1"}, -1100, "legal range is '^([0-9]{1,20})"),
    "an exponent": ({"quantity": "1e-2"}, -1100, "parameter 'quantity'"),
    "nine decimals": ({"quantity": "0.010000001"}, -1111, "'quantity' has too much precision"),
    "between the steps": ({"quantity": "0.000015"}, -1013, "Filter failure: LOT_SIZE"),
    "below the least": ({"quantity": "0.000001"}, -1013, "Filter failure: LOT_SIZE"),
    "above the most": ({"quantity": "9000.00001"}, -1013, "Filter failure: LOT_SIZE"),
    "between the ticks": ({"price": "40000.001"}, -1013, "Filter failure: PRICE_FILTER"),
    "above the highest": ({"price": "1000000.01"}, -1013, "Filter failure: PRICE_FILTER"),
    "far above": ({"price": "250001"}, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
    "far below": ({"price": "9999"}, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
    "too small a value": ({"quantity": "0.0001"}, -1013, "Filter failure: NOTIONAL"),
    "too small a value, older": (
        {"symbol": "XRPUSDT", "quantity": "1", "price": "0.5"},
        -1013,
        "Filter failure: MIN_NOTIONAL",
    ),
    "too much money": ({"quantity": "3"}, -2010, "Account has insufficient balance"),
    "too many coins": ({"side": "SELL", "price": "60000"}, -2010, "Account has insufficient balance"),
    "an unknown symbol": ({"symbol": "NOSUCH"}, -1121, "Invalid symbol."),
    "lower case": ({"symbol": "btcusdt"}, -1100, "parameter 'symbol'"),
    "a paused symbol": ({"symbol": "PAUSEDUSDT", "quantity": "10", "price": "1"}, -2010, "Market is closed."),
    "a symbol to cancel on only": (
        {"symbol": "CANCELONLYUSDT", "quantity": "10", "price": "1"},
        -2010,
        "Market is closed.",
    ),
    "a symbol of other accounts": (
        {"symbol": "NOAPIUSDT", "quantity": "10", "price": "1"},
        -2010,
        "This symbol is not permitted for this account.",
    ),
    "an unknown kind of answer": ({"newOrderRespType": "ALL"}, -1130, "newOrderRespType"),
    "self-trade prevention": ({"selfTradePreventionMode": "DECREMENT"}, -1130, "selfTradePreventionMode"),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_wrong_order_is_refused_with_its_own_words(client: BinanceClient, binance, mistake: str) -> None:
    changes, expected, words = WRONG[mistake]
    usual = {**BTC, "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01", "price": "40000"}
    wanted = {name: content for name, content in (usual | changes).items() if content is not None}
    status, found, message = refusal(client.call("POST", "/api/v3/order", **wanted))
    assert (status, found) == (400, expected), message
    assert words in message
    if expected not in (-2010,):
        assert refusal(client.call("POST", "/api/v3/order/test", **wanted)) == (status, found, message)
    assert binance.orders() == []


def test_market_orders_have_bounds_of_their_own(client: BinanceClient, binance) -> None:
    binance.set_balance("USDT", "10000000")
    assert refusal(client.place("MARKET", quantity="100.00001"))[1:] == (
        -1013,
        "Filter failure: MARKET_LOT_SIZE",
    )
    assert code(client.place("MARKET", quoteOrderQty="4.99")) == (400, -1013)
    assert code(client.place("MARKET", quantity="0.01", quoteOrderQty="10")) == (400, -1128)
    assert code(client.place("MARKET")) == (400, -1102)
    assert refusal(client.place("MARKET", symbol="ETHUSDC", quantity="1"))[1:] == (
        -2010,
        "Market orders are not supported for this symbol.",
    )
    assert binance.orders() == []


def test_a_symbol_takes_two_hundred_open_orders(client: BinanceClient, binance) -> None:
    small = {"quantity": "0.001", "newOrderRespType": "ACK"}
    assert {client.place(**small).status_code for _ in range(200)} == {200}
    assert refusal(client.place(**small)) == (400, -1013, "Filter failure: MAX_NUM_ORDERS")
    assert client.place(symbol="ETHUSDT", quantity="0.1", price="2000").status_code == 200
    assert len(binance.orders()) == 201


def test_a_test_order_checks_and_does_nothing(client: BinanceClient, binance) -> None:
    usual = {**BTC, "type": "LIMIT", "timeInForce": "GTC", "quantity": "3", "price": "40000"}
    assert client.call("POST", "/api/v3/order/test", **usual).json() == {}
    told = client.call("POST", "/api/v3/order/test", **usual, computeCommissionRates="true").json()
    assert told["standardCommissionForOrder"]["taker"] == "0.00100000"
    assert binance.orders() == []


def test_a_name_that_is_no_ascii_can_be_traded(client: BinanceClient) -> None:
    order = client.place(symbol="币测USDT", quantity="10", price="0.9").json()
    assert (order["symbol"], order["status"]) == ("币测USDT", "NEW")
