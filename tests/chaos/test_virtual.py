"""Twenty thousand hostile scenarios under a virtual clock: no promise breaks, and a seed is a scenario for ever."""

from __future__ import annotations

import ast
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.virtual.campaign import ROOT, State, code_hash, load_state, run_campaign, trace_of
from tests.chaos.virtual.families import make_scenario
from tests.chaos.virtual.mutations import Mutations, broken
from tests.chaos.virtual.run import replay, run_seed
from tests.chaos.virtual.story import shrink, tell

SEEDS = 20_000


@pytest.mark.slow
def test_twenty_thousand_seeds_break_no_promise():
    state = run_campaign(State(code_hash()), SEEDS, jobs=2, quiet=True)
    assert state.done == SEEDS
    assert state.violated == 0, "\n\n".join(tell(seed, Mutations()) for seed, *_ in state.failures[:2])


def test_the_same_seed_gives_the_same_trace_in_every_process():
    here = trace_of(0, 60)
    assert here == trace_of(0, 60)
    for hash_seed in ("1", "2"):
        command = [sys.executable, "-m", "tests.chaos.virtual", "--trace", "60"]
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        answer = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=120
        )
        assert answer.stdout.strip() == here


def test_telling_the_story_changes_nothing():
    for seed in range(40):
        silent, told = (
            run_seed(seed, broken("blind_retry")),
            run_seed(seed, broken("blind_retry"), tells=True),
        )
        assert (silent.violations, silent.seconds) == (told.violations, told.seconds)
        assert told.story and not silent.story


def test_other_seeds_are_other_scenarios():
    assert len({run_seed(seed, tells=True).trace for seed in range(50)}) == 50


def test_a_failing_seed_is_told_in_a_few_sentences_and_always_the_same():
    seed = next(seed for seed in range(1000) if run_seed(seed, broken("no_epoch")).violations)
    scenario, outcome = shrink(seed, broken("no_epoch"))
    whole = make_scenario(seed, random.Random(seed))
    assert len(scenario.events) <= len(whole.events) and outcome.violations
    for index in range(len(scenario.events)):  # nothing that is left could be left out
        fewer = scenario.events[:index] + scenario.events[index + 1 :]
        without = replay(type(scenario)(seed, scenario.tunables, scenario.orders, fewer), broken("no_epoch"))
        assert outcome.violations[0].promise not in [violation.promise for violation in without.violations]
    story = tell(seed, broken("no_epoch"))
    assert story == tell(seed, broken("no_epoch"))
    assert "got the permit for order" in story and "Given" in story and len(story.splitlines()) < 60


def test_a_campaign_goes_on_where_it_stopped_unless_the_code_changed(tmp_path: Path):
    path = tmp_path / "state.json"
    run_campaign(load_state(path, 0, resume=True), 500, 1, path, quiet=True)
    resumed = load_state(path, 0, resume=True)
    assert resumed.done == 500
    assert run_campaign(resumed, 1000, 1, path, quiet=True).done == 1000
    assert load_state(path, 7, resume=True).done == 0 and load_state(path, 0, resume=False).done == 0
    path.write_text(path.read_text().replace(code_hash(), "of other code"))
    assert load_state(path, 0, resume=True).done == 0


STEPS = {
    "approval": ["decide"],
    "dispatch": ["dispatch_order", "_take_permit", "lapse_if_void"],
    "outcome": ["record_outcome", "put_in_doubt"],
    "settlement": [
        "settle",
        "_halt_account",
        "_judge_fills",
        "_take_report",
        "_held_back",
        "_apply_status",
        "_move_by_fills",
    ],
    "following": ["follow_order", "_is_complete", "_query", "_cancel_again", "_plan_next"],
    "in_doubt": [
        "expire_lease",
        "resolve_order",
        "adopt_report",
        "_after_failure",
        "_after_not_found",
        "_ask_lists",
        "_plan",
    ],
    "cancellation": ["request_cancel", "send_cancel"],
    "halts": ["engage", "_commit_engagement", "release", "_drain", "_write_change", "_young_permits"],
    "sweep": ["run_sweep", "_in_scope", "_one_round", "_cancel_ours", "_cancel", "_look", "_finish"],
    "poller": ["advance_order", "poll_once", "_claim"],
    "resolution": ["resolve_quarantined"],
}


@pytest.mark.parametrize("module", STEPS)
def test_every_simulated_step_has_its_namesake_in_the_product(module: str):
    """Who renames or removes a step there has to look at its double here."""
    product = _functions(ROOT / "trading" / "execution" / f"{module}.py")
    double = _functions(Path(__file__).parent / "virtual" / "protocol" / f"{module}.py")
    assert [name for name in STEPS[module] if name not in product] == []
    assert [name for name in STEPS[module] if name not in double] == []


def _functions(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}
