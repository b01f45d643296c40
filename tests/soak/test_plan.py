"""The plan follows from the seed, keeps to its time, and packs the same events more densely at a higher speed."""

from __future__ import annotations

from collections import Counter

import pytest

from soak.kinds import EVERY_HOURS, KINDS_OF_FAULTS
from soak.plan import CUSHION, MIX, QUIET_AFTER, QUIET_BEFORE, plan_faults, plan_requests

SECONDS = 1440.0


def faults(hours: float = 48, seconds: float = SECONDS, seed: int = 7):
    return plan_faults(EVERY_HOURS, tuple(KINDS_OF_FAULTS), hours, seconds, seed)


def test_the_same_seed_plans_the_same_and_another_one_something_else():
    assert faults() == faults()
    assert faults() != faults(seed=8)
    assert list(plan_requests(48, SECONDS, 7)) == list(plan_requests(48, SECONDS, 7))
    assert list(plan_requests(48, SECONDS, 7)) != list(plan_requests(48, SECONDS, 8))


def test_two_days_have_every_kind_in_its_rhythm_and_a_quiet_begin_and_end():
    planned = faults()
    assert Counter(fault.name for fault in planned) == {
        name: round(48 / hours) for name, hours in EVERY_HOURS.items()
    }
    assert all(SECONDS * QUIET_BEFORE <= fault.at <= SECONDS * (1 - QUIET_AFTER) for fault in planned)
    assert [fault.at for fault in planned] == sorted(fault.at for fault in planned)


@pytest.mark.parametrize("seconds", [SECONDS, 172_800.0])
def test_speed_changes_when_and_not_what(seconds: float):
    planned = [fault.name for fault in faults(seconds=seconds)]
    assert planned == [fault.name for fault in faults()]
    requests = list(plan_requests(48, seconds, 7))
    assert 0.9 < len(requests) / (48 * 60) < 1.1
    assert [one.kind for one in requests[:200]] == [
        one.kind for one in list(plan_requests(48, SECONDS, 7))[:200]
    ]


def test_even_a_minute_has_what_it_was_asked_for():
    assert {fault.name for fault in faults(hours=0.02, seconds=10)} == set(KINDS_OF_FAULTS)


def test_requests_are_of_every_kind_and_sell_only_what_was_bought():
    requests = list(plan_requests(48, SECONDS, 7))
    assert {one.kind for one in requests} == set(MIX)
    held: Counter[str] = Counter()
    for one in requests:
        held[one.symbol] += 1 if one.side == "BUY" else -1
        assert one.side == "BUY" or held[one.symbol] >= CUSHION
    assert {one.side for one in requests} == {"BUY", "SELL"}
