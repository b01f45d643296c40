"""A stamp is never ahead of the venue, whatever the network and the wall clock do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.exchanges.clock import FRESH_SECONDS, MAX_AGE_SECONDS, TimeAnswer, VenueClock


class HandClock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def _measured(clock: HandClock, venue_ahead: float, out: float, back: float) -> VenueClock:
    """A venue whose clock is `venue_ahead` seconds before ours, over a road of `out` and `back` seconds."""

    def ask() -> TimeAnswer:
        sent = clock.now
        venue_ms = int((sent + out + venue_ahead) * 1000)
        clock.now += out + back
        return TimeAnswer(venue_ms, sent, clock.now)

    venue = VenueClock(clock)
    venue.measure(ask)
    return venue


seconds = st.floats(0, 5, allow_nan=False)


@given(st.floats(-1e9, 1.9e9), seconds, seconds, st.floats(0, 1e5))
def test_a_stamp_is_never_ahead_and_late_by_the_round_trip_at_most(
    ahead: float, out: float, back: float, later: float
) -> None:
    clock = HandClock()
    venue = _measured(clock, ahead, out, back)
    clock.now += later
    truth = (clock.now + ahead) * 1000
    late = truth - venue.now_ms()
    assert -0.001 <= late <= (out + back) * 1000 + 10 + later * 0.11


def test_the_median_shuts_out_one_delayed_answer() -> None:
    clock, delays = HandClock(), iter([0.0, 3.0, 0.0])

    def ask() -> TimeAnswer:
        sent = clock.now
        clock.now += next(delays) + 0.01
        return TimeAnswer(int((sent + 0.005 + 500) * 1000), sent, clock.now)

    venue = VenueClock(clock)
    assert venue.measure(ask).error == pytest.approx(0.005)


def test_a_clock_that_was_never_measured_says_so() -> None:
    venue = VenueClock(HandClock())
    assert venue.age_seconds() is None
    assert not venue.is_usable
    with pytest.raises(LookupError):
        venue.now_ms()


def test_a_failed_measurement_leaves_the_last_one_in_force() -> None:
    clock = HandClock()
    venue = _measured(clock, 500, 0.01, 0.01)
    before = venue.now_ms()

    def fail() -> TimeAnswer:
        raise OSError

    with pytest.raises(OSError):
        venue.measure(fail)
    assert venue.is_usable
    assert venue.now_ms() == before


def test_an_expired_clock_asks_to_be_measured_but_still_tells_the_time() -> None:
    clock = HandClock()
    venue = _measured(clock, 500, 0.01, 0.01)
    venue.expire()
    assert not venue.is_usable and not venue.is_known
    assert venue.now_ms() > 0


def _never() -> TimeAnswer:
    raise AssertionError("asked")


def test_a_measurement_is_repeated_when_it_is_old_and_good_for_no_order_when_it_is_older() -> None:
    clock = HandClock()
    venue = _measured(clock, 500, 0.01, 0.01)
    clock.now += FRESH_SECONDS - 1
    venue.refresh(_never, older_than=FRESH_SECONDS)
    clock.now += MAX_AGE_SECONDS
    assert not venue.is_usable and venue.is_known
    venue.refresh(lambda: TimeAnswer(int((clock.now + 700) * 1000), clock.now, clock.now), older_than=30)
    assert venue.is_usable and venue.age_seconds() == 0
    assert venue.now_ms() == pytest.approx((clock.now + 700) * 1000, abs=10)


def test_a_refresh_that_failed_is_not_repeated_at_once_nor_by_another_thread_meanwhile() -> None:
    clock = HandClock()
    venue = _measured(clock, 500, 0.01, 0.01)
    clock.now += FRESH_SECONDS + 1

    def fail() -> TimeAnswer:
        venue.refresh(_never, older_than=FRESH_SECONDS)
        raise OSError

    with pytest.raises(OSError):
        venue.refresh(fail, older_than=FRESH_SECONDS)
    venue.refresh(_never, older_than=FRESH_SECONDS)
    clock.now += 10
    with pytest.raises(OSError):
        venue.refresh(fail, older_than=FRESH_SECONDS)
    assert venue.is_known
