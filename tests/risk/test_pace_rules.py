"""Rules about how many and how often."""

from decimal import Decimal

import pytest

from tests.risk.samples import ORDER, check, codes, facts, facts_with_limits
from trading.domain.denials import DenialCode

COUNTS = [
    ("open_orders", "open_orders", "max_open_orders", 10),
    ("orders_per_minute", "orders_last_minute", "max_orders_per_minute", 20),
]


@pytest.mark.parametrize(("rule", "fact", "limit", "most"), COUNTS)
def test_this_order_may_be_the_last_one_within_the_limit(rule, fact, limit, most):
    last = check(rule, ORDER, facts(**{fact: most - 1}))
    assert (last.passed, last.observed, last.limit) == (True, str(most), str(most))
    more = check(rule, ORDER, facts(**{fact: most}))
    assert (more.passed, more.code) == (False, DenialCode(limit))
    assert (more.denial.observed, more.denial.limit) == (str(most + 1), str(most))


@pytest.mark.parametrize(("rule", "fact", "limit", "most"), COUNTS)
def test_a_limit_that_is_not_set_does_not_apply_and_one_of_zero_denies(rule, fact, limit, most):
    unset = check(rule, ORDER, facts_with_limits(**{limit: None}))
    assert (unset.passed, unset.note) == (True, "not applicable: not set")
    assert codes(ORDER, facts_with_limits(**{limit: 0})) == {limit}


@pytest.mark.parametrize(("rule", "fact", "limit", "most"), COUNTS)
@pytest.mark.parametrize("bad", [None, Decimal("NaN")])
def test_a_count_that_is_unknown_denies(rule, fact, limit, most, bad):
    assert not check(rule, ORDER, facts(**{fact: bad})).passed


@pytest.mark.parametrize(
    ("since", "passes"), [("0", False), ("4.999", False), ("5", True), ("60", True), ("-1", False)]
)
def test_the_same_order_again_within_the_window_is_denied(since, passes):
    answer = check("duplicate_order", ORDER, facts(seconds_since_same=Decimal(since)))
    assert (answer.passed, answer.code) == (passes, DenialCode.DUPLICATE_ORDER)
    assert (answer.observed, answer.limit, answer.age_seconds) == (since, "5", since)


def test_an_order_that_was_never_asked_for_before_passes():
    answer = check("duplicate_order", ORDER, facts(seconds_since_same=None))
    assert (answer.passed, answer.observed, answer.limit) == (True, "none", "5")


def test_an_age_that_is_no_number_denies():
    assert codes(ORDER, facts(seconds_since_same=Decimal("NaN"))) == {"duplicate_order"}


def test_a_window_of_zero_switches_the_rule_off():
    given = facts_with_limits(duplicate_window_seconds=Decimal(0))
    assert check("duplicate_order", ORDER, given).note == "not applicable: switched off"


def test_a_window_that_is_no_number_denies():
    assert codes(ORDER, facts_with_limits(duplicate_window_seconds=Decimal("NaN"))) == {"limits_missing"}


def test_a_strategy_may_go_on_up_to_its_limit_and_the_record_says_why_it_does_not_apply():
    last = check("repeated_executions", ORDER, facts(executions=999))
    assert (last.passed, last.observed, last.limit) == (True, "1000", "1000")
    assert check("repeated_executions", ORDER, facts(executions=1000)).code is DenialCode.REPEATED_EXECUTIONS
    without = check("repeated_executions", ORDER, facts(executions=None))
    assert (without.passed, without.note) == (True, "not applicable: no strategy")
    unset = facts_with_limits(max_repeated_executions=None)
    assert check("repeated_executions", ORDER, unset).note == "not applicable: not set"
