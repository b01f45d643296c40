"""The seeded volume: adds up over all lengths of candles, never stands still, and has a day's shape of its own."""

from __future__ import annotations

from decimal import Decimal

import pytest

from simulator.core.catalogue import DEFAULT_LISTINGS
from simulator.core.volumes import DAY, HOURS, MINUTE, VolumeProcess
from tests.simulator.mexc_client import SignedClient

MONDAY = 20_542 * DAY  # 30 March 2026
HOUR = 60 * MINUTE
BITCOIN = DEFAULT_LISTINGS[0]


@pytest.fixture
def volumes() -> VolumeProcess:
    return VolumeProcess(7)


def shares(volumes: VolumeProcess, listing, day: int) -> list[Decimal]:
    """What part of its day each hour trades."""
    total = volumes.traded(listing, day, day + DAY)
    return [volumes.traded(listing, day + hour * HOUR, day + (hour + 1) * HOUR) / total for hour in range(24)]


@pytest.mark.parametrize("listing", DEFAULT_LISTINGS, ids=lambda listing: listing.symbol)
def test_every_minute_trades_whole_steps_and_a_day_is_the_sum_of_its_minutes(volumes, listing) -> None:
    minutes = [volumes.traded(listing, at, at + MINUTE) for at in range(MONDAY, MONDAY + DAY, MINUTE)]
    assert min(minutes) >= listing.step
    assert all(volume % listing.step == 0 for volume in minutes)
    assert sum(minutes) == volumes.traded(listing, MONDAY, MONDAY + DAY)


def test_a_stretch_over_days_is_the_sum_of_its_parts_wherever_it_is_cut(volumes) -> None:
    since, until = MONDAY + 5 * HOUR + 123, MONDAY + 9 * DAY + 17 * MINUTE
    whole = volumes.traded(BITCOIN, since, until)
    for cut in (since, since + 1, MONDAY + DAY, MONDAY + 4 * DAY + 7 * HOUR + 59, until):
        assert volumes.traded(BITCOIN, since, cut) + volumes.traded(BITCOIN, cut, until) == whole


def test_even_a_listing_of_coarse_steps_trades_in_every_minute(volumes) -> None:
    coarse = BITCOIN.changed(lot_step=Decimal(1_000))
    assert {volumes.traded(coarse, at, at + MINUTE) for at in range(MONDAY, MONDAY + DAY, MINUTE)} == {1_000}


def test_days_and_symbols_differ_and_one_seed_makes_one_volume(volumes) -> None:
    first, ether = shares(volumes, BITCOIN, MONDAY), DEFAULT_LISTINGS[1]
    assert first != shares(volumes, BITCOIN, MONDAY + DAY)
    assert first != shares(volumes, ether, MONDAY)
    assert first == shares(VolumeProcess(7), BITCOIN, MONDAY) != shares(VolumeProcess(8), BITCOIN, MONDAY)
    totals = {volumes.traded(BITCOIN, day, day + DAY) for day in range(MONDAY, MONDAY + 7 * DAY, DAY)}
    assert len(totals) == 7


def test_the_day_has_the_same_busy_hours_week_after_week(volumes) -> None:
    def mean(listing) -> list[Decimal]:
        of_days = [shares(volumes, listing, MONDAY + number * DAY) for number in range(14)]
        return [sum(of_hour) / 14 for of_hour in zip(*of_days, strict=True)]

    for listing in DEFAULT_LISTINGS[:4]:
        hours = mean(listing)
        assert max(hours) > 3 * min(hours)
    over_all = [sum(of_hour) for of_hour in zip(*map(mean, DEFAULT_LISTINGS), strict=True)]
    assert HOURS[over_all.index(max(over_all))] > 150 and HOURS[over_all.index(min(over_all))] < 65


def test_weekends_are_quieter(volumes) -> None:
    def total(days) -> Decimal:
        at = [MONDAY + (7 * week + day) * DAY for week in range(30) for day in days]
        return sum((volumes.traded(BITCOIN, day, day + DAY) for day in at), Decimal(0)) / len(days)

    assert total((5, 6)) < Decimal("0.85") * total(range(5))


@pytest.mark.parametrize(("whole", "part", "parts"), [("60m", "15m", 4), ("15m", "5m", 3), ("1d", "4h", 6)])
def test_a_candle_trades_what_its_parts_trade(
    client: SignedClient, whole: str, part: str, parts: int
) -> None:
    def volumes_of(interval: str) -> list[Decimal]:
        rows = client.public(
            "/api/v3/klines",
            symbol="SOLUSDT",
            interval=interval,
            startTime=MONDAY,
            endTime=MONDAY + 3 * DAY - 1,
            limit=1_000,
        ).json()
        return [Decimal(row[5]) for row in rows]

    small = volumes_of(part)
    assert volumes_of(whole) == [sum(small[at : at + parts]) for at in range(0, len(small), parts)]


def test_no_more_candles_than_the_limit_are_given(client: SignedClient) -> None:
    def count(**more: int) -> int:
        return len(client.public("/api/v3/klines", symbol="BTCUSDT", interval="1m", **more).json())

    assert [count(), count(limit=7), count(limit=5_000)] == [500, 7, 1_000]
