"""The shell around every rule: it fails closed and is always recorded."""

from dataclasses import FrozenInstanceError
from decimal import Decimal

import pytest

from tests.risk.samples import FACTS, ORDER
from trading.domain.denials import Denial, DenialCode
from trading.risk import Check
from trading.risk.check import Answer, UnknownFact, need, not_applicable, rule, shown


def test_a_rule_has_the_name_of_its_function_and_its_code():
    @rule(DenialCode.HALTED)
    def never(order, facts):
        return Answer(False, "1", "0", "2", "why")

    assert (never.name, never.code) == ("never", DenialCode.HALTED)
    assert never.check(ORDER, FACTS) == Check("never", DenialCode.HALTED, False, "1", "0", "2", "why")


@pytest.mark.parametrize("error", [ValueError, ZeroDivisionError, KeyError, AttributeError, RecursionError])
def test_a_rule_that_raises_denies_and_is_recorded(error):
    @rule(DenialCode.HALTED)
    def broken(order, facts):
        raise error("inside")

    answer = broken.check(ORDER, FACTS)
    assert (answer.rule, answer.passed, answer.code) == ("broken", False, DenialCode.RULE_FAILED)
    assert answer.note == f"failed: {error.__name__}"


def test_comparing_with_no_number_denies():
    @rule(DenialCode.HALTED)
    def compares(order, facts):
        return Answer(Decimal("NaN") <= Decimal(1))

    assert compares.check(ORDER, FACTS).code is DenialCode.RULE_FAILED


def test_rules_reckon_with_every_digit_of_a_column():
    wide = Decimal("12345678901234567890.123456789012345678")

    @rule(DenialCode.HALTED)
    def reckons(order, facts):
        return Answer(wide + wide - wide == wide)

    assert reckons.check(ORDER, FACTS).passed


def test_only_a_failed_check_is_a_denial():
    failed = Check("r", DenialCode.HALTED, False, "1", "0")
    assert failed.denial == Denial(DenialCode.HALTED, "1", "0")
    assert Check("r", DenialCode.HALTED, True, "1", "2").denial is None
    with pytest.raises(FrozenInstanceError):
        failed.passed = True


def test_a_rule_that_does_not_apply_passes_and_says_why():
    assert not_applicable("not set") == Answer(True, note="not applicable: not set")


def test_a_number_too_wide_for_a_column_is_no_fact():
    widest = Decimal("99999999999999999999.999999999999999999")
    assert need(widest, DenialCode.HALTED, "width") == widest
    for number in (Decimal("1e20"), Decimal("-1e20"), Decimal("NaN"), None):
        with pytest.raises(UnknownFact) as unknown:
            need(number, DenialCode.HALTED, "width")
        assert unknown.value.code is DenialCode.HALTED


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Decimal("1E-7"), "0.0000001"),
        (Decimal("1.500"), "1.5"),
        (Decimal(1) / Decimal(3), "0.333333333333333333"),
        (Decimal("1e-400"), "0"),
        (Decimal("0e-400"), "0"),
        (Decimal("NaN"), "NaN"),
        (Decimal("-Infinity"), "-Infinity"),
        (Decimal("1e400"), "1E+400"),
        (Decimal("1e60"), "1E+60"),
        (Decimal("9" * 100), "9" * 40),
        (7, "7"),
    ],
)
def test_numbers_are_shown_as_short_plain_text(number, text):
    assert shown(number) == text
