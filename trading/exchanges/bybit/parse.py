"""Bybit's rows as our frozen reports. Pure; every function raises MalformedAnswer naming the field.

Facts behind the oddities: every answer is an envelope around `result`; numbers come as texts and an empty text means
absent; sides and statuses are capitalised words; a market order that is sized in quote units has its quote quantity in
`qty`, and its `price` is a bound; ids are opaque; an unknown word is an error, never a default.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from trading.domain.enums import OrderType, Side, VenueOrderStatus
from trading.domain.errors import MalformedAnswer
from trading.domain.money import ZERO, add_up
from trading.domain.outcomes import BalanceReport, FillReport, KeyRights, OrderReport, PriceReport

from ..strict_json import (
    JsonObject,
    as_list,
    as_object,
    find_quantity,
    find_text,
    find_time,
    malformed,
    read_bool,
    read_decimal,
    read_id,
    read_int,
    read_positive,
    read_quantity,
    read_rounded,
    read_text,
    read_time,
)
from .constants import (
    ACCOUNT_TYPE,
    EVERY_ADDRESS,
    HARMLESS_RIGHTS,
    NO_REASON_WORDS,
    OTHER_EXECUTIONS,
    SIDES,
    SPOT_RIGHT,
    STATUS_WORDS,
    TRADE_WORD,
)

_ENDS_WITHOUT_FILL = (VenueOrderStatus.CANCELED, VenueOrderStatus.REJECTED)
_NANOS = 1_000_000


def result_of(value: Any) -> JsonObject:
    return as_object(as_object(value, "answer").get("result"), "result")


def rows_of(value: Any, field: str = "list") -> list[Any]:
    return as_list(result_of(value).get(field), field)


def cursor_of(value: Any) -> str:
    """Where the next page begins; empty at the end."""
    found = result_of(value).get("nextPageCursor")
    if found is not None and not isinstance(found, str):
        raise malformed("nextPageCursor", "a text", found)
    return found or ""


def parse_server_time(value: Any) -> int:
    stamp = read_int(result_of(value), "timeNano") // _NANOS
    read_time({"timeNano": stamp}, "timeNano")  # refuses zeros, seconds and microseconds
    return stamp


# -- orders ------------------------------------------------------------------------------------------------------------
def read_side(row: JsonObject) -> Side:
    word = read_text(row, "side")
    if word not in SIDES:
        raise malformed("side", "Buy or Sell", word)
    return SIDES[word]


def read_status(row: JsonObject) -> VenueOrderStatus:
    word = read_text(row, "orderStatus")
    if word not in STATUS_WORDS:
        raise malformed("orderStatus", "a known order status", word)
    return STATUS_WORDS[word]


def _find_type(row: JsonObject) -> OrderType | None:
    """None for what we have no type for, made elsewhere."""
    word = find_text(row, "orderType")
    if word == "Market":
        return OrderType.MARKET
    if word != "Limit":
        return None
    return OrderType.LIMIT_MAKER if find_text(row, "timeInForce") == "PostOnly" else OrderType.LIMIT


def _read_base_quantity(row: JsonObject, order_type: OrderType | None, side: Side) -> Decimal:
    """Zero for a market order in quote units: it has no quantity of its own. A BUY is one unless it says otherwise."""
    quantity = read_quantity(row, "qty")
    if order_type is OrderType.MARKET:
        unit = find_text(row, "marketUnit") or ("quoteCoin" if side is Side.BUY else "baseCoin")
        if unit not in ("baseCoin", "quoteCoin"):
            raise malformed("marketUnit", "baseCoin or quoteCoin", unit)
        return quantity if unit == "baseCoin" else ZERO
    return quantity


def _find_reason(row: JsonObject, status: VenueOrderStatus) -> str:
    """Why an order ended without a fill, in the venue's words."""
    if status not in _ENDS_WITHOUT_FILL:
        return ""
    words = [find_text(row, field) for field in ("rejectReason", "cancelType")]
    return ", ".join(word for word in words if word not in NO_REASON_WORDS)


def parse_order(value: Any) -> OrderReport:
    row = as_object(value, "order")
    side, status, order_type = read_side(row), read_status(row), _find_type(row)
    return OrderReport(
        client_order_id=find_text(row, "orderLinkId"),
        exchange_order_id=read_id(row, "orderId"),
        symbol=read_text(row, "symbol"),
        side=side,
        status=status,
        quantity=_read_base_quantity(row, order_type, side),
        filled_quantity=read_quantity(row, "cumExecQty"),
        filled_notional=_read_notional(row),
        price=None if order_type is OrderType.MARKET else find_quantity(row, "price") or None,
        order_type=order_type,
        created_at=find_time(row, "createdTime"),
        updated_at=find_time(row, "updatedTime"),
        reason=_find_reason(row, status),
    )


def _read_notional(row: JsonObject) -> Decimal:
    number = read_rounded(row, "cumExecValue")
    if number < 0:
        raise malformed("cumExecValue", "a number that is not negative", str(number))
    return number


def parse_orders(value: Any) -> list[OrderReport]:
    """All or nothing: a list with a hole would prove an absence that is none."""
    return [parse_order(row) for row in rows_of(value)]


# -- fills -------------------------------------------------------------------------------------------------------------
def _is_trade(row: JsonObject) -> bool:
    word = read_text(row, "execType")
    if word != TRADE_WORD and word not in OTHER_EXECUTIONS:
        raise malformed("execType", "a known kind of execution", word)
    return word == TRADE_WORD


def parse_fill(row: JsonObject) -> FillReport:
    """What is taken beside the fee (`extraFees`, taxes of some countries) is not in it: the balances will tell."""
    return FillReport(
        venue_fill_id=read_id(row, "execId"),
        exchange_order_id=read_id(row, "orderId"),
        client_order_id=find_text(row, "orderLinkId"),
        symbol=read_text(row, "symbol"),
        side=read_side(row),
        price=read_positive(row, "execPrice"),
        quantity=read_positive(row, "execQty"),
        fee=read_rounded(row, "execFee"),
        fee_asset=_read_fee_asset(row),
        is_maker=read_bool(row, "isMaker"),
        filled_at=read_time(row, "execTime"),
    )


def _read_fee_asset(row: JsonObject) -> str:
    """May only be missing where there is no fee."""
    is_free = read_rounded(row, "execFee") == 0
    return find_text(row, "feeCurrency") if is_free else read_text(row, "feeCurrency")


def parse_fills(value: Any) -> list[FillReport]:
    rows = [as_object(row, "execution") for row in rows_of(value)]
    return [parse_fill(row) for row in rows if _is_trade(row)]


# -- account -----------------------------------------------------------------------------------------------------------
def parse_balances(value: Any) -> list[BalanceReport]:
    """Of the unified account, of which there is one."""
    accounts = [as_object(row, "account") for row in rows_of(value)]
    if [row.get("accountType") for row in accounts] != [ACCOUNT_TYPE]:
        kinds = ", ".join(str(row.get("accountType"))[:20] for row in accounts) or "none"
        raise MalformedAnswer(
            f"Field list should hold the one account {ACCOUNT_TYPE}, got {kinds}.", field="list"
        )
    return [_parse_balance(as_object(row, "coin")) for row in as_list(accounts[0].get("coin"), "coin")]


def _parse_balance(row: JsonObject) -> BalanceReport:
    """What was borrowed is in the wallet and is not ours; what spot orders hold is not free."""
    locked = find_quantity(row, "locked") or ZERO
    borrowed = find_quantity(row, "spotBorrow") or ZERO
    free = add_up((read_decimal(row, "walletBalance"), -locked, -borrowed))
    return BalanceReport(read_text(row, "coin"), max(free, ZERO), locked)


def parse_key_rights(value: Any, *, key: str) -> KeyRights:
    """Rights nobody knows count as dangerous, unless the key may only read: a new right must not slip in unseen."""
    row = result_of(value)
    if row.get("apiKey") not in (None, key):
        raise MalformedAnswer("Field apiKey is not the key that was asked about.", field="apiKey")
    rights = tuple(sorted(_read_rights(as_object(row.get("permissions"), "permissions"))))
    read_only, is_unified = read_int(row, "readOnly"), read_int(row, "uta") == 1
    if read_only not in (0, 1):
        raise malformed("readOnly", "0 or 1", read_only)
    days = read_int(row, "deadlineDay")
    dangerous = () if read_only else tuple(right for right in rights if right not in HARMLESS_RIGHTS)
    addresses = [read_text({"ip": one}, "ip") for one in as_list(row.get("ips") or [], "ips")]
    return KeyRights(
        rights=rights,
        can_trade=not read_only and is_unified and SPOT_RIGHT in rights,
        can_read=is_unified and SPOT_RIGHT in rights,
        dangerous=dangerous,
        address_list=() if EVERY_ADDRESS in addresses else tuple(addresses),
        days_left=None if days < 0 else days,  # a key that is bound to addresses does not run out
    )


def _read_rights(permissions: JsonObject) -> list[str]:
    return [
        f"{group}:{read_text({group: right}, group)}"
        for group, rights in permissions.items()
        for right in as_list(rights, group)
    ]


# -- prices ------------------------------------------------------------------------------------------------------------
def parse_price(row: JsonObject, received_at: datetime) -> PriceReport:
    return PriceReport(
        symbol=read_text(row, "symbol"),
        last=read_positive(row, "lastPrice"),
        bid=find_quantity(row, "bid1Price") or None,
        ask=find_quantity(row, "ask1Price") or None,
        received_at=received_at,
    )
