"""The daily loss: nothing new at the limit, nothing new while it is unknown, and always a way out."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.risk.samples import ORDER, check, codes, facts, facts_with_limits, holding, limit_order
from trading.domain.denials import DenialCode
from trading.domain.enums import Side

SELL = limit_order(Side.SELL)


@pytest.mark.parametrize(
    ("pnl", "passes"), [("500", True), ("0", True), ("-199.99", True), ("-200", False), ("-900", False)]
)
def test_the_loss_of_the_day_stays_above_its_limit(pnl, passes):
    answer = check("daily_loss", ORDER, facts(daily_pnl=Decimal(pnl)))
    assert (answer.passed, answer.code) == (passes, DenialCode.DAILY_LOSS)
    assert (answer.observed, answer.limit, answer.note) == (pnl, "-200", "2 percent of 10000")


@pytest.mark.parametrize(
    "unknown",
    [
        {"daily_pnl": None},
        {"daily_pnl": Decimal("NaN")},
        {"daily_pnl": Decimal("Infinity")},
        {"day_start_equity": None},
        {"day_start_equity": Decimal("NaN")},
        {"day_start_equity": Decimal(0)},
        {"day_start_equity": Decimal(-5)},
    ],
)
def test_a_loss_that_cannot_be_computed_denies(unknown):
    assert codes(ORDER, facts(**unknown)) == {"equity_unknown"}


@pytest.mark.parametrize("pnl", [None, Decimal(-5000)])
def test_an_order_that_only_shrinks_the_position_always_passes(pnl):
    answer = check("daily_loss", SELL, replace(holding("1"), daily_pnl=pnl))
    assert answer.passed
    assert answer.note == "not applicable: the order can only shrink the position"


@pytest.mark.parametrize("given", [holding("0.999"), holding("5", pending_sell="4.5"), holding("0")])
def test_an_order_that_may_pass_through_zero_does_not(given):
    assert not check("daily_loss", SELL, replace(given, daily_pnl=Decimal(-200))).passed


def test_without_a_limit_the_loss_is_not_judged():
    given = replace(facts_with_limits(max_daily_loss_pct=None), daily_pnl=None)
    assert check("daily_loss", ORDER, given).note == "not applicable: not set"


def test_a_limit_of_zero_percent_stops_everything_new():
    assert codes(ORDER, facts_with_limits(max_daily_loss_pct=Decimal(0))) == {"daily_loss"}


def test_a_limit_that_is_no_number_denies():
    assert codes(ORDER, facts_with_limits(max_daily_loss_pct=Decimal("NaN"))) == {"limits_missing"}
