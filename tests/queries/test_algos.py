"""How far an algo is: by its children, its clock and its plan."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from tests.execution.algos.walking import ICEBERG, TWAP, fresh, pass_seconds, run_slice, start
from tests.making import PERSON, World
from tests.worlds import frozen_venue, impatient, world
from trading.execution.algos import pause_algo, resume_algo
from trading.models import Algo
from trading.queries.algos import clock_of, ends_at, read_curves, read_progress

__all__ = ["frozen_venue", "impatient", "world"]


def progress(algo: Algo):
    row = fresh(algo)
    return read_progress([row], timezone.now())[row.pk]


def test_progress_tells_scheduled_from_achieved(world: World):
    algo = start(TWAP)
    before = progress(algo)
    assert (before.filled, before.scheduled, before.children) == (0, Decimal("0.01"), 0)
    assert before.average_price is None and before.slippage_bps is None
    run_slice(algo)
    pass_seconds(algo, 150)
    now = progress(algo)
    assert (now.filled, now.scheduled, now.behind) == (Decimal("0.01"), Decimal("0.02"), Decimal("0.01"))
    assert now.left == Decimal("0.03") and now.average_price is not None
    assert now.slippage_bps == (now.average_price - 50000) / 5


def test_what_rests_at_the_venue_is_alive_and_not_behind(world: World):
    algo = start(ICEBERG)
    run_slice(algo)
    now = progress(algo)
    assert (now.alive, now.filled, now.left) == (Decimal("0.02"), 0, Decimal("0.05"))
    assert now.behind == 0, "it has no schedule to be behind of"


def test_the_clock_stands_in_a_pause_and_the_picture_knows_it(world: World):
    algo = start(TWAP)
    pause_algo(algo.pk, actor=PERSON)
    pass_seconds(algo, 1000)
    assert clock_of(fresh(algo), timezone.now()) < 5
    resume_algo(algo.pk, actor=PERSON)
    row, now = fresh(algo), timezone.now()
    assert clock_of(row, now) < 5
    assert abs(ends_at(row, now) - (row.start_at + timedelta(seconds=1400))) < timedelta(seconds=5)
    schedule = read_curves(row).schedule
    assert schedule[1][0] - row.start_at > timedelta(seconds=1000)


def test_while_a_pause_lasts_the_rest_of_the_schedule_stays_ahead_of_now(world: World):
    algo = start(TWAP)
    pass_seconds(algo, 150)
    pause_algo(algo.pk, actor=PERSON)
    pass_seconds(algo, 1000)
    now = timezone.now()
    ahead = [at for at, _ in read_curves(fresh(algo), now).schedule if at > now]
    assert len(ahead) == 2 and abs(ahead[0] - now - timedelta(seconds=50)) < timedelta(seconds=5)


def test_the_achieved_curve_is_the_sum_of_the_fills(world: World):
    algo = start(TWAP)
    run_slice(algo)
    pass_seconds(algo, 100)
    run_slice(algo)
    assert [total for _, total in read_curves(fresh(algo)).achieved] == [Decimal("0.01"), Decimal("0.02")]


def test_one_query_serves_any_number_of_algos(world: World, django_assert_num_queries):
    rows = [fresh(start(TWAP, key=f"k{number}")) for number in range(3)]
    with django_assert_num_queries(1):
        assert len(read_progress(rows, timezone.now())) == 3
