"""Binance's symbol rules as InstrumentReports. Pure.

Rules are filters, each with a name. Where a symbol has two that bound the same thing, the stricter one counts. A market
order's own step counts where it is coarser, because quantities have one grid with us. The venue's word has the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from trading.domain.outcomes import InstrumentReport

from ..strict_json import (
    JsonObject,
    as_list,
    as_object,
    find_quantity,
    malformed,
    read_bool,
    read_int,
    read_quantity,
    read_text,
)
from .constants import CLOSED_WORDS, PERMISSION, TRADING_WORDS

_MOST_DECIMALS = 18
Filters = Mapping[str, JsonObject]
Bounds = tuple[Decimal | None, Decimal | None]


def _read_filters(row: JsonObject) -> Filters:
    found = [as_object(one, "filter") for one in as_list(row.get("filters"), "filters")]
    filters = {read_text(one, "filterType"): one for one in found}
    if len(filters) != len(found):
        raise malformed("filters", "each filter once", len(found))
    return filters


def _needed(filters: Filters, name: str) -> JsonObject:
    if name not in filters:
        raise malformed("filters", f"a {name}", None)
    return filters[name]


def _read_is_trading(row: JsonObject) -> bool:
    word = read_text(row, "status")
    if word not in TRADING_WORDS | CLOSED_WORDS:
        raise malformed("status", "a known symbol status", word)
    return word in TRADING_WORDS


def _is_permitted(row: JsonObject) -> bool:
    """Of every group an account needs one permission; older answers have one flat group."""
    groups = as_list(row.get("permissionSets") or [row.get("permissions") or [PERMISSION]], "permissionSets")
    return all(PERMISSION in as_list(group, "permissions") for group in groups)


def _read_tick(row: JsonObject, filters: Filters) -> Decimal:
    """Zero switches the filter off; then the decimals of the quote asset are the grid."""
    tick = read_quantity(_needed(filters, "PRICE_FILTER"), "tickSize")
    if tick:
        return tick
    decimals = read_int(row, "quoteAssetPrecision")
    if not 0 <= decimals <= _MOST_DECIMALS:
        raise malformed("quoteAssetPrecision", f"a number of decimals from 0 to {_MOST_DECIMALS}", decimals)
    return Decimal(1).scaleb(-decimals)


def _read_lot(filters: Filters) -> Decimal:
    lot = read_quantity(_needed(filters, "LOT_SIZE"), "stepSize")
    market = filters.get("MARKET_LOT_SIZE")
    step = max(lot, read_quantity(market, "stepSize") if market is not None else lot)
    if not step:
        raise malformed("stepSize", "a number above zero", step)
    return step


def _read_quantities(filters: Filters) -> Bounds:
    lot = _needed(filters, "LOT_SIZE")
    return read_quantity(lot, "minQty") or None, read_quantity(lot, "maxQty") or None


def _read_notionals(filters: Filters) -> tuple[Bounds, Bounds]:
    """(least and most of any order, least and most of a MARKET order)."""
    least, least_market, most, most_market = [], [], None, None
    if newer := filters.get("NOTIONAL"):
        least.append(read_quantity(newer, "minNotional"))
        if read_bool(newer, "applyMinToMarket"):
            least_market.append(least[0])
        most = find_quantity(newer, "maxNotional") or None
        most_market = most if read_bool(newer, "applyMaxToMarket") else None
    if older := filters.get("MIN_NOTIONAL"):
        least.append(read_quantity(older, "minNotional"))
        if read_bool(older, "applyToMarket"):
            least_market.append(least[-1])
    return (max(least, default=None) or None, most), (max(least_market, default=None) or None, most_market)


def _read_price_factors(filters: Filters) -> Bounds:
    """(most for a BUY, least for a SELL) as factors of a mean price, which is near the last one."""
    if by_side := filters.get("PERCENT_PRICE_BY_SIDE"):
        names = ("bidMultiplierUp", "askMultiplierDown")
        return find_quantity(by_side, names[0]) or None, find_quantity(by_side, names[1]) or None
    if band := filters.get("PERCENT_PRICE"):
        return find_quantity(band, "multiplierUp") or None, find_quantity(band, "multiplierDown") or None
    return None, None


def parse_instrument(value: Any) -> InstrumentReport:
    row = as_object(value, "symbol")
    filters, is_trading = _read_filters(row), _read_is_trading(row)
    least, most = _read_quantities(filters)
    (min_notional, max_notional), (min_market, max_market) = _read_notionals(filters)
    up, down = _read_price_factors(filters)
    return InstrumentReport(
        venue_symbol=read_text(row, "symbol"),
        base_asset=read_text(row, "baseAsset"),
        quote_asset=read_text(row, "quoteAsset"),
        is_tradable=is_trading and read_bool(row, "isSpotTradingAllowed") and _is_permitted(row),
        tick_size=_read_tick(row, filters),
        lot_size=_read_lot(filters),
        min_quantity=least,
        max_quantity=most,
        min_notional=min_notional,
        max_notional=max_notional,
        min_notional_market=min_market,
        max_notional_market=max_market,
        order_types=tuple(
            read_text({"type": word}, "type") for word in as_list(row.get("orderTypes"), "orderTypes")
        ),
        price_up_factor=up,
        price_down_factor=down,
    )


def symbol_rows(value: Any) -> list[Any]:
    return as_list(as_object(value, "exchangeInfo").get("symbols"), "symbols")
