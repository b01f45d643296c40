"""Growth is measured per role, in warm processes, between two quarters; what cannot be told is not called passed."""

from __future__ import annotations

from soak.memory import MemorySample, growth_of_all, measure_growth

SECONDS = 1000.0


def life(
    role: str, first: float, *, grows: float = 0.0, born: float = 0.0, pid: int = 1
) -> list[MemorySample]:
    """A sample each ten seconds; `grows`: the share by which it has grown at the end of the run."""
    return [
        MemorySample(at, role, pid, at - born, round(first * (1 + grows * at / SECONDS)))
        for at in range(int(born), int(SECONDS), 10)
    ]


def test_a_steady_process_has_not_grown_and_a_leaking_one_has():
    growths = {
        one.role: one for one in measure_growth(life("web", 1e8) + life("orders", 1e8, grows=1), SECONDS)
    }
    assert growths["web"].percent == 0
    assert 40 < growths["orders"].percent < 55
    together = growth_of_all(list(growths.values()))
    assert together is not None and 20 < together.percent < 30


def test_what_a_process_loads_in_its_first_minute_is_no_growth():
    young = [MemorySample(at, "web", 1, at, 10**8 if at >= 60 else 10**6) for at in range(0, 1000, 10)]
    (growth,) = measure_growth(young, SECONDS)
    assert growth.percent == 0


def test_a_killed_process_begins_anew_and_hides_no_growth_of_the_others():
    samples = life("orders", 1e8, grows=1, pid=1) + life("orders", 1e8, grows=1, pid=2, born=500)
    (growth,) = measure_growth(samples, SECONDS)
    assert growth.processes == 2 and growth.percent > 40


def test_a_run_that_is_too_short_has_measured_nothing():
    assert measure_growth([MemorySample(at, "web", 1, at, 10**8) for at in range(0, 20, 5)], 20.0) == []
    assert growth_of_all([]) is None


def test_a_ledger_and_a_cache_are_shown_and_not_judged():
    growths = measure_growth(life("simulator", 1e8, grows=3) + life("postgres", 1e8, grows=3), SECONDS)
    assert {one.role for one in growths} == {"simulator", "postgres"}
    assert growth_of_all(growths) is None
