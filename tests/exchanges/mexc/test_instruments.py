"""Symbol rules with all their misnamed fields."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.exchanges.mexc.samples import SYMBOL
from trading.domain.enums import Side
from trading.domain.errors import MalformedAnswer
from trading.exchanges.mexc.instruments import parse_instrument, symbol_rows

FILTER = {"filterType": "PERCENT_PRICE_BY_SIDE"}


def test_the_documented_symbol() -> None:
    found = parse_instrument(SYMBOL)
    assert found.symbol == "METAL/USDT", "split by the fields, never by the letters"
    assert found.is_tradable
    assert (found.tick_size, found.lot_size, found.min_quantity) == (
        Decimal("0.00001"),
        Decimal("0.1"),
        Decimal("0.1"),
    )
    assert (found.min_notional, found.max_notional) == (1, 2000000)
    assert (found.min_notional_market, found.max_notional_market) == (1, 100000)
    assert (found.price_up_factor, found.price_down_factor) == (5, Decimal("0.2"))
    assert found.order_types == ("LIMIT", "MARKET", "LIMIT_MAKER")


def test_a_zero_size_precision_falls_back_to_the_decimals() -> None:
    found = parse_instrument(SYMBOL | {"baseSizePrecision": "0", "filters": [], "tradeSideType": 1})
    assert found.lot_size == Decimal("0.01")
    assert found.min_quantity is None
    assert found.price_up_factor is None


@pytest.mark.parametrize(
    ("changes", "is_tradable"),
    [
        ({"status": "ENABLED"}, True),
        ({"status": 1}, True),
        ({"status": "2"}, False),
        ({"status": "3"}, False),
        ({"isSpotTradingAllowed": False}, False),
        ({"tradeSideType": 4}, False),
        ({"tradeSideType": "4"}, False),
        ({"tradeSideType": None}, True),
    ],
)
def test_what_makes_a_symbol_tradable(changes: dict, is_tradable: bool) -> None:
    assert parse_instrument(SYMBOL | changes).is_tradable is is_tradable


@pytest.mark.parametrize(
    ("kind", "sides"), [(1, (Side.BUY, Side.SELL)), ("2", (Side.BUY,)), (3, (Side.SELL,)), ("4", ())]
)
def test_the_sides_come_as_number_or_text(kind: object, sides: tuple[Side, ...]) -> None:
    assert parse_instrument(SYMBOL | {"tradeSideType": kind}).sides == sides


def test_a_band_below_one_is_read_as_a_fraction() -> None:
    rule = FILTER | {"bidMultiplierUp": "0.005", "askMultiplierDown": "0.005"}
    found = parse_instrument(SYMBOL | {"filters": [rule]})
    assert (found.price_up_factor, found.price_down_factor) == (Decimal("1.005"), Decimal("0.995"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "4"),
        ("status", None),
        ("tradeSideType", 5),
        ("tradeSideType", "both"),
        ("quotePrecision", -1),
        ("quotePrecision", 19),
        ("quotePrecision", None),
        ("baseAssetPrecision", "x"),
        ("baseSizePrecision", None),
        ("isSpotTradingAllowed", "true"),
        ("orderTypes", None),
        ("baseAsset", ""),
        ("filters", {"a": 1}),
    ],
)
def test_an_unknown_word_or_type_is_an_error_naming_the_field(field: str, value: object) -> None:
    with pytest.raises(MalformedAnswer, match=field):
        parse_instrument(SYMBOL | {field: value})


def test_the_list_must_be_there() -> None:
    assert symbol_rows({"symbols": []}) == []
    with pytest.raises(MalformedAnswer, match="symbols"):
        symbol_rows({"code": 200})
