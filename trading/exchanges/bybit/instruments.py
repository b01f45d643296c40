"""Bybit's symbol rules as InstrumentReports. Pure.

`basePrecision` is the step of a quantity and `tickSize` that of a price, both as numbers; `minOrderAmt` is the least
notional. Fields that the venue has declared outdated (minOrderQty, maxOrderQty, maxOrderAmt) are not read. The bands of
`riskParameters` are around an index price that nobody tells here: the venue's codes have the last word on those.
"""

from __future__ import annotations

from typing import Any

from trading.domain.outcomes import InstrumentReport

from ..strict_json import as_object, find_quantity, malformed, read_positive, read_text
from .constants import CLOSED_WORDS, ORDER_TYPES, TRADING_WORD


def parse_instrument(value: Any) -> InstrumentReport:
    row = as_object(value, "instrument")
    lot = as_object(row.get("lotSizeFilter"), "lotSizeFilter")
    price = as_object(row.get("priceFilter"), "priceFilter")
    status = read_text(row, "status")
    if status != TRADING_WORD and status not in CLOSED_WORDS:
        raise malformed("status", "a known symbol status", status)
    return InstrumentReport(
        venue_symbol=read_text(row, "symbol"),
        base_asset=read_text(row, "baseCoin"),
        quote_asset=read_text(row, "quoteCoin"),
        is_tradable=status == TRADING_WORD,
        tick_size=read_positive(price, "tickSize"),
        lot_size=read_positive(lot, "basePrecision"),
        min_quantity=None,
        # Of limit orders; a market order may be held to less, which the venue refuses with a definite code.
        max_quantity=find_quantity(lot, "maxLimitOrderQty") or None,
        min_notional=find_quantity(lot, "minOrderAmt") or None,
        max_notional=None,
        min_notional_market=find_quantity(lot, "minOrderAmt") or None,
        max_notional_market=None,
        order_types=ORDER_TYPES,
    )
