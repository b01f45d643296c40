"""Algos under the virtual clock, with safeguards and without; and the campaign's oracle of algos sees each damage."""

from __future__ import annotations

from itertools import islice

import pytest

from rig.oracle import Placements, wall
from tests.chaos.process.algo_bodies import BODIES
from tests.chaos.process.algo_oracle import AlgoFindings, Engaged, examine_algos, judge_algos
from tests.chaos.process.algos import POINTS_OF_ALGOS, plan_algos
from tests.chaos.process.figures import is_good
from tests.chaos.test_process import in_the_database
from tests.chaos.virtual.algos import WORDS, run_algo_seed
from tests.chaos.virtual.campaign import ROOT
from tests.conftest import test_database_url
from tests.execution.algos.walking import TWAP, children, fresh, pass_seconds, run_slice, settle, start, step
from tests.making import PERSON, World
from tests.worlds import frozen_venue, impatient, live_world
from trading.execution.algos import pause_algo, resume_algo
from trading.models import Algo

__all__ = ["frozen_venue", "impatient", "live_world"]


@pytest.fixture
def split(live_world: World) -> World:
    """A TWAP of four children that was paused and resumed once and is completed."""
    algo = start(TWAP)
    for number in range(4):
        run_slice(algo)
        if number == 1:
            pause_algo(algo.pk, actor=PERSON)
            resume_algo(algo.pk, actor=PERSON)
        pass_seconds(algo, 100)
    settle(algo)
    step(algo)
    assert fresh(algo).state == "completed" and len(children(algo)) == 4
    return live_world


def look(world: World, *halts: Engaged) -> AlgoFindings:
    return examine_algos(test_database_url(), world.venue, Placements(world.venue), halts)


SWAPPED = """UPDATE trading_auditentry SET kind = CASE kind WHEN 'algo.resumed' THEN 'algo.paused'
             ELSE 'algo.resumed' END WHERE kind IN ('algo.paused', 'algo.resumed')"""
# what -> the promise, the damage, and the way back
DAMAGE = {
    "more than its quantity": (
        "G1",
        "UPDATE trading_algo SET quantity = 0.03",
        "UPDATE trading_algo SET quantity = 0.04",
    ),
    "completed with less": (
        "G1",
        "UPDATE trading_algo SET quantity = 0.05",
        "UPDATE trading_algo SET quantity = 0.04",
    ),
    "made while it stood still": ("G2", SWAPPED, SWAPPED),
    "a number left out": (
        "G3",
        "UPDATE trading_algochild SET number = 7 WHERE number = 2",
        "UPDATE trading_algochild SET number = 2 WHERE number = 7",
    ),
    "another state than the trail's": (
        "G3",
        "UPDATE trading_algo SET state = 'expired'",
        "UPDATE trading_algo SET state = 'completed'",
    ),
    "did not end": (
        "G4",
        "UPDATE trading_algo SET state = 'running'",
        "UPDATE trading_algo SET state = 'completed'",
    ),
    "larger than planned": (
        "G4",
        """UPDATE trading_algo SET plan = '[{"after": "0", "target": "0.004"}]'""",
        """UPDATE trading_algo SET plan = '[{"after": "0", "target": "0.01"}]'""",
    ),
}


@pytest.mark.django_db(transaction=True)
def test_it_finds_nothing_where_nothing_is_wrong_and_sees_each_kind_of_damage(split: World):
    found = look(split)
    assert found.all == [] and (found.states["completed"], found.children) == (1, 4)
    assert is_good(judge_algos(found))
    for name, (promise, damage, back) in DAMAGE.items():
        in_the_database(damage)
        damaged = look(split)
        assert damaged.broken[promise] and not is_good(judge_algos(damaged)), f"{name}: {damaged.all}"
        in_the_database(back)
        assert look(split).all == [], name
    in_the_database("DELETE FROM trading_algochild WHERE number = 4")
    assert any("nobody's child" in sentence for sentence in look(split).broken["G3"])


@pytest.mark.django_db(transaction=True)
def test_it_sees_what_arrives_between_a_halt_and_the_word_of_a_person(split: World):
    sent = sorted(wall(row) for row in split.placements())
    algo = Algo.objects.get()
    in_the_database("UPDATE trading_algo SET created_at = created_at - interval '6 years'")
    early = Engaged("everything", "", sent[0] - 0.001)
    assert len(look(split, early).broken["G2"]) == 2, "two before the resume"
    first, second = (child.client_order_id for child in children(algo)[:2])
    under_way = Engaged("account", "paper", sent[0] - 0.001, (first, second))
    elsewhere = Engaged("instrument", "ETH/USDT", sent[0] - 0.001)
    after = Engaged("everything", "", sent[-1] + 0.001)
    assert look(split, under_way, elsewhere, after).all == []


def test_the_same_seed_plans_the_same_deaths_beside_algos():
    one, other = list(islice(plan_algos(3), 80)), list(islice(plan_algos(3), 80))
    assert one == other != list(islice(plan_algos(4), 80))
    assert {plan.point for plan in one} > {*POINTS_OF_ALGOS, ""} and {plan.kind for plan in one} == set(
        BODIES
    )


# -- under the virtual clock ------------------------------------------------------------------------------------------
# Without this safeguard, which seed notices, and by which promise. After a change of the simulation:
# python -m tests.chaos.virtual --algos
NOTICED = {
    "only_fills_count": (5, "G1"),
    "doubt_counts_nothing": (5, "G1"),
    "no_number": (1, "G3"),
    "no_state": (33, "G2"),
    "no_epoch": (70, "G2"),
    "no_cap": (141, "G4"),
    "clock_goes_on": (0, "G4"),
    "release_wakes": (9, "G2"),
    "epoch_asked_once": (70, "G2"),
    "old_look_at_the_clock": (915, "G4"),
}


def test_three_hundred_lives_of_an_algo_break_no_promise():
    broken = {seed: found for seed in range(300) if (found := run_algo_seed(seed)[0])}
    assert broken == {}


@pytest.mark.parametrize("name", WORDS)
def test_an_algo_without_a_safeguard_is_noticed(name: str):
    seed, promise = NOTICED[name]
    assert run_algo_seed(seed)[0] == []
    assert [violation.promise for violation in run_algo_seed(seed, name)[0]][:1] == [promise]


def test_the_same_seed_is_the_same_life_of_an_algo():
    lives = [run_algo_seed(seed, tells=True) for seed in range(20)]
    assert lives == [run_algo_seed(seed, tells=True) for seed in range(20)]
    assert len({tuple(story) for _broken, story in lives}) == 20


def test_every_safeguard_of_algos_is_explained_in_the_document():
    text = (ROOT / "docs" / "chaos.md").read_text(encoding="utf-8")
    assert [name for name in WORDS if f"| `{name}` | {WORDS[name]} | " not in text] == []
