"""MEXC's rows as our frozen reports. Pure; every function raises MalformedAnswer naming the field.

Facts behind the oddities: numbers come as texts, and not always; the executed notional is `cummulativeQuoteQty`, with
its double m; many fields may be null; the price of a MARKET order is a protective bound, not a price, and is dropped;
order ids are opaque; an unknown status word is an error, never a default.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from trading.domain.enums import OrderType, Side
from trading.domain.errors import MalformedAnswer
from trading.domain.money import ZERO
from trading.domain.outcomes import (
    BalanceReport,
    FillReport,
    KeyRights,
    OrderReport,
    PriceReport,
    TransferReport,
)

from ..strict_json import (
    JsonObject,
    as_list,
    as_object,
    find_quantity,
    find_text,
    find_time,
    malformed,
    read_bool,
    read_id,
    read_int,
    read_positive,
    read_quantity,
    read_rounded,
    read_text,
    read_time,
)
from .constants import (
    DEAD_DEPOSITS,
    DEAD_WITHDRAWALS,
    HARMLESS_RIGHTS,
    ORDER_TYPES,
    PERMANENT_KEY_DAYS,
    RIGHT_SUFFIXES,
    STATUS_WORDS,
)


def read_side(row: JsonObject) -> Side:
    try:
        return Side(read_text(row, "side"))
    except ValueError:
        raise malformed("side", "BUY or SELL", row.get("side")) from None


def _find_price(row: JsonObject, order_type: OrderType | None) -> Decimal | None:
    if order_type is OrderType.MARKET:
        return None
    return find_quantity(row, "price") or None


def parse_order(value: Any) -> OrderReport:
    row = as_object(value, "order")
    word = read_text(row, "status")
    if word not in STATUS_WORDS:
        raise malformed("status", "a known order status", word)
    order_type = ORDER_TYPES.get(read_text(row, "type"))
    return OrderReport(
        client_order_id=find_text(row, "clientOrderId"),
        exchange_order_id=read_id(row, "orderId"),
        symbol=read_text(row, "symbol"),
        side=read_side(row),
        status=STATUS_WORDS[word],
        # A MARKET order by quote quantity has none of its own.
        quantity=find_quantity(row, "origQty") or ZERO,
        filled_quantity=read_quantity(row, "executedQty"),
        filled_notional=_read_notional(row),
        price=_find_price(row, order_type),
        order_type=order_type,
        created_at=find_time(row, "time"),
        updated_at=find_time(row, "updateTime"),
    )


def _read_notional(row: JsonObject) -> Decimal:
    number = read_rounded(row, "cummulativeQuoteQty")
    if number < 0:
        raise malformed("cummulativeQuoteQty", "a number that is not negative", str(number))
    return number


def parse_orders(value: Any) -> list[OrderReport]:
    """All or nothing: a list with a hole would prove an absence that is none."""
    return [parse_order(row) for row in as_list(value, "orders")]


def parse_fill(value: Any) -> FillReport:
    row = as_object(value, "fill")
    return FillReport(
        venue_fill_id=read_id(row, "id"),
        exchange_order_id=read_id(row, "orderId"),
        client_order_id=find_text(row, "clientOrderId"),
        symbol=read_text(row, "symbol"),
        side=Side.BUY if read_bool(row, "isBuyer") else Side.SELL,
        price=read_positive(row, "price"),
        quantity=read_positive(row, "qty"),
        fee=read_rounded(row, "commission"),
        fee_asset=_read_fee_asset(row),
        is_maker=read_bool(row, "isMaker"),
        filled_at=read_time(row, "time"),
    )


def _read_fee_asset(row: JsonObject) -> str:
    """May only be missing where there is no fee."""
    return (
        find_text(row, "commissionAsset")
        if read_rounded(row, "commission") == 0
        else read_text(row, "commissionAsset")
    )


def parse_fills(value: Any) -> list[FillReport]:
    return [parse_fill(row) for row in as_list(value, "fills")]


def parse_balances(value: Any) -> list[BalanceReport]:
    rows = as_list(as_object(value, "account").get("balances"), "balances")
    return [_parse_balance(as_object(row, "balance")) for row in rows]


def _parse_balance(row: JsonObject) -> BalanceReport:
    free, available = read_quantity(row, "free"), find_quantity(row, "available")
    # `available` is newer, may be missing and may be lower: the smaller one is what can surely be spent.
    spendable = free if available is None else min(free, available)
    return BalanceReport(read_text(row, "asset"), spendable, read_quantity(row, "locked"))


def parse_deposits(value: Any) -> list[TransferReport]:
    """Without those that the venue called off."""
    rows = [as_object(row, "deposit") for row in as_list(value, "deposits")]
    return [
        TransferReport(
            # The id of the transaction at the chain: the list has no other.
            venue_transfer_id=f"deposit:{read_id(row, 'txId')}",
            asset=read_text(row, "coin"),
            quantity=read_positive(row, "amount"),
            fee=ZERO,
            at=read_time(row, "insertTime"),
        )
        for row in rows
        if read_int(row, "status") not in DEAD_DEPOSITS
    ]


def parse_withdrawals(value: Any) -> list[TransferReport]:
    rows = [as_object(row, "withdrawal") for row in as_list(value, "withdrawals")]
    return [
        TransferReport(
            venue_transfer_id=f"withdrawal:{read_id(row, 'id')}",
            asset=read_text(row, "coin"),
            quantity=-read_positive(row, "amount"),
            fee=find_quantity(row, "transactionFee") or ZERO,
            at=read_time(row, "applyTime"),
        )
        for row in rows
        if read_int(row, "status") not in DEAD_WITHDRAWALS
    ]


def parse_price(last: Any, book: Any, received_at: datetime) -> PriceReport:
    row, top = as_object(last, "ticker"), as_object(book, "book")
    return PriceReport(
        symbol=read_text(row, "symbol"),
        last=read_positive(row, "price"),
        bid=find_quantity(top, "bidPrice") or None,
        ask=find_quantity(top, "askPrice") or None,
        received_at=received_at,
    )


def rows_by_symbol(value: Any) -> dict[str, JsonObject]:
    """One object or a list of them, by symbol."""
    rows = value if isinstance(value, list) else [value]
    found = [as_object(row, "ticker") for row in rows]
    return {read_text(row, "symbol"): row for row in found}


def parse_server_time(value: Any) -> int:
    row = as_object(value, "time")
    read_time(row, "serverTime")  # refuses zeros, seconds and microseconds
    return read_int(row, "serverTime")


def parse_self_symbols(value: Any) -> frozenset[str]:
    rows = as_list(as_object(value, "selfSymbols").get("data"), "data")
    return frozenset(read_text({"symbol": row}, "symbol") for row in rows)


def _full_name(right: str) -> str:
    for short, full in RIGHT_SUFFIXES.items():
        if right.endswith(short):
            return right.removesuffix(short) + full
    return right


def parse_key_rights(value: Any, *, key: str) -> KeyRights:
    """Rights nobody knows count as dangerous: a new right must not slip in unseen."""
    row = as_object(value, "apiKeyInfo")
    if row.get("accessKey") != key:
        raise MalformedAnswer("Field accessKey is not the key that was asked about.", field="accessKey")
    words = _read_words(row, "permissions")
    rights = tuple(sorted({_full_name(word) for word in words}))
    is_valid = read_text(row, "status") == "VALID"
    days = read_int(row, "remainingValidity")
    return KeyRights(
        rights=rights,
        can_trade=is_valid and "SPOT_DEAL_WRITE" in rights,
        can_read=is_valid and {"SPOT_ACCOUNT_READ", "SPOT_DEAL_READ"} <= set(rights),
        dangerous=tuple(right for right in rights if right not in HARMLESS_RIGHTS),
        address_list=tuple(_read_words(row, "ipWhiteList")),
        days_left=None if days == PERMANENT_KEY_DAYS else days,
    )


def _read_words(row: Mapping[str, Any], field: str) -> list[str]:
    value = row.get(field)
    if value is not None and not isinstance(value, str):
        raise malformed(field, "a comma-separated text", value)
    return [word.strip() for word in (value or "").split(",") if word.strip()]
