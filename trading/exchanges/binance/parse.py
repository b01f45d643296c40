"""Binance's rows as our frozen reports. Pure; every function raises MalformedAnswer naming the field.

Ids of orders and fills are whole numbers that are unique per symbol only, so both carry their symbol with us:
`BTCUSDT:28`. The executed notional is `cummulativeQuoteQty`, with its double m, and negative in very old rows, which
means that it is not known. The price of a MARKET order is shown as zero. An unknown status word is an error, never a
default.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from trading.domain.enums import OrderType, Side
from trading.domain.money import ZERO
from trading.domain.outcomes import BalanceReport, FillReport, OrderReport, PriceReport

from ..strict_json import (
    JsonObject,
    as_list,
    as_object,
    find_quantity,
    find_text,
    find_time,
    malformed,
    read_bool,
    read_int,
    read_positive,
    read_quantity,
    read_rounded,
    read_text,
    read_time,
)
from .constants import ORDER_TYPES, STATUS_WORDS

_JOINT = ":"


def name_order(row: JsonObject) -> str:
    return join_id(read_text(row, "symbol"), read_number(row, "orderId"))


def join_id(symbol: str, number: int) -> str:
    return f"{symbol}{_JOINT}{number}"


def number_of(exchange_order_id: str, symbol: str) -> str:
    """The venue's own number, as it is sent and as the venue's pages show it; empty if it is none of this symbol."""
    head, joint, tail = exchange_order_id.rpartition(_JOINT)
    is_ours = tail.isascii() and tail.isdecimal() and (not joint or head == symbol)
    return tail if is_ours else ""


def read_number(row: JsonObject, field: str) -> int:
    number = read_int(row, field)
    if number < 0:
        raise malformed(field, "a number that is not negative", number)
    return number


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
        exchange_order_id=name_order(row),
        symbol=read_text(row, "symbol"),
        side=read_side(row),
        status=STATUS_WORDS[word],
        # A MARKET order by quote quantity has none of its own before it is matched.
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
    symbol = read_text(row, "symbol")
    return FillReport(
        venue_fill_id=join_id(symbol, read_number(row, "id")),
        exchange_order_id=name_order(row),
        client_order_id="",  # the list of fills has none
        symbol=symbol,
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
    return BalanceReport(read_text(row, "asset"), read_quantity(row, "free"), read_quantity(row, "locked"))


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
