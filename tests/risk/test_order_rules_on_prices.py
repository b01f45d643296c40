"""Rules about the order's price and what the order is worth, each at its boundary."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.risk.samples import (
    ORDER,
    assert_not_applicable,
    check,
    codes,
    facts,
    facts_with_price,
    limit_order,
    market_order,
    quote_order,
)
from trading.domain.denials import DenialCode
from trading.domain.enums import Side

NOT_NUMBERS = [Decimal("NaN"), Decimal("Infinity"), Decimal("1e400"), Decimal(0), Decimal(-1)]


@pytest.mark.parametrize("last", [None, *NOT_NUMBERS])
@pytest.mark.parametrize("order", [ORDER, market_order()])
def test_without_a_usable_last_price_nothing_passes(order, last):
    answer = check("price_known", order, facts_with_price(last=last))
    assert (answer.passed, answer.code) == (False, DenialCode.PRICE_MISSING)
    assert answer.observed == "unknown" if last is None else answer.observed.startswith("unusable (")
    assert codes(order, facts_with_price(last=last)) == {"price_missing"}


@pytest.mark.parametrize(
    ("age", "passes"), [("0", True), ("30", True), ("30.001", False), ("-30", True), ("-31", False)]
)
def test_a_price_may_be_as_old_as_the_limit_and_no_older(age, passes):
    answer = check("price_fresh", ORDER, facts_with_price(age_seconds=Decimal(age)))
    assert (answer.passed, answer.code) == (passes, DenialCode.PRICE_STALE)
    assert (answer.observed, answer.limit, answer.age_seconds) == (age, "30", age)


@pytest.mark.parametrize("age", [None, Decimal("NaN"), Decimal("Infinity")])
def test_a_price_of_unknown_age_is_stale(age):
    assert codes(ORDER, facts_with_price(age_seconds=age)) == {"price_stale"}


@pytest.mark.parametrize(("price", "passes"), [("100.01", True), ("100.015", False), ("0.01", True)])
def test_a_limit_price_is_on_the_grid(price, passes):
    answer = check("price_on_tick", limit_order(price=price))
    assert (answer.passed, answer.code) == (passes, DenialCode.PRICE_OFF_TICK)
    assert (answer.observed, answer.limit) == (price, "0.01")


def test_a_market_order_has_no_limit_price_to_judge():
    for rule in ("price_on_tick", "price_collar", "venue_price_band"):
        assert_not_applicable(check(rule, market_order()), "a market order has no limit price")


@pytest.mark.parametrize("price", [None, *NOT_NUMBERS])
def test_a_limit_order_without_a_usable_price_is_denied(price):
    assert codes(replace(ORDER, price=price)) == {"price_missing"}


@pytest.mark.parametrize(
    ("rule", "order", "passes", "observed", "limit"),
    [
        ("minimum_notional", limit_order(quantity="0.05"), True, "5", "5"),
        ("minimum_notional", limit_order(quantity="0.049"), False, "4.9", "5"),
        ("minimum_notional", limit_order(quantity="0.1", price="49.99"), False, "4.999", "5"),
        ("minimum_notional", market_order(quantity="0.06"), True, "6", "6"),
        ("minimum_notional", market_order(quantity="0.059"), False, "5.9", "6"),
        ("minimum_notional", quote_order(quote_quantity="6"), True, "6", "6"),
        ("minimum_notional", quote_order(quote_quantity="5.99"), False, "5.99", "6"),
        ("maximum_notional", limit_order(quantity="200"), True, "20000", "20000"),
        ("maximum_notional", limit_order(quantity="200.001"), False, "20000.1", "20000"),
        ("maximum_notional", market_order(quantity="100"), True, "10000", "10000"),
        ("maximum_notional", market_order(quantity="100.001"), False, "10000.1", "10000"),
        ("maximum_notional", quote_order(quote_quantity="10000.01"), False, "10000.01", "10000"),
    ],
)
def test_the_venue_bounds_the_notional_by_order_type(rule, order, passes, observed, limit):
    answer = check(rule, order)
    assert (answer.passed, answer.observed, answer.limit) == (passes, observed, limit)
    expected = DenialCode.NOTIONAL_TOO_SMALL if rule == "minimum_notional" else DenialCode.NOTIONAL_TOO_LARGE
    assert answer.code is expected


@pytest.mark.parametrize(
    ("order", "rate", "passes", "observed"),
    [
        (limit_order(quantity="50"), "1", True, "5000"),
        (limit_order(quantity="50.001"), "1", False, "5000.1"),
        (limit_order(quantity="50"), "1.001", False, "5005"),
        (market_order(quantity="50.001"), "1", False, "5000.1"),
        (quote_order(quote_quantity="5000.01"), "1", False, "5000.01"),
        # A SELL far below the market is filled at the market's price: it counts at that.
        (limit_order(Side.SELL, quantity="50.001", price="0.01"), "1", False, "5000.1"),
        (limit_order(Side.SELL, quantity="50", price="101"), "1", False, "5050"),
        (limit_order(Side.BUY, quantity="51", price="98"), "1", True, "4998"),
    ],
)
def test_one_order_may_be_worth_so_much_and_no_more(order, rate, passes, observed):
    answer = check("maximum_order_notional", order, facts(quote_rate=Decimal(rate)))
    assert (answer.passed, answer.code) == (passes, DenialCode.MAX_ORDER_NOTIONAL)
    assert (answer.observed, answer.limit) == (observed, "5000")


@pytest.mark.parametrize("rate", [None, *NOT_NUMBERS])
def test_an_order_that_cannot_be_valued_is_denied(rate):
    assert codes(ORDER, facts(quote_rate=rate)) == {"quote_rate_unknown"}


@pytest.mark.parametrize(
    ("price", "passes", "deviation"),
    [("105", True, "5"), ("105.01", False, "5.01"), ("95", True, "5"), ("94.99", False, "5.01")],
)
@pytest.mark.parametrize("side", Side)
def test_a_limit_price_stays_within_the_collar_in_both_directions(side, price, passes, deviation):
    answer = check("price_collar", limit_order(side, price=price))
    assert (answer.passed, answer.code) == (passes, DenialCode.PRICE_COLLAR)
    assert (answer.observed, answer.limit, answer.age_seconds) == (deviation, "5", "1")
    assert answer.note == f"percent: limit price {price}, last price 100"


def test_a_deviation_that_does_not_divide_evenly_is_still_judged_exactly():
    given = facts_with_price(last=Decimal(3))
    assert not check("price_collar", limit_order(price="3.15000000000000001"), given).passed
    assert check("price_collar", limit_order(price="3.15"), given).passed


@pytest.mark.parametrize(
    ("side", "price", "passes", "bound"),
    [
        (Side.BUY, "500", True, "500"),
        (Side.BUY, "500.01", False, "500"),
        (Side.BUY, "1", True, "500"),
        (Side.SELL, "20", True, "20"),
        (Side.SELL, "19.99", False, "20"),
        (Side.SELL, "900", True, "20"),
    ],
)
def test_the_venue_has_a_band_of_its_own(side, price, passes, bound):
    answer = check("venue_price_band", limit_order(side, price=price))
    assert (answer.passed, answer.code) == (passes, DenialCode.VENUE_PRICE_BAND)
    assert (answer.observed, answer.limit) == (price, bound)


@pytest.mark.parametrize(
    ("seen", "passes", "deviation"),
    [("95", True, "5"), ("105", True, "5"), ("94.9", False, "5.1"), ("100000", False, "99900")],
)
@pytest.mark.parametrize("kind", [limit_order, market_order])
def test_the_price_the_asker_saw_is_compared_with_ours(kind, seen, passes, deviation):
    answer = check("signal_price_collar", kind(signal_price=Decimal(seen)))
    assert (answer.passed, answer.code) == (passes, DenialCode.SIGNAL_PRICE_COLLAR)
    assert (answer.observed, answer.limit) == (deviation, "5")


def test_an_asker_who_names_no_price_is_not_judged_by_it():
    order = limit_order(signal_price=None)
    assert_not_applicable(check("signal_price_collar", order), "the asker named no price")
    nonsense = limit_order(signal_price=Decimal("NaN"))
    assert codes(nonsense) == {"signal_price_collar"}
