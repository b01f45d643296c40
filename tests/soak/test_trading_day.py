"""A run of twenty minutes or more nearly always has the begin of a trading day, by a real clock and a real zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from soak.trading_day import choose_day

HOUR = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()


def test_the_day_begins_inside_of_the_run_and_at_a_full_hour_of_its_zone():
    for minute in (0, 10, 20, 31, 45, 58):
        day = choose_day(HOUR + minute * 60, 24 * 60)
        if day.begins is None:
            assert minute == 31, "from half past on there is none before the full hour"
            continue
        assert (
            timedelta() < day.begins - datetime.fromtimestamp(HOUR + minute * 60, UTC) < timedelta(minutes=24)
        )
        local = day.begins.astimezone(ZoneInfo(day.zone))
        assert (local.hour, local.minute) == (day.hour, 0)


def test_a_run_too_short_for_one_leaves_the_day_as_it_is():
    day = choose_day(HOUR + 32 * 60, 30)
    assert (day.begins, day.as_config()) == (None, {"day_time_zone": "UTC", "day_starts_at_hour": 0})
