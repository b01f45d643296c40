"""Orders, fills, balances, prices and key rights as MEXC really writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.exchanges.mexc.samples import KEY_INFO, ORDER, TRADE
from trading.domain.enums import OrderType, Side, VenueOrderStatus
from trading.domain.errors import MalformedAnswer
from trading.domain.outcomes import BalanceReport
from trading.exchanges.mexc.parse import (
    parse_balances,
    parse_fill,
    parse_fills,
    parse_key_rights,
    parse_order,
    parse_orders,
    parse_price,
    parse_self_symbols,
    parse_server_time,
    rows_by_symbol,
)

KEY = KEY_INFO["accessKey"]


def test_an_order_with_its_null_fields_is_read() -> None:
    report = parse_order(ORDER)
    assert report.exchange_order_id == "C02__385413065019117569043"
    assert (report.side, report.status, report.order_type) == (
        Side.BUY,
        VenueOrderStatus.OPEN,
        OrderType.LIMIT,
    )
    assert report.price == Decimal("0.1")
    assert report.created_at == datetime(2017, 7, 12, 2, 41, 59, 559000, tzinfo=UTC)
    assert report.updated_at is None


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("NEW", VenueOrderStatus.OPEN),
        ("PARTIALLY_FILLED", VenueOrderStatus.PARTIALLY_FILLED),
        ("FILLED", VenueOrderStatus.FILLED),
        ("CANCELED", VenueOrderStatus.CANCELED),
        ("PARTIALLY_CANCELED", VenueOrderStatus.CANCELED),
    ],
)
def test_the_known_status_words(word: str, status: VenueOrderStatus) -> None:
    assert parse_order(ORDER | {"status": word}).status is status


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "REJECTED"),
        ("status", "new"),
        ("status", None),
        ("status", 1),
        ("side", "buy"),
        ("side", None),
        ("symbol", None),
        ("orderId", None),
        ("executedQty", None),
        ("executedQty", "-1"),
        ("cummulativeQuoteQty", None),
        ("cummulativeQuoteQty", "-1"),
        ("origQty", "lots"),
        ("type", None),
        ("time", "yesterday"),
        ("clientOrderId", 5),
    ],
)
def test_an_order_that_cannot_be_trusted_is_an_error_naming_the_field(field: str, value: object) -> None:
    with pytest.raises(MalformedAnswer, match=field):
        parse_order(ORDER | {field: value})


def test_the_price_of_a_market_order_is_a_bound_and_is_dropped() -> None:
    report = parse_order(
        ORDER
        | {
            "type": "MARKET",
            "price": "0.004327",
            "executedQty": "1220",
            "cummulativeQuoteQty": Decimal("5.54124"),
        }
    )
    assert report.price is None
    assert report.filled_notional == Decimal("5.54124")


def test_a_market_order_by_quote_may_have_no_quantity() -> None:
    assert parse_order(ORDER | {"type": "MARKET", "origQty": None}).quantity == 0


def test_an_order_of_a_type_made_elsewhere_has_no_type_here() -> None:
    assert parse_order(ORDER | {"type": "STOP_MARKET_ORDER"}).order_type is None
    assert parse_order(ORDER | {"type": "IMMEDIATE_OR_CANCEL"}).order_type is OrderType.LIMIT


def test_one_bad_row_spoils_a_list_of_orders() -> None:
    with pytest.raises(MalformedAnswer):
        parse_orders([ORDER, ORDER | {"status": "?"}])
    with pytest.raises(MalformedAnswer):
        parse_orders({"orders": []})


def test_a_recorded_fill_is_read() -> None:
    fill = parse_fill(TRADE)
    assert (fill.side, fill.quantity, fill.price) == (Side.SELL, Decimal(1220), Decimal("0.004542"))
    assert (fill.fee, fill.fee_asset, fill.client_order_id) == (0, "USDT", "")


@pytest.mark.parametrize(
    ("field", "value"),
    [("id", None), ("price", "0"), ("qty", "0"), ("isBuyer", "true"), ("commission", None), ("time", 0)],
)
def test_a_fill_that_cannot_be_trusted_is_an_error(field: str, value: object) -> None:
    with pytest.raises(MalformedAnswer, match=field):
        parse_fills([TRADE | {field: value}])


def test_a_fee_needs_its_asset() -> None:
    assert parse_fill(TRADE | {"commissionAsset": None}).fee_asset == ""
    with pytest.raises(MalformedAnswer, match="commissionAsset"):
        parse_fill(TRADE | {"commission": "0.1", "commissionAsset": None})


def test_what_can_be_spent_is_the_smaller_of_free_and_available() -> None:
    rows = [
        {"asset": "MAIN", "free": "1020000", "locked": "0", "available": "102000"},
        {"asset": "USDT", "free": "5", "locked": "1", "available": "7"},
        {"asset": "BTC", "free": "5", "locked": "1"},
    ]
    assert parse_balances({"balances": rows}) == [
        BalanceReport("MAIN", Decimal(102000), Decimal(0)),
        BalanceReport("USDT", Decimal(5), Decimal(1)),
        BalanceReport("BTC", Decimal(5), Decimal(1)),
    ]
    with pytest.raises(MalformedAnswer, match="balances"):
        parse_balances({})


def test_an_empty_side_of_the_book_is_none() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    report = parse_price({"symbol": "A", "price": "2"}, {"bidPrice": "0", "askPrice": None}, at)
    assert (report.last, report.bid, report.ask) == (Decimal(2), None, None)
    with pytest.raises(MalformedAnswer, match="price"):
        parse_price({"symbol": "A", "price": "0"}, {}, at)


def test_tickers_come_alone_or_in_a_list() -> None:
    assert set(rows_by_symbol({"symbol": "A"})) == {"A"}
    assert set(rows_by_symbol([{"symbol": "A"}, {"symbol": "B"}])) == {"A", "B"}


def test_the_rights_of_a_trading_key() -> None:
    rights = parse_key_rights(KEY_INFO, key=KEY)
    assert rights.can_trade
    assert rights.can_read
    assert rights.dangerous == ()
    assert (rights.days_left, rights.address_list) == (82, ())


@pytest.mark.parametrize(
    "right",
    [
        "SPOT_WITHDRAW_WRITE",
        "SPOT_WITHDRAW_W",
        "SPOT_TRANSFER_WRITE",
        "CONTRACT_DEAL_WRITE",
        "CONTRACT_ACCOUNT_W",
        "SOMETHING_NEW",
    ],
)
def test_a_right_that_moves_money_or_that_nobody_knows_is_dangerous(right: str) -> None:
    rights = parse_key_rights(KEY_INFO | {"permissions": f"SPOT_DEAL_WRITE,{right}"}, key=KEY)
    assert len(rights.dangerous) == 1


def test_abbreviated_rights_are_understood() -> None:
    row = KEY_INFO | {"permissions": "SPOT_ACCOUNT_R,SPOT_DEAL_R,SPOT_DEAL_W", "remainingValidity": -999}
    rights = parse_key_rights(row, key=KEY)
    assert rights.can_trade
    assert rights.can_read
    assert rights.days_left is None


def test_an_invalid_key_can_do_nothing() -> None:
    rights = parse_key_rights(KEY_INFO | {"status": "EXPIRED"}, key=KEY)
    assert not rights.can_trade
    assert not rights.can_read


def test_rights_of_another_key_are_refused_without_showing_it() -> None:
    with pytest.raises(MalformedAnswer) as caught:
        parse_key_rights(KEY_INFO, key="mine")
    assert KEY not in str(caught.value)


def test_the_small_answers() -> None:
    assert parse_server_time({"serverTime": 1645539742000}) == 1645539742000
    assert parse_self_symbols({"code": 200, "data": ["GENE1USDT"], "msg": None}) == {"GENE1USDT"}
    for wrong in ({}, {"serverTime": 0}, {"serverTime": "now"}):
        with pytest.raises(MalformedAnswer, match="serverTime"):
            parse_server_time(wrong)
