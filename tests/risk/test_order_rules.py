"""Rules about the order itself, each at its boundary."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.risk.samples import (
    ORDER,
    assert_denied,
    assert_not_applicable,
    assert_passed,
    check,
    codes,
    facts,
    facts_with_instrument,
    facts_with_limits,
    facts_with_price,
    limit_order,
    market_order,
    quote_order,
)
from trading.domain.denials import DenialCode
from trading.domain.enums import OrderType, Side


@pytest.mark.parametrize("thing", ["account", "strategy"])
def test_only_what_is_enabled_may_trade(thing):
    assert_passed(check(f"{thing}_enabled"), "enabled", "enabled")
    for state in (False, None, "yes"):
        answer = check(f"{thing}_enabled", ORDER, facts(**{f"{thing}_enabled": state}))
        assert_denied(answer, DenialCode(f"{thing}_disabled"), "disabled", "enabled")


@pytest.mark.parametrize("age", [Decimal("120.1"), Decimal("-121")])
def test_a_clock_that_was_not_compared_lately_opens_nothing(age):
    assert_passed(check("clock_agrees", ORDER, facts(clock_age_seconds=Decimal(120))), "0.2", "5")
    answer = check("clock_agrees", ORDER, facts(clock_age_seconds=age))
    assert_denied(answer, DenialCode.CLOCK_UNKNOWN, str(age), "120")
    assert codes(ORDER, facts(clock_age_seconds=age)) == {"clock_unknown"}


def test_without_limits_in_force_nothing_passes_and_the_reason_is_one():
    assert_passed(check("limits_in_force"), "version 7", "a version in force")
    answer = check("limits_in_force", ORDER, facts(limits=None))
    assert_denied(answer, DenialCode.LIMITS_MISSING, "none", "a version in force")
    assert codes(ORDER, facts(limits=None)) == {"limits_missing"}


def test_a_symbol_the_venue_closed_is_denied():
    answer = check("instrument_tradable", ORDER, facts_with_instrument(is_tradable=False))
    assert_denied(answer, DenialCode.SYMBOL_NOT_TRADABLE, "closed", "BUY")


def test_a_side_the_venue_closed_is_denied():
    sell_only = facts_with_instrument(sides=(Side.SELL,))
    assert_denied(
        check("instrument_tradable", ORDER, sell_only), DenialCode.SYMBOL_NOT_TRADABLE, "SELL", "BUY"
    )
    assert_passed(check("instrument_tradable", limit_order(Side.SELL), sell_only), "SELL", "SELL")
    closed = check("instrument_tradable", ORDER, facts_with_instrument(sides=()))
    assert_denied(closed, DenialCode.SYMBOL_NOT_TRADABLE, "no side", "BUY")


@pytest.mark.parametrize(
    ("word", "offered", "passes"),
    [
        ("MARKET", ("LIMIT", "MARKET"), True),
        ("MARKET", ("LIMIT",), False),
        ("LIMIT_MAKER", ("LIMIT",), False),
        ("IOC", ("LIMIT",), True),
        ("FOK", ("LIMIT",), True),
        ("IOC", ("MARKET",), False),
        ("FOK", ("MARKET", "FOK"), True),
        ("LIMIT", (), False),
    ],
)
def test_the_venue_must_offer_the_order_type(word, offered, passes):
    order, given = limit_order(type_word=word), facts_with_instrument(order_types=offered)
    answer = check("order_type_supported", order, given)
    assert answer.passed is passes
    assert answer.code is DenialCode.ORDER_TYPE_NOT_SUPPORTED
    assert (answer.observed, answer.limit) == (word, ", ".join(offered) or "none")


def test_only_symbols_on_the_allow_list_are_traded():
    assert_passed(check("symbol_allowed"), "BTC/USDT", "BTC/USDT, ETH/USDT")
    other = check("symbol_allowed", limit_order(symbol="DOGE/USDT"))
    assert_denied(other, DenialCode.SYMBOL_NOT_ALLOWED, "DOGE/USDT", "BTC/USDT, ETH/USDT")


def test_an_empty_allow_list_allows_nothing_and_none_allows_everything():
    empty = check("symbol_allowed", ORDER, facts_with_limits(allowed_symbols=()))
    assert_denied(empty, DenialCode.SYMBOL_NOT_ALLOWED, "BTC/USDT", "none")
    absent = check("symbol_allowed", ORDER, facts_with_limits(allowed_symbols=None))
    assert_not_applicable(absent, "every symbol is allowed")


def test_a_long_allow_list_is_shown_in_short():
    many = tuple(f"C{number}/USDT" for number in range(12))
    answer = check("symbol_allowed", ORDER, facts_with_limits(allowed_symbols=many))
    assert answer.limit.endswith("C9/USDT and 2 more")
    ten = check("symbol_allowed", ORDER, facts_with_limits(allowed_symbols=many[:10]))
    assert ten.limit.endswith("C9/USDT")


@pytest.mark.parametrize(
    ("quantity", "code"),
    [
        ("0.001", None),
        ("1.234", None),
        ("1.2345", DenialCode.QUANTITY_OFF_LOT),
        ("0.0005", DenialCode.QUANTITY_OFF_LOT),
        ("0", DenialCode.QUANTITY_TOO_SMALL),
        ("-1", DenialCode.QUANTITY_TOO_SMALL),
    ],
)
def test_a_quantity_is_a_whole_number_of_lots(quantity, code):
    answer = check("whole_lots", limit_order(quantity=quantity))
    if code is None:
        assert_passed(answer, quantity, "0.001")
    else:
        assert_denied(answer, code, quantity, "0.001")


def test_what_was_rounded_away_is_shown():
    order = limit_order(quantity="0", asked_quantity=Decimal("0.0009"))
    answer = check("whole_lots", order)
    assert_denied(answer, DenialCode.QUANTITY_TOO_SMALL, "0", "0.001")
    assert answer.note == "rounded from 0.0009"
    assert check("price_on_tick", limit_order(asked_price=Decimal("100.001"))).note == "rounded from 100.001"


def test_what_was_not_rounded_carries_no_note():
    for order in (ORDER, limit_order(asked_quantity=None, asked_price=None)):
        assert [check(rule, order).note for rule in ("whole_lots", "price_on_tick")] == ["", ""]


def test_a_quote_order_has_no_lots_and_no_base_bounds():
    for rule in ("whole_lots", "minimum_quantity", "maximum_quantity"):
        assert_not_applicable(check(rule, quote_order()), "ordered by quote quantity")


def test_a_venue_that_states_no_grid_has_none():
    given = facts_with_instrument(lot_size=Decimal(0), tick_size=Decimal(0))
    order = limit_order(quantity="1.23456789", price="100.123456")
    assert_not_applicable(check("whole_lots", order, given), "the venue states none")
    assert_not_applicable(check("price_on_tick", order, given), "the venue states none")


@pytest.mark.parametrize(
    ("rule", "quantity", "passes", "limit"),
    [
        ("minimum_quantity", "0.001", True, "0.001"),
        ("minimum_quantity", "0.0009", False, "0.001"),
        ("maximum_quantity", "100", True, "100"),
        ("maximum_quantity", "100.001", False, "100"),
    ],
)
def test_the_venue_bounds_the_quantity(rule, quantity, passes, limit):
    answer = check(rule, limit_order(quantity=quantity))
    assert (answer.passed, answer.observed, answer.limit) == (passes, quantity, limit)
    expected = DenialCode.QUANTITY_TOO_SMALL if rule == "minimum_quantity" else DenialCode.QUANTITY_TOO_LARGE
    assert answer.code is expected


def test_a_bound_that_the_venue_does_not_state_is_none():
    bounds = ("min_quantity", "max_quantity", "min_notional", "max_notional")
    given = facts_with_instrument(
        **dict.fromkeys([*bounds, "min_notional_market", "max_notional_market", "price_up_factor"])
    )
    rules = ("minimum_quantity", "maximum_quantity", "minimum_notional", "maximum_notional")
    for rule in (*rules, "venue_price_band"):
        assert_not_applicable(check(rule, ORDER, given), "the venue states none")
    for rule in rules:
        assert_not_applicable(check(rule, market_order(), given), "the venue states none")


def test_limits_that_are_not_set_do_not_apply():
    given = facts_with_limits(max_order_notional=None, price_collar_pct=None)
    for rule in ("maximum_order_notional", "price_collar", "signal_price_collar"):
        assert_not_applicable(check(rule, ORDER, given), "not set")


@pytest.mark.parametrize("limit", ["max_order_notional", "price_collar_pct", "max_price_age_seconds"])
def test_a_limit_that_is_no_number_denies(limit):
    assert codes(ORDER, facts_with_limits(**{limit: Decimal("NaN")})) == {"limits_missing"}


def test_a_limit_of_zero_is_a_limit():
    assert codes(ORDER, facts_with_limits(max_order_notional=Decimal(0))) == {"max_order_notional"}
    assert codes(ORDER, facts_with_limits(price_collar_pct=Decimal(0))) == set()
    assert not check(
        "price_collar", limit_order(price="100.01"), facts_with_limits(price_collar_pct=Decimal(0))
    ).passed


def test_a_quote_order_without_an_estimate_is_estimated_at_the_last_price():
    for side in Side:
        order = replace(quote_order(side), quantity=None)
        assert codes(order) == set()
        assert codes(order, facts_with_price(last=None)) == {"price_missing"}
    buys_90 = replace(quote_order(quote_quantity="9000"), quantity=None)
    assert check("symbol_exposure", buys_90).observed == "9000"
    estimated = replace(buys_90, quantity=Decimal(91))
    assert check("symbol_exposure", estimated).observed == "9100"


@pytest.mark.parametrize("quantity", [None, Decimal("NaN"), Decimal("1e400")])
def test_an_order_whose_quantity_cannot_be_told_is_denied(quantity):
    assert codes(replace(ORDER, quantity=quantity)) == {"quantity_unknown"}
    assert codes(replace(quote_order(), quantity=None, quote_quantity=quantity)) == {"quantity_unknown"}


def test_times_in_force_and_makers_are_judged_as_limit_orders():
    maker = limit_order(order_type=OrderType.LIMIT_MAKER, type_word="LIMIT_MAKER", price="200")
    assert codes(maker) == {"price_collar"}
    assert codes(limit_order(type_word="IOC", price="200")) == {"price_collar"}
