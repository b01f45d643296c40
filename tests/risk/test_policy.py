"""The policy as a whole: every rule, every time, for any facts; and more risk never helps."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.risk.nonsense import any_facts, any_order
from tests.risk.samples import (
    FACTS,
    LIMITS,
    ORDER,
    codes,
    holding,
    limit_order,
    market_order,
    quote_order,
)
from trading.domain.denials import DenialCode
from trading.domain.enums import Side
from trading.risk import (
    RULES,
    Check,
    LimitsFacts,
    OrderFacts,
    RiskFacts,
    SymbolExposure,
    evaluate,
)

IN_ORDER = (
    "account_enabled",
    "strategy_enabled",
    "limits_in_force",
    "instrument_tradable",
    "order_type_supported",
    "symbol_allowed",
    "price_known",
    "price_fresh",
    "price_sources_agree",
    "clock_agrees",
    "whole_lots",
    "price_on_tick",
    "minimum_quantity",
    "maximum_quantity",
    "minimum_notional",
    "maximum_notional",
    "venue_price_band",
    "maximum_order_notional",
    "maximum_order_quantity",
    "price_collar",
    "signal_price_collar",
    "free_balance",
    "positions_fresh",
    "reduce_only",
    "symbol_exposure",
    "total_exposure",
    "concurrent_positions",
    "in_doubt_notional",
    "open_orders",
    "orders_per_minute",
    "notional_per_minute",
    "orders_per_fill",
    "repeated_executions",
    "duplicate_order",
    "daily_loss",
    "daily_loss_amount",
    "drawdown",
)


def test_the_rules_are_asked_in_a_fixed_order():
    assert tuple(rule.name for rule in RULES) == IN_ORDER
    assert tuple(check.rule for check in evaluate(ORDER, FACTS)) == IN_ORDER


@pytest.mark.parametrize(
    "order",
    [ORDER, market_order(), quote_order(), limit_order(Side.SELL), quote_order(Side.SELL)],
    ids=["limit", "market", "quote", "sell", "quote sell"],
)
def test_an_order_within_all_limits_is_allowed_with_a_full_record(order):
    checks = evaluate(order, FACTS)
    assert all(check.passed for check in checks)
    assert all(check.observed or check.note.startswith("not applicable: ") for check in checks)


def test_one_denial_does_not_hide_the_others():
    given = replace(FACTS, account_enabled=False, open_orders=10, daily_pnl=Decimal(-900))
    order = limit_order(quantity="1.0005", symbol="DOGE/USDT")
    assert codes(order, given) == {
        "account_disabled",
        "symbol_not_allowed",
        "quantity_off_lot",
        "max_open_orders",
        "daily_loss",
    }


@given(st.just(ORDER) | any_order, st.just(FACTS) | any_facts)
def test_any_facts_get_one_check_per_rule_and_nothing_is_raised(order, facts):
    checks = evaluate(order, facts)
    assert tuple(check.rule for check in checks) == IN_ORDER
    for check in checks:
        assert isinstance(check.code, DenialCode)
        assert isinstance(check.passed, bool)
        texts = (check.observed, check.limit, check.age_seconds, check.note)
        assert all(isinstance(text, str) and len(text) < 400 for text in texts)
    assert evaluate(order, facts) == checks


# Absence of these is an answer: there was no such order, no strategy stands behind it.
MAY_BE_ABSENT = ("seconds_since_same", "executions")
FACT_NAMES = [name for name in RiskFacts.__dataclass_fields__ if name not in MAY_BE_ABSENT]


@pytest.mark.parametrize("name", FACT_NAMES)
def test_every_fact_that_is_unknown_denies(name):
    assert codes(ORDER, replace(FACTS, **{name: None}))


@pytest.mark.parametrize("name", [name for name in FACT_NAMES if isinstance(getattr(FACTS, name), Decimal)])
@pytest.mark.parametrize("bad", ["NaN", "sNaN", "Infinity", "-Infinity", "1e400"])
def test_every_number_that_is_none_denies(name, bad):
    assert codes(ORDER, replace(FACTS, **{name: Decimal(bad)}))


LIMIT_NAMES = [
    name for name in LimitsFacts.__dataclass_fields__ if isinstance(getattr(LIMITS, name), Decimal)
]


@pytest.mark.parametrize("name", LIMIT_NAMES)
@pytest.mark.parametrize("bad", ["NaN", "sNaN", "Infinity", "1e400"])
def test_every_limit_that_is_no_number_denies(name, bad):
    assert codes(ORDER, replace(FACTS, limits=replace(LIMITS, **{name: Decimal(bad)})))


small = st.decimals("0", "100", places=3)
situations = st.builds(
    lambda position, buy, sell, others, pnl, limit, total, positions: replace(
        FACTS,
        symbol_exposure=SymbolExposure(position, buy, sell),
        others_exposure=others,
        daily_pnl=-pnl * 4,
        open_positions=frozenset(str(number) for number in range(positions)),
        limits=replace(LIMITS, exposure_limit_symbol=limit * 100, exposure_limit_total=total * 100),
    ),
    st.decimals("-100", "100", places=3),
    small,
    small,
    small,
    small,
    small,
    small,
    st.integers(0, 4),
)
EXPOSURE_CODES = {
    DenialCode.EXPOSURE_SYMBOL,
    DenialCode.EXPOSURE_TOTAL,
    DenialCode.MAX_CONCURRENT_POSITIONS,
    DenialCode.DAILY_LOSS,
}


def exposure_denials(order: OrderFacts, facts: RiskFacts) -> set[str]:
    checks: tuple[Check, ...] = evaluate(order, facts)
    return {check.code for check in checks if not check.passed} & EXPOSURE_CODES


@given(st.sampled_from(Side), st.decimals("0.001", "100", places=3), situations, small, st.integers(0, 3))
def test_adding_exposure_never_turns_a_denial_into_a_pass(side, quantity, facts, more, where):
    order = limit_order(side, str(quantity))
    exposure = facts.symbol_exposure
    pending = "pending_buy" if side is Side.BUY else "pending_sell"
    riskier_order, riskier = order, facts
    if where == 0:
        riskier_order = limit_order(side, str(quantity + more))
    elif where == 1:
        position = exposure.position + more * side.sign
        riskier = replace(facts, symbol_exposure=replace(exposure, position=position))
    elif where == 2:
        grown = {pending: getattr(exposure, pending) + more}
        riskier = replace(facts, symbol_exposure=replace(exposure, **grown))
    else:
        riskier = replace(facts, others_exposure=facts.others_exposure + more)
    assert exposure_denials(order, facts) <= exposure_denials(riskier_order, riskier)


@given(st.sampled_from(Side), st.decimals("0.001", "100", places=3), situations, small)
def test_an_order_that_only_shrinks_is_never_denied_for_exposure_or_loss(side, quantity, facts, rest):
    pending = facts.symbol_exposure.pending_buy if side is Side.BUY else facts.symbol_exposure.pending_sell
    # What this order and the pending ones of its side leave of the position is `rest`.
    position = -side.sign * (pending + quantity + rest)
    facts = replace(facts, symbol_exposure=replace(facts.symbol_exposure, position=position))
    order = limit_order(side, str(quantity), reduce_only=True)
    assert exposure_denials(order, facts) == set()
    assert "reduce_only_would_open" not in codes(order, facts)


@given(st.sampled_from(Side), st.decimals("0.001", "100", places=3), situations)
def test_what_passes_never_ends_above_a_limit_it_has_pushed(side, quantity, facts):
    order = limit_order(side, str(quantity))
    before = facts.symbol_exposure
    pending = "pending_buy" if side is Side.BUY else "pending_sell"
    after = replace(before, **{pending: getattr(before, pending) + quantity})
    if after.worst_quantity > before.worst_quantity and not exposure_denials(order, facts):
        assert after.worst_quantity * 100 <= facts.limits.exposure_limit_symbol
        assert after.worst_quantity * 100 + facts.others_exposure <= facts.limits.exposure_limit_total


def test_two_orders_that_only_together_break_a_limit_do_not_both_pass():
    order = limit_order(quantity="45")
    assert codes(order, holding("0")) == set()
    assert codes(order, holding("0", pending_buy="45")) == {"exposure_symbol"}


def test_an_order_that_flattens_is_asked_what_the_venue_wants_and_never_our_limits():
    strict = replace(LIMITS, max_order_notional=Decimal(1), allowed_symbols=(), max_orders_per_minute=0)
    facts = replace(holding("1"), limits=strict, strategy_enabled=False)
    closing = replace(market_order(side=Side.SELL, quantity="1"), reduce_only=True)
    assert codes(closing, facts)
    flattening = replace(closing, flattens=True)
    assert codes(flattening, facts) == set()
    assert [check.rule for check in evaluate(flattening, facts)] == [rule.name for rule in RULES]
    # Without reduce-only the word means nothing, and more than is held is still refused.
    assert codes(replace(flattening, reduce_only=False), facts)
    assert codes(flattening, replace(holding("0.5"), limits=strict))
    assert DenialCode.ACCOUNT_DISABLED in codes(flattening, replace(facts, account_enabled=False))
