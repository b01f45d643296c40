"""Binance's rows, and the ids that carry their symbol."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.exchanges.binance.samples import DEPOSIT, KEY_RIGHTS, ORDER, TRADE, WITHDRAWAL
from trading.domain.enums import OrderType, Side, VenueOrderStatus
from trading.domain.errors import MalformedAnswer
from trading.exchanges.binance.parse import number_of, parse_balances, parse_fill, parse_order
from trading.exchanges.binance.wallet import (
    parse_account_rights,
    parse_deposits,
    parse_key_rights,
    parse_withdrawals,
)

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def test_an_order() -> None:
    found = parse_order(ORDER)
    assert (found.exchange_order_id, found.client_order_id) == ("LTCBTC:1", "myOrder1")
    assert (found.status, found.order_type, found.price) == (
        VenueOrderStatus.OPEN,
        OrderType.LIMIT,
        Decimal("0.1"),
    )
    assert found.created_at == datetime(2017, 7, 12, 2, 41, 59, 559000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("PENDING_NEW", VenueOrderStatus.OPEN),
        ("PARTIALLY_FILLED", VenueOrderStatus.PARTIALLY_FILLED),
        ("FILLED", VenueOrderStatus.FILLED),
        ("CANCELED", VenueOrderStatus.CANCELED),
        ("REJECTED", VenueOrderStatus.REJECTED),
        ("EXPIRED", VenueOrderStatus.EXPIRED),
        ("EXPIRED_IN_MATCH", VenueOrderStatus.EXPIRED),
    ],
)
def test_status_words(word: str, status: VenueOrderStatus) -> None:
    assert parse_order(ORDER | {"status": word}).status is status


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "PENDING_CANCEL"},
        {"orderId": "C02__1"},
        {"orderId": -1},
        {"side": "LONG"},
        {"executedQty": "-1"},
        {"cummulativeQuoteQty": "-1"},
        {"symbol": ""},
    ],
)
def test_what_is_not_known_is_refused(wrong: dict) -> None:
    with pytest.raises(MalformedAnswer):
        parse_order(ORDER | wrong)


def test_a_market_order_has_no_price_and_a_stop_order_of_the_web_page_no_type() -> None:
    assert parse_order(ORDER | {"type": "MARKET", "price": "0.00000000"}).price is None
    assert parse_order(ORDER | {"type": "STOP_LOSS_LIMIT"}).order_type is None


def test_the_same_number_in_two_symbols_is_two_ids() -> None:
    one, other = parse_fill(TRADE), parse_fill(TRADE | {"symbol": "ETHBTC"})
    assert (one.venue_fill_id, one.exchange_order_id) == ("BNBBTC:28457", "BNBBTC:100234")
    assert one.venue_fill_id != other.venue_fill_id and one.exchange_order_id != other.exchange_order_id


@pytest.mark.parametrize(
    ("named", "number"),
    [
        ("BTCUSDT:28", "28"),
        ("28", "28"),
        ("ETHUSDT:28", ""),
        ("BTCUSDT:", ""),
        ("BTCUSDT:x", ""),
        (":28", ""),
        ("²", ""),
    ],
)
def test_an_id_is_taken_with_its_symbol_or_as_the_venue_shows_it(named: str, number: str) -> None:
    assert number_of(named, "BTCUSDT") == number


def test_a_fill() -> None:
    found = parse_fill(TRADE)
    assert (found.side, found.is_maker, found.client_order_id) == (Side.BUY, False, "")
    assert (found.fee, found.fee_asset) == (Decimal("10.1"), "BNB")
    assert parse_fill(TRADE | {"commission": "0", "commissionAsset": None}).fee_asset == ""
    for wrong in ({"commissionAsset": None}, {"qty": "0"}, {"price": "-1"}, {"isBuyer": 1}, {"time": 0}):
        with pytest.raises(MalformedAnswer):
            parse_fill(TRADE | wrong)


def test_balances() -> None:
    rows = {"balances": [{"asset": "BTC", "free": "1.5", "locked": "0.00000000"}]}
    (found,) = parse_balances(rows)
    assert (found.asset, found.free, found.locked) == ("BTC", Decimal("1.5"), 0)
    with pytest.raises(MalformedAnswer):
        parse_balances({"balances": [{"asset": "BTC", "free": "-1", "locked": "0"}]})


# -- the wallet ------------------------------------------------------------------------------------------------


def test_a_key_that_may_trade_and_read_and_nothing_else() -> None:
    found = parse_key_rights(KEY_RIGHTS, NOW)
    assert found.can_trade and found.can_read and found.dangerous == ()
    assert found.address_list and found.days_left is None
    assert parse_key_rights(KEY_RIGHTS | {"ipRestrict": False}, NOW).address_list == ()


@pytest.mark.parametrize(
    "right", ["enableWithdrawals", "enableMargin", "permitsUniversalTransfer", "enableTomorrowsRight"]
)
def test_a_right_beyond_that_is_dangerous_also_one_nobody_knows(right: str) -> None:
    assert parse_key_rights(KEY_RIGHTS | {right: True}, NOW).dangerous == (right,)
    assert parse_key_rights(KEY_RIGHTS | {"newScopes": ["a"]}, NOW).dangerous == ("newScopes",)


def test_a_key_tells_when_it_ends() -> None:
    ends = int(NOW.timestamp() * 1000) + 3 * 86_400_000 + 5000
    assert parse_key_rights(KEY_RIGHTS | {"tradingAuthorityExpirationTime": ends}, NOW).days_left == 3


@pytest.mark.parametrize("field", ["enableReading", "enableSpotAndMarginTrading", "ipRestrict"])
def test_a_right_that_is_not_told_is_no_right(field: str) -> None:
    for value in (None, "true", 1):
        with pytest.raises(MalformedAnswer):
            parse_key_rights(KEY_RIGHTS | {field: value}, NOW)


def test_a_test_installation_tells_by_the_account() -> None:
    found = parse_account_rights({"canTrade": False, "permissions": ["SPOT"]})
    assert (found.can_trade, found.can_read, found.rights) == (False, True, ("SPOT",))


def test_transfers_of_the_spot_wallet_that_were_not_called_off() -> None:
    (deposit,) = parse_deposits([DEPOSIT, DEPOSIT | {"status": 2}, DEPOSIT | {"walletType": 1}])
    assert (deposit.asset, deposit.quantity, deposit.venue_transfer_id) == (
        "BNB",
        Decimal("0.001"),
        "deposit:769800519366885376",
    )
    (withdrawal,) = parse_withdrawals([WITHDRAWAL, WITHDRAWAL | {"status": 3}])
    assert (withdrawal.quantity, withdrawal.fee) == (Decimal("-8.91"), Decimal("0.004"))
    assert withdrawal.at == datetime(2019, 10, 12, 11, 12, 2, tzinfo=UTC)


@pytest.mark.parametrize("wrong", [{"status": 9}, {"walletType": 2}, {"amount": "0"}, {"id": None}])
def test_a_transfer_in_new_words_is_no_transfer(wrong: dict) -> None:
    with pytest.raises(MalformedAnswer):
        parse_deposits([DEPOSIT | wrong])
    with pytest.raises(MalformedAnswer):
        parse_withdrawals([WITHDRAWAL | wrong])
