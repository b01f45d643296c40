"""Symbol rules by their filters."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.exchanges.binance.samples import SYMBOL
from trading.domain.errors import MalformedAnswer
from trading.exchanges.binance.instruments import parse_instrument, symbol_rows


def with_filters(*changed: dict[str, Any], without: str = "") -> dict[str, Any]:
    filters = {one["filterType"]: one for one in SYMBOL["filters"] if one["filterType"] != without}
    for one in changed:
        filters[one["filterType"]] = filters.get(one["filterType"], {}) | one
    return SYMBOL | {"filters": list(filters.values())}


def test_the_documented_symbol() -> None:
    found = parse_instrument(SYMBOL)
    assert (found.symbol, found.venue_symbol, found.is_tradable) == ("ETH/BTC", "ETHBTC", True)
    assert (found.tick_size, found.lot_size) == (Decimal("0.00001"), Decimal("0.0001"))
    assert (found.min_quantity, found.max_quantity) == (Decimal("0.0001"), 100000)
    assert (found.min_notional, found.max_notional) == (Decimal("0.0001"), 9000000)
    assert (found.min_notional_market, found.max_notional_market) == (Decimal("0.0001"), None)
    assert (found.price_up_factor, found.price_down_factor) == (5, Decimal("0.2"))
    assert found.order_types == ("LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT")


@pytest.mark.parametrize(
    ("changes", "is_tradable"),
    [
        ({"status": "BREAK"}, False),
        ({"status": "CANCEL_ONLY"}, False),
        ({"isSpotTradingAllowed": False}, False),
        ({"permissionSets": [["MARGIN"]]}, False),
        ({"permissionSets": [["SPOT"], ["TRD_GRP_1"]]}, False),
        ({"permissionSets": [["SPOT"], ["SPOT", "TRD_GRP_1"]]}, True),
        ({"permissionSets": None, "permissions": ["SPOT", "MARGIN"]}, True),
        ({"permissionSets": [], "permissions": ["LEVERAGED"]}, False),
    ],
)
def test_what_may_be_traded(changes: dict, is_tradable: bool) -> None:
    assert parse_instrument(SYMBOL | changes).is_tradable is is_tradable


def test_a_filter_that_is_off_leaves_the_decimals_of_the_quote_asset() -> None:
    found = parse_instrument(with_filters({"filterType": "PRICE_FILTER", "tickSize": "0.00000000"}))
    assert found.tick_size == Decimal("0.00000001")


def test_a_coarser_step_of_market_orders_is_the_step_of_all() -> None:
    found = parse_instrument(with_filters({"filterType": "MARKET_LOT_SIZE", "stepSize": "0.01000000"}))
    assert found.lot_size == Decimal("0.01")


def test_of_two_notionals_the_stricter_one_counts() -> None:
    older = {"filterType": "MIN_NOTIONAL", "minNotional": "0.001", "applyToMarket": False, "avgPriceMins": 5}
    found = parse_instrument(with_filters(older))
    assert (found.min_notional, found.min_notional_market) == (Decimal("0.001"), Decimal("0.0001"))
    alone = parse_instrument(with_filters(older, without="NOTIONAL"))
    assert (alone.min_notional, alone.min_notional_market, alone.max_notional) == (
        Decimal("0.001"),
        None,
        None,
    )


def test_the_older_band_of_prices() -> None:
    band = {"filterType": "PERCENT_PRICE", "multiplierUp": "1.3", "multiplierDown": "0.7", "avgPriceMins": 5}
    found = parse_instrument(with_filters(band, without="PERCENT_PRICE_BY_SIDE"))
    assert (found.price_up_factor, found.price_down_factor) == (Decimal("1.3"), Decimal("0.7"))


@pytest.mark.parametrize(
    "row",
    [
        SYMBOL | {"status": "DREAMING"},
        SYMBOL | {"filters": None},
        SYMBOL | {"permissionSets": "SPOT"},
        SYMBOL | {"filters": [*SYMBOL["filters"], SYMBOL["filters"][0]]},
        with_filters(without="LOT_SIZE"),
        with_filters(without="PRICE_FILTER"),
        with_filters({"filterType": "LOT_SIZE", "stepSize": "0"}),
        with_filters({"filterType": "LOT_SIZE", "stepSize": "-1"}),
        with_filters({"filterType": "NOTIONAL", "applyMinToMarket": "yes"}),
    ],
)
def test_rules_that_cannot_be_read_are_no_rules(row: dict) -> None:
    with pytest.raises(MalformedAnswer):
        parse_instrument(row)


def test_the_list_of_symbols() -> None:
    assert symbol_rows({"symbols": [SYMBOL]}) == [SYMBOL]
    with pytest.raises(MalformedAnswer):
        symbol_rows({"symbols": None})
