"""Bybit's rows become reports, or an error that names the field; an empty text is absent, an unknown word an error."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest

from tests.exchanges.bybit.samples import (
    COIN,
    DEPOSIT,
    EXECUTION,
    INSTRUMENT,
    KEY,
    ORDER,
    WITHDRAWAL,
    envelope,
    listed,
)
from trading.domain.enums import OrderType, Side, VenueOrderStatus
from trading.domain.errors import MalformedAnswer
from trading.domain.outcomes import BalanceReport
from trading.exchanges.bybit.candles import parse_candles
from trading.exchanges.bybit.instruments import parse_instrument
from trading.exchanges.bybit.parse import (
    cursor_of,
    parse_balances,
    parse_fills,
    parse_key_rights,
    parse_order,
    parse_price,
    parse_server_time,
)
from trading.exchanges.bybit.transfers import parse_deposits, parse_withdrawals

LENGTH = datetime(2026, 1, 1, 0, 1, tzinfo=UTC) - datetime(2026, 1, 1, tzinfo=UTC)


def refused_field(parse, value) -> str:
    with pytest.raises(MalformedAnswer) as caught:
        parse(value)
    return caught.value.context["field"]


# -- orders ----------------------------------------------------------------------------------------------------


def test_a_post_only_order_that_would_have_taken_is_canceled_with_the_venues_reason() -> None:
    report = parse_order(ORDER)
    assert (report.status, report.order_type) == (VenueOrderStatus.CANCELED, OrderType.LIMIT_MAKER)
    assert report.reason == "EC_PostOnlyWillTakeLiquidity"
    assert (report.price, report.quantity, report.filled_quantity) == (D("26864.40"), D("0.003"), 0)
    assert report.exchange_order_id == "14bad3a1-6454-43d8-bcf2-5345896cf74d"
    assert report.created_at == datetime(2023, 5, 19, 6, 1, 8, 369000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("New", VenueOrderStatus.OPEN),
        ("Untriggered", VenueOrderStatus.OPEN),
        ("PartiallyFilled", VenueOrderStatus.PARTIALLY_FILLED),
        ("Filled", VenueOrderStatus.FILLED),
        ("PartiallyFilledCanceled", VenueOrderStatus.CANCELED),
        ("Cancelled", VenueOrderStatus.CANCELED),
        ("Deactivated", VenueOrderStatus.CANCELED),
        ("Rejected", VenueOrderStatus.REJECTED),
    ],
)
def test_every_known_word_of_a_status(word: str, status: VenueOrderStatus) -> None:
    assert parse_order(ORDER | {"orderStatus": word}).status is status


@pytest.mark.parametrize(
    ("status", "reason", "kind", "told"),
    [
        ("Cancelled", "EC_PerCancelRequest", "CancelByUser", "EC_PerCancelRequest, CancelByUser"),
        ("Cancelled", "EC_NoError", "UNKNOWN", ""),
        ("Rejected", "EC_NoEnoughQtyToFill", "", "EC_NoEnoughQtyToFill"),
        ("Filled", "EC_OrigClOrdIDDoesNotExist", "CancelByUser", ""),
        ("New", "EC_NoError", "UNKNOWN", ""),
    ],
)
def test_only_an_end_without_a_fill_has_a_reason(status, reason, kind, told) -> None:
    row = ORDER | {"orderStatus": status, "rejectReason": reason, "cancelType": kind}
    assert parse_order(row).reason == told


@pytest.mark.parametrize(
    ("side", "unit", "quantity"),
    [
        ("Buy", "quoteCoin", 0),
        ("Buy", "", 0),
        ("Buy", "baseCoin", 100),
        ("Sell", "", 100),
        ("Sell", "quoteCoin", 0),
    ],
)
def test_a_market_order_in_quote_units_has_no_quantity_of_its_own(side, unit, quantity) -> None:
    row = ORDER | {"orderType": "Market", "timeInForce": "IOC", "side": side, "qty": "100"}
    report = parse_order(row | {"marketUnit": unit})
    assert report.quantity == quantity
    assert report.price is None, "it is a bound"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("orderStatus", "Pending"),
        ("orderStatus", "CANCELLED"),
        ("side", "BUY"),
        ("qty", "-1"),
        ("qty", 1.5),
        ("cumExecQty", ""),
        ("cumExecQty", "NaN"),
        ("cumExecValue", "-1"),
        ("orderId", ""),
        ("symbol", None),
        ("createdTime", "1684476068"),
    ],
)
def test_a_strange_field_of_an_order_is_named(field, value) -> None:
    row = ORDER | {field: value}
    if value == 1.5:
        assert parse_order(row | {"qty": D("1.5")}).quantity == D("1.5")
        return
    assert refused_field(parse_order, row) == field


# -- fills -----------------------------------------------------------------------------------------------------


def test_a_fill_with_its_fee_in_the_currency_it_was_taken_in() -> None:
    (fill,) = parse_fills(listed(EXECUTION))
    assert (fill.venue_fill_id, fill.exchange_order_id) == ("2290000000012345678", "1321003749386327552")
    assert (fill.price, fill.quantity, fill.fee, fill.fee_asset) == (
        D("1190.15"),
        D("0.1"),
        D("0.0001"),
        "ETH",
    )
    assert (fill.side, fill.is_maker, fill.client_order_id) == (Side.BUY, False, "lv-1")
    (rebate,) = parse_fills(listed(EXECUTION | {"execFee": "-0.05", "feeCurrency": "USDT"}))
    assert rebate.fee == D("-0.05")


def test_other_executions_are_left_out_and_unknown_ones_are_an_error() -> None:
    assert parse_fills(listed(EXECUTION | {"execType": "Funding"})) == []
    assert refused_field(parse_fills, listed(EXECUTION | {"execType": "Surprise"})) == "execType"


@pytest.mark.parametrize(
    ("field", "value"),
    [("execQty", "0"), ("execPrice", ""), ("feeCurrency", ""), ("isMaker", "false"), ("execId", None)],
)
def test_a_strange_field_of_a_fill_is_named(field, value) -> None:
    assert refused_field(parse_fills, listed(EXECUTION, EXECUTION | {field: value})) == field


# -- account ---------------------------------------------------------------------------------------------------


def wallet(*coins, kind: str = "UNIFIED"):
    return listed({"accountType": kind, "totalEquity": "", "coin": list(coins)})


def test_what_orders_hold_and_what_was_borrowed_is_not_free() -> None:
    borrowed = COIN | {"coin": "BTC", "walletBalance": "1.5", "locked": "0.25", "spotBorrow": "0.5"}
    assert parse_balances(wallet(COIN, borrowed)) == [
        BalanceReport("USDT", D("800.5"), D(200)),
        BalanceReport("BTC", D("0.75"), D("0.25")),
    ]
    absent = {"coin": "ETH", "walletBalance": "2", "locked": "", "spotBorrow": ""}
    assert parse_balances(wallet(absent)) == [BalanceReport("ETH", D(2), D(0))]


@pytest.mark.parametrize(
    "answer",
    [
        wallet(COIN, kind="CONTRACT"),
        listed(),
        wallet(COIN | {"walletBalance": ""}),
        envelope({"list": [{"accountType": "UNIFIED"}]}),
    ],
)
def test_an_account_that_is_not_the_unified_one_or_a_coin_without_a_balance_is_an_error(answer) -> None:
    with pytest.raises(MalformedAnswer):
        parse_balances(answer)


def rights(**changes):
    return parse_key_rights(envelope(KEY | changes), key="canary-key")


def test_a_key_that_trades_spot_and_nothing_else() -> None:
    found = rights()
    assert found.rights == ("Exchange:ExchangeHistory", "Spot:SpotTrade")
    assert (found.can_trade, found.can_read, found.dangerous) == (True, True, ())
    assert (found.address_list, found.days_left) == (("18.181.170.164",), None)


def test_rights_to_move_money_or_that_nobody_knows_are_dangerous() -> None:
    wide = {"Spot": ["SpotTrade"], "Wallet": ["AccountTransfer", "Withdraw"], "News": ["Fresh"]}
    assert rights(permissions=wide).dangerous == ("News:Fresh", "Wallet:AccountTransfer", "Wallet:Withdraw")
    assert rights(permissions=wide, readOnly=1).dangerous == (), "a key that only reads moves nothing"


def test_a_key_that_only_reads_or_belongs_to_an_older_account_cannot_trade() -> None:
    assert rights(readOnly=1).can_trade is False
    assert rights(readOnly=1).can_read is True
    assert rights(uta=0).can_trade is rights(uta=0).can_read is False
    assert rights(permissions={"Spot": []}).can_trade is False


def test_a_key_open_to_every_address_is_bound_to_none_and_runs_out() -> None:
    for addresses in ([], ["*"], None):
        assert rights(ips=addresses, deadlineDay=83).address_list == ()
    assert rights(ips=["*"], deadlineDay=83).days_left == 83


def test_an_answer_about_another_key_is_an_error() -> None:
    with pytest.raises(MalformedAnswer):
        rights(apiKey="another")
    assert refused_field(lambda row: parse_key_rights(row, key="canary-key"), envelope(KEY | {"readOnly": 2}))


# -- deposits and withdrawals ----------------------------------------------------------------------------------


def test_deposits_count_once_they_are_credited() -> None:
    pending = DEPOSIT | {"id": "2", "status": 2, "successAt": ""}
    rolled_back = DEPOSIT | {"id": "3", "status": 70011}
    (one,) = parse_deposits(envelope({"rows": [DEPOSIT, pending, rolled_back], "nextPageCursor": ""}))
    assert (one.venue_transfer_id, one.asset, one.quantity, one.fee) == (
        "deposit:160237231",
        "USDT",
        D("999.0496"),
        0,
    )
    assert refused_field(parse_deposits, envelope({"rows": [DEPOSIT | {"status": 99}]})) == "status"


def test_withdrawals_are_negative_and_called_off_ones_left_out() -> None:
    rows = [WITHDRAWAL, WITHDRAWAL | {"withdrawId": "2", "status": "CancelByUser"}]
    (one,) = parse_withdrawals(envelope({"rows": rows}))
    assert (one.venue_transfer_id, one.quantity, one.fee) == ("withdrawal:131629076", D("-41.43008"), 5)
    assert refused_field(parse_withdrawals, envelope({"rows": [WITHDRAWAL | {"status": "?"}]})) == "status"


# -- public ----------------------------------------------------------------------------------------------------


def test_an_instrument_with_its_steps_and_bounds() -> None:
    rules = parse_instrument(INSTRUMENT)
    assert (rules.symbol, rules.venue_symbol, rules.is_tradable) == ("BTC/USDT", "BTCUSDT", True)
    assert (rules.tick_size, rules.lot_size, rules.min_notional) == (D("0.1"), D("0.000001"), 5)
    assert (rules.min_quantity, rules.max_quantity, rules.max_notional) == (None, 83, None)
    assert parse_instrument(INSTRUMENT | {"status": "PreLaunch"}).is_tradable is False
    assert refused_field(parse_instrument, INSTRUMENT | {"status": "Maybe"}) == "status"
    assert refused_field(parse_instrument, INSTRUMENT | {"priceFilter": {"tickSize": "0"}}) == "tickSize"


def test_a_price_with_an_empty_side_of_the_book() -> None:
    row = {"symbol": "BTCUSDT", "lastPrice": "50000", "bid1Price": "49999.9", "ask1Price": ""}
    at = datetime(2026, 1, 1, tzinfo=UTC)
    price = parse_price(row, at)
    assert (price.last, price.bid, price.ask, price.received_at) == (50000, D("49999.9"), None, at)


def test_candles_come_newest_first_and_are_told_oldest_first() -> None:
    begin = 1_767_225_600_000
    rows = [[str(begin + 60_000 * n), "10", "12", "9", "11", "3", "33"] for n in (1, 0)]
    first, second = parse_candles(listed(*rows), LENGTH)
    assert (first.open_at, first.close_at) == (datetime(2026, 1, 1, tzinfo=UTC), second.open_at)
    assert (first.first, first.high, first.low, first.last) == (10, 12, 9, 11)
    assert (first.volume, first.quote_volume) == (3, 33)
    assert refused_field(lambda rows: parse_candles(rows, LENGTH), listed(*reversed(rows))) == "openTime"
    assert refused_field(lambda rows: parse_candles(rows, LENGTH), listed(rows[0][:6])) == "kline"


def test_the_venues_time_is_read_from_its_nanoseconds() -> None:
    answer = envelope({"timeSecond": "1688639403", "timeNano": "1688639403423213947"})
    assert parse_server_time(answer) == 1_688_639_403_423
    assert refused_field(parse_server_time, envelope({"timeNano": "1688639403423"})) == "timeNano"


def test_a_cursor_is_a_text_or_absent() -> None:
    assert cursor_of(listed(cursor="132766%3A2")) == "132766%3A2"
    assert cursor_of(envelope({"list": []})) == ""
    assert refused_field(cursor_of, envelope({"nextPageCursor": 7})) == "nextPageCursor"
