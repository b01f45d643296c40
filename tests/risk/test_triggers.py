"""The decision between looks and a halt: n of m, hysteresis, rest, blindness; for any sequence of looks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.risk.triggers import (
    LEAST_APART,
    LOOKS_LAST,
    TRIGGER_RULES,
    TRIGGER_TABLE,
    LookVerdict,
    TriggerMemory,
    TriggerRule,
    after_firing,
    fires,
    is_blind,
    judge_value,
    may_be_confirmed,
    remember,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
RULE = TRIGGER_RULES["daily_loss"]
OVER, NEAR, CLEAR, UNKNOWN, OFF = (
    LookVerdict.OVER,
    LookVerdict.NEAR,
    LookVerdict.CLEAR,
    LookVerdict.UNKNOWN,
    LookVerdict.OFF,
)
verdicts = st.sampled_from(LookVerdict)
rules = st.sampled_from(TRIGGER_TABLE)


def after(
    *looks: LookVerdict, rule: TriggerRule = RULE, apart: float = 5, memory: TriggerMemory | None = None
):
    """The memory after these looks, and the instant of the last one."""
    memory, now = memory or TriggerMemory(), (memory.looked_at if memory else None) or START
    for look in looks:
        now += timedelta(seconds=apart)
        memory = remember(memory, look, rule, now, is_engaged=False)
    return memory, now


def fired_after(*looks: LookVerdict, **more) -> bool:
    memory, now = after(*looks, **more)
    return fires(memory, more.get("rule", RULE), now)


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        ((OVER,), False),
        ((OVER, OVER), True),
        ((OVER, CLEAR, OVER), True),
        ((OVER, OVER, CLEAR), False),  # the newest is not over any more
        ((OVER, CLEAR, CLEAR, OVER), False),
        ((OVER, UNKNOWN, OVER), True),
        ((UNKNOWN, UNKNOWN, UNKNOWN), False),
        ((NEAR, NEAR, NEAR), False),
    ],
)
def test_two_of_three_looks_must_agree(looks, expected):
    assert fired_after(*looks) is expected


def test_two_looks_at_the_same_moment_are_one():
    assert not fired_after(OVER, OVER, apart=LEAST_APART.total_seconds() / 2)


def test_a_look_of_long_ago_confirms_nothing():
    assert not fired_after(OVER, OVER, apart=LOOKS_LAST.total_seconds())


@given(st.lists(verdicts, max_size=20), rules)
def test_one_bad_look_among_good_ones_never_fires(looks, rule):
    calm = [CLEAR if look is OVER else look for look in looks]
    assert not fired_after(*calm, rule=rule)
    for place in range(len(calm) + 1):
        assert not fired_after(*calm[:place], OVER, *calm[place:], rule=rule)


@given(st.lists(verdicts, max_size=20), rules)
def test_a_lasting_breach_always_fires_within_m_looks(looks, rule):
    assert fired_after(*looks, *[OVER] * rule.out_of, rule=rule)


@given(st.lists(st.sampled_from([CLEAR, NEAR, UNKNOWN, OFF]), max_size=20), rules)
def test_without_a_look_over_the_threshold_nothing_fires(looks, rule):
    assert not fired_after(*looks, rule=rule)


@given(st.lists(st.sampled_from([OVER, NEAR, UNKNOWN]), max_size=20))
def test_after_firing_it_rests_until_the_cool_down_is_over_or_it_was_clear(looks):
    memory, now = after(OVER, OVER)
    memory = after_firing(memory, RULE, now)
    apart = RULE.rest_seconds / 25
    for look in looks:
        now += timedelta(seconds=apart)
        memory = remember(memory, look, RULE, now, is_engaged=False)
        assert not fires(memory, RULE, now)
    memory, now = after(CLEAR, CLEAR, memory=replace(memory, looked_at=now), apart=apart)
    assert fired_after(OVER, OVER, memory=memory, apart=apart)


def test_near_the_threshold_it_is_not_armed_again():
    memory, now = after(OVER, OVER)
    memory, now = after(NEAR, NEAR, NEAR, memory=after_firing(memory, RULE, now), apart=1)
    assert not memory.is_armed
    assert after(CLEAR, CLEAR, memory=memory, apart=1)[0].is_armed


def test_while_the_halt_stands_the_cool_down_does_not_begin():
    memory, now = after(OVER, OVER)
    memory = after_firing(memory, RULE, now)
    for _look in range(100):
        now += timedelta(seconds=10)
        memory = remember(memory, OVER, RULE, now, is_engaged=True)
    now += timedelta(seconds=RULE.rest_seconds - 1)  # released right after the last look
    assert not fires(memory, RULE, now)
    assert fires(memory, RULE, now + timedelta(seconds=2))


def test_blindness_must_last_and_is_forgotten_by_one_look_that_sees():
    memory, now = after(*[UNKNOWN] * 12)
    assert not is_blind(memory, RULE, now)
    memory, now = after(UNKNOWN, UNKNOWN, memory=memory)
    assert is_blind(memory, RULE, now)
    memory, now = after(NEAR, UNKNOWN, memory=memory)
    assert not is_blind(memory, RULE, now)


@given(st.lists(verdicts, max_size=30), rules)
def test_blindness_alone_never_fires_and_a_rule_without_it_is_never_blind(looks, rule):
    memory, now = after(*looks, *[UNKNOWN] * 40, rule=rule)
    assert not fires(memory, rule, now)
    assert is_blind(memory, rule, now) is bool(rule.blind_seconds)


@given(st.lists(verdicts, max_size=20), rules)
def test_a_second_look_is_asked_for_only_where_it_could_matter(looks, rule):
    memory, now = after(*looks, rule=rule)
    if may_be_confirmed(memory, rule, now):
        assert memory.looks[-1] == OVER and not fires(memory, rule, now)


@pytest.mark.parametrize(
    ("used", "threshold", "expected"),
    [
        ("3", None, OFF),
        (None, "3", UNKNOWN),
        ("NaN", "3", UNKNOWN),
        ("Infinity", "3", UNKNOWN),
        ("3", "NaN", UNKNOWN),
        ("3", "3", OVER),
        ("2.9", "3", NEAR),
        ("2.7", "3", CLEAR),
        ("0", "0", OVER),
        ("-5", "3", CLEAR),
    ],
)
def test_a_value_is_judged_by_its_threshold(used, threshold, expected):
    number = [None if text is None else Decimal(text) for text in (used, threshold)]
    assert judge_value(RULE, *number) is expected


def test_the_kill_threshold_itself_may_be_held():
    assert judge_value(TRIGGER_RULES["exposure"], Decimal(100), Decimal(100)) is NEAR


@given(rules, st.decimals(allow_nan=True, allow_infinity=True))
def test_what_is_no_number_never_counts_as_over(rule, used):
    verdict = judge_value(rule, used, Decimal(1))
    assert verdict is UNKNOWN or used.is_finite()


def test_every_trigger_is_confirmed_and_its_table_makes_sense():
    for rule in TRIGGER_TABLE:
        assert 2 <= rule.agree <= rule.out_of and 0 < rule.clear_pct < 100 and rule.rest_seconds >= 60
        assert bool(rule.limits) != (rule.threshold is not None), rule.name
