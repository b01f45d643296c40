"""Orders: acknowledged before anything is known of them, and what becomes of them afterwards."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from simulator.bybit.orders import FOUND_OUT_LATER
from simulator.core.rows import EndCause, SimOrder, SimOrderStatus, SimOrderType, SimSide
from simulator.core.rules import SimOrderRequest
from simulator.core.trading import TradingVenue
from simulator.testing import ControlFailed
from tests.simulator.bybit.exchange import SMALL, put_up_exchange
from tests.simulator.bybit.signed_client import BybitClient, code, result


def test_an_acknowledgement_carries_ids_and_nothing_else(client: BybitClient, bybit):
    placed = result(client.place(qty="0.01", price="46000", orderLinkId="first"))
    assert placed == {"orderId": bybit.orders()[0]["order_id"], "orderLinkId": "first"}
    assert placed["orderId"].isdigit()
    order = client.order("first")
    assert (order["orderStatus"], order["rejectReason"], order["avgPrice"]) == ("New", "EC_NoError", "")
    assert (order["leavesQty"], order["price"], order["timeInForce"]) == ("0.01", "46000", "GTC")


LATER = {
    "post-only that would take": (
        {"price": "50100", "timeInForce": "PostOnly"},
        ("Cancelled", "EC_PostOnlyWillTakeLiquidity"),
    ),
    "buy above the price limit": ({"price": "55000.01"}, ("Rejected", "EC_ReachRiskPriceLimit")),
    "sell below the price limit": (
        {"side": "Sell", "price": "44999.99"},
        ("Rejected", "EC_ReachRiskPriceLimit"),
    ),
    "immediate without a counterpart": (
        {"price": "46000", "timeInForce": "IOC"},
        ("Cancelled", "EC_NoImmediateQtyToFill"),
    ),
    "whole or nothing": (
        {"price": "50010", "qty": "1.9", "timeInForce": "FOK"},
        ("Cancelled", "EC_CancelForNoFullFill"),
    ),
}


@pytest.mark.parametrize("name", LATER)
def test_what_the_venue_finds_out_later_ends_an_acknowledged_order(client: BybitClient, bybit, name: str):
    bybit.set_balance("BTC", "1")
    wanted, end = LATER[name]
    assert result(client.place(**({"qty": "0.01", "orderLinkId": "late"} | wanted)))["orderId"]
    order = client.order("late")
    assert (order["orderStatus"], order["rejectReason"]) == end
    assert (order["cumExecQty"], order["leavesQty"], order["avgPrice"]) == ("0", "0", "0")
    assert client.realtime() == []
    assert [row["orderLinkId"] for row in client.history()] == ["late"]
    assert bybit.balances()["USDT"]["locked"] == "0"
    assert bybit.fills() == []
    assert bybit.book_differences() == []


REFUSALS = {
    "unknown symbol": ({"symbol": "NOSUCH"}, 170121),
    "wrong side": ({"side": "BUY"}, 170117),
    "wrong type": ({"order_type": "LIMIT"}, 170116),
    "wrong time in force": ({"timeInForce": "gtc"}, 170115),
    "no quantity": ({"qty": None}, 170105),
    "a number instead of a text": ({"qty": 0.01}, 170130),
    "an exponent": ({"qty": "1e-2"}, 170130),
    "price too fine": ({"price": "46000.001"}, 170134),
    "quantity too fine": ({"qty": "0.0100001"}, 170137),
    "budget too fine": ({"order_type": "Market", "qty": "100.00000001"}, 170148),
    "quantity below the step": ({"qty": "0.0000001"}, 170137),
    "value too small": ({"qty": "0.0001"}, 170140),
    "quantity too large": ({"qty": "41"}, 170381),
    "funds short": ({"qty": "3"}, 170131),
    "nothing to sell": ({"side": "Sell", "price": "51000"}, 170131),
    "paused": ({"symbol": "PAUSEDUSDT", "price": "1", "qty": "10"}, 170151),
    "closed to the API": ({"symbol": "NOAPIUSDT", "price": "1", "qty": "10"}, 170157),
    "no market orders": ({"symbol": "ETHUSDC", "order_type": "Market", "qty": "100"}, 170159),
    "id too long": ({"orderLinkId": "x" * 37}, 170130),
    "id with blanks": ({"orderLinkId": "a b"}, 170130),
    "on margin": ({"isLeverage": 1}, 10001),
    "conditional": ({"triggerPrice": "45000"}, 10001),
    "another kind of order": ({"orderFilter": "StopOrder"}, 170201),
    "unit of neither coin": ({"order_type": "Market", "marketUnit": "coins"}, 10001),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_cannot_be_an_order_is_refused_at_once(client: BybitClient, bybit, name: str):
    wanted, expected = REFUSALS[name]
    wanted = {"qty": "0.01", "price": "46000", "isLeverage": 0, "someTypo": "x"} | wanted
    assert code(client.place(**wanted)) == expected
    assert bybit.orders() == []


def test_a_market_buy_is_by_quote_unless_it_says_otherwise(client: BybitClient, bybit):
    client.place(order_type="Market", qty="500", orderLinkId="by-quote")
    spent = client.order("by-quote")
    assert (spent["marketUnit"], spent["qty"], spent["orderStatus"]) == ("quoteCoin", "500", "Filled")
    assert Decimal(spent["cumExecValue"]) == pytest.approx(Decimal(500), abs=Decimal("0.1"))
    client.place(order_type="Market", qty="0.005", marketUnit="baseCoin", orderLinkId="by-base")
    bought = client.order("by-base")
    assert (bought["marketUnit"], bought["cumExecQty"], bought["timeInForce"]) == ("baseCoin", "0.005", "IOC")
    client.place("Sell", "Market", qty="0.004", orderLinkId="sold")
    assert (client.order("sold")["marketUnit"], client.order("sold")["cumExecQty"]) == ("baseCoin", "0.004")
    assert bybit.book_differences() == []


def test_a_market_order_beyond_the_depth_ends_in_part(client: BybitClient, bybit):
    bybit.change_instrument("MNTUSDT", depth_notional="0.01")
    client.place(
        order_type="Market", symbol="MNTUSDT", qty="50", marketUnit="baseCoin", orderLinkId="too-much"
    )
    order = client.order("too-much")
    assert (order["orderStatus"], order["rejectReason"]) == (
        "PartiallyFilledCanceled",
        "EC_NoImmediateQtyToFill",
    )
    assert Decimal(0) < Decimal(order["cumExecQty"]) < 50


def test_fees_are_taken_from_what_is_received(client: BybitClient):
    client.place(order_type="Market", qty="500", orderLinkId="bought")
    client.place("Sell", "Market", qty="0.009", orderLinkId="sold")
    sold, bought = client.order("sold"), client.order("bought")
    assert list(bought["cumFeeDetail"]) == ["BTC"]
    assert list(sold["cumFeeDetail"]) == ["USDT"]
    assert Decimal(bought["cumFeeDetail"]["BTC"]) == Decimal(bought["cumExecQty"]) * Decimal("0.001")
    assert {row["feeCurrency"] for row in client.executions(orderLinkId="bought")} == {"BTC"}


# -- between the acknowledgement and the decision ------------------------------------------------------------------


def test_an_order_that_is_not_decided_yet_is_nowhere_to_be_found(client: BybitClient, bybit):
    bybit.settings(decision_seconds=3600)
    placed = result(client.place(qty="0.01", price="46000", orderLinkId="pending"))
    assert placed["orderId"] == bybit.orders()[0]["order_id"]
    assert client.realtime() == client.realtime(orderLinkId="pending") == client.history() == []
    assert code(client.cancel("pending")) == 170213
    assert result(client.post("/v5/order/cancel-all", category="spot"))["list"] == []
    assert code(client.place(qty="0.01", price="46000", orderLinkId="pending")) == 170141
    assert client.coin("USDT")["locked"] == "460"
    with pytest.raises(ControlFailed, match="not decided yet"):
        bybit.fill("pending")
    assert bybit.book_differences() == []


def decided(exchange: TradingVenue, put_off_ms: int = 1_000, **wanted: object) -> SimOrder:
    """An order that was put off, after something has happened meanwhile."""
    request = SimOrderRequest(symbol="BTCUSDT", **wanted)  # type: ignore[arg-type]
    return exchange.place(exchange.users["trader"], request, later=FOUND_OUT_LATER, put_off_ms=put_off_ms)


@pytest.fixture
def exchange() -> TradingVenue:
    return put_up_exchange()


def test_a_late_decision_is_made_by_the_market_of_its_own_moment(exchange: TradingVenue):
    clock = exchange.clock
    resting = decided(
        exchange, side=SimSide.BUY, type=SimOrderType.LIMIT, quantity=SMALL, price=Decimal(49_000)
    )
    capped = decided(
        exchange, side=SimSide.BUY, type=SimOrderType.LIMIT, quantity=SMALL, price=Decimal(52_000)
    )
    exchange.pin_price("BTCUSDT", Decimal(46_000))
    assert (resting.filled, capped.filled) == (0, 0)
    clock.wall_ms += 999
    exchange.advance_ticks()
    assert resting.is_undecided
    clock.wall_ms += 1
    exchange.advance_ticks()
    assert (resting.status, resting.filled) == (SimOrderStatus.FILLED, SMALL)
    assert (capped.status, capped.end_cause) == (SimOrderStatus.REJECTED, EndCause.PRICE_LIMIT)
    assert exchange.users["trader"].balances["USDT"].locked == 0
    assert exchange.check_conservation() == []


def test_funds_that_went_meanwhile_end_a_market_order(exchange: TradingVenue):
    bought = decided(exchange, side=SimSide.BUY, type=SimOrderType.MARKET, quote_quantity=Decimal(900))
    decided(exchange, 0, side=SimSide.BUY, type=SimOrderType.LIMIT, quantity=3 * SMALL, price=Decimal(46_000))
    exchange.clock.wall_ms += 1_000
    exchange.decide_due()
    assert (bought.status, bought.end_cause, bought.filled) == (
        SimOrderStatus.REJECTED,
        EndCause.NO_FUNDS,
        0,
    )
    assert exchange.check_conservation() == []


def test_an_undecided_order_survives_a_restart_and_is_decided_then(tmp_path: Path):
    path = tmp_path / "bybit.jsonl"
    before = put_up_exchange(path)
    order = decided(before, side=SimSide.BUY, type=SimOrderType.LIMIT, quantity=SMALL, price=Decimal(49_000))
    after = put_up_exchange(path)
    (known,) = after.undecided
    assert known.order_id == order.order_id
    after.clock.wall_ms += 1_000
    after.decide_due()
    assert after.engine.resting.list_side("BTCUSDT", SimSide.BUY) == [known]


# -- client ids ----------------------------------------------------------------------------------------------------


def test_a_client_id_is_taken_for_ever(client: BybitClient, bybit):
    client.place(qty="0.01", price="46000", orderLinkId="once")
    assert code(client.place(qty="0.01", price="46000", orderLinkId="once")) == 170141
    client.cancel("once")
    assert code(client.place(qty="0.01", price="46000", orderLinkId="once")) == 170141
    assert len(bybit.orders()) == 1


# -- cancel --------------------------------------------------------------------------------------------------------


def test_a_cancel_is_acknowledged_and_ends_the_order(client: BybitClient, bybit):
    placed = result(client.place(qty="0.01", price="46000", orderLinkId="gone"))
    assert result(client.cancel("gone")) == placed
    order = client.order("gone")
    assert (order["orderStatus"], order["cancelType"], order["rejectReason"]) == (
        "Cancelled",
        "CancelByUser",
        "EC_PerCancelRequest",
    )
    assert code(client.cancel("gone")) == 170213
    assert bybit.balances()["USDT"]["locked"] == "0"


def test_the_venues_id_wins_over_the_clients(client: BybitClient):
    first = result(client.place(qty="0.01", price="46000", orderLinkId="first"))
    client.place(qty="0.01", price="46000", orderLinkId="second")
    both = {"category": "spot", "symbol": "BTCUSDT", "orderId": first["orderId"], "orderLinkId": "second"}
    assert result(client.post("/v5/order/cancel", **both)) == first
    assert [row["orderLinkId"] for row in client.realtime()] == ["second"]


def test_a_cancel_of_what_is_filled_unknown_or_of_another_symbol_finds_nothing(client: BybitClient, bybit):
    client.place(order_type="Market", qty="500", orderLinkId="filled")
    client.place(qty="0.01", price="46000", orderLinkId="resting")
    for link, symbol in (("filled", "BTCUSDT"), ("never", "BTCUSDT"), ("resting", "ETHUSDT")):
        assert code(client.cancel(link, symbol)) == 170213
    assert client.order("resting")["orderStatus"] == "New"
    assert code(client.post("/v5/order/cancel", category="spot", symbol="BTCUSDT")) == 10001


def test_a_late_cancel_may_be_acknowledged_and_changes_nothing(client: BybitClient, bybit):
    bybit.settings(late_cancels="acknowledge")
    client.place(order_type="Market", qty="500", orderLinkId="filled")
    before = bybit.orders()
    assert result(client.cancel("filled"))["orderLinkId"] == "filled"
    assert bybit.orders() == before
    assert client.order("filled")["rejectReason"] == "EC_NoError"


def test_cancel_all_is_of_one_symbol_or_of_the_account(client: BybitClient, bybit):
    client.place(qty="0.01", price="46000", orderLinkId="btc")
    client.place(symbol="ETHUSDT", qty="0.1", price="2800", orderLinkId="eth")
    one = result(client.post("/v5/order/cancel-all", category="spot", symbol="BTCUSDT"))
    assert ([row["orderLinkId"] for row in one["list"]], one["success"]) == (["btc"], "1")
    conditional = client.post("/v5/order/cancel-all", category="spot", orderFilter="StopOrder")
    assert result(conditional)["list"] == []
    rest = result(client.post("/v5/order/cancel-all", category="spot"))
    assert [row["orderLinkId"] for row in rest["list"]] == ["eth"]
    assert client.realtime() == []


def test_only_so_many_orders_may_be_open(client: BybitClient, bybit):
    bybit.set_balance("USDT", "1000000")
    for _ in range(500):
        client.place(qty="0.001", price="46000")
    assert code(client.place(qty="0.001", price="46000")) == 170810
    assert code(client.post("/v5/order/cancel-all", category="spot")) == 0
    assert code(client.place(qty="0.001", price="46000")) == 0
