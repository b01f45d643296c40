"""MEXC's symbol rules as InstrumentReports. Pure.

The field names mislead: `quoteAmountPrecision` is the least notional, `baseSizePrecision` the least quantity and also
the step where it is coarser than the decimals; there is no tick size, only a number of decimals.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from trading.domain.enums import Side
from trading.domain.outcomes import InstrumentReport

from ..strict_json import (
    JsonObject,
    as_list,
    as_object,
    find_quantity,
    malformed,
    read_bool,
    read_id,
    read_int,
    read_quantity,
    read_text,
)
from .constants import OFFLINE_WORDS, ONLINE_WORDS, SIDES_OF_TYPE

_MOST_DECIMALS = 18


def _read_step(row: JsonObject, field: str) -> Decimal:
    decimals = read_int(row, field)
    if not 0 <= decimals <= _MOST_DECIMALS:
        raise malformed(field, f"a number of decimals from 0 to {_MOST_DECIMALS}", decimals)
    return Decimal(1).scaleb(-decimals)


def _read_is_online(row: JsonObject) -> bool:
    word = read_id(row, "status")
    if word not in ONLINE_WORDS | OFFLINE_WORDS:
        raise malformed("status", "a known symbol status", word)
    return word in ONLINE_WORDS


def _read_sides(row: JsonObject) -> tuple[Side, ...]:
    """An integer on the wire, a text in the documents, missing in older answers."""
    if row.get("tradeSideType") is None:
        return (Side.BUY, Side.SELL)
    kind = read_int(row, "tradeSideType")
    if kind not in SIDES_OF_TYPE:
        raise malformed("tradeSideType", "1, 2, 3 or 4", kind)
    return SIDES_OF_TYPE[kind]


def _read_price_factors(row: JsonObject) -> tuple[Decimal | None, Decimal | None]:
    """(most for a BUY, least for a SELL) as factors of the last price.

    Documented as factors such as 5 and 0.2; also seen as a band such as 0.005 on both sides. A factor below one would
    forbid ordinary buys, so there it is read as the fraction of a band. The venue's code 30087 has the last word.
    """
    for found in as_list(row.get("filters") or [], "filters"):
        rule = as_object(found, "filter")
        if rule.get("filterType") == "PERCENT_PRICE_BY_SIDE":
            up, down = find_quantity(rule, "bidMultiplierUp"), find_quantity(rule, "askMultiplierDown")
            if up is not None and 0 < up < 1:
                return 1 + up, None if down is None else max(Decimal(0), 1 - down) or None
            return up or None, down or None
    return None, None


def parse_instrument(value: Any) -> InstrumentReport:
    row = as_object(value, "symbol")
    sides, is_online = _read_sides(row), _read_is_online(row)
    least = read_quantity(row, "baseSizePrecision")
    up, down = _read_price_factors(row)
    return InstrumentReport(
        venue_symbol=read_text(row, "symbol"),
        base_asset=read_text(row, "baseAsset"),
        quote_asset=read_text(row, "quoteAsset"),
        is_tradable=is_online and bool(sides) and read_bool(row, "isSpotTradingAllowed"),
        tick_size=_read_step(row, "quotePrecision"),
        lot_size=max(least, _read_step(row, "baseAssetPrecision")),
        min_quantity=least or None,
        max_quantity=None,
        min_notional=find_quantity(row, "quoteAmountPrecision") or None,
        max_notional=find_quantity(row, "maxQuoteAmount") or None,
        min_notional_market=find_quantity(row, "quoteAmountPrecisionMarket") or None,
        max_notional_market=find_quantity(row, "maxQuoteAmountMarket") or None,
        order_types=tuple(
            read_text({"type": word}, "type") for word in as_list(row.get("orderTypes"), "orderTypes")
        ),
        price_up_factor=up,
        price_down_factor=down,
        sides=sides,
    )


def symbol_rows(value: Any) -> list[Any]:
    return as_list(as_object(value, "exchangeInfo").get("symbols"), "symbols")
