"""A slice of the campaign against real processes, and the proof that its oracle sees what it is there to see."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.utils import timezone

from rig.oracle import Placements, examine
from rig.stories import tell
from tests.chaos.__main__ import read_row, stream
from tests.chaos.process import figures
from tests.chaos.process.figures import Figure, count, is_good, timing
from tests.chaos.process.kills import make_plans
from tests.chaos.process.stack_messages import find_doubled_slots
from tests.chaos.process.stack_triggers import CAUSES, ONLY_PRODUCTION
from tests.chaos.virtual.campaign import ROOT
from tests.conftest import test_database_url
from tests.making import PERSON, World, fresh
from tests.resetting import run_past_triggers
from tests.servers import MARK
from tests.worlds import frozen_venue, impatient, live_world, world
from trading import audit
from trading.domain.actors import system_actor
from trading.execution import audit_watch
from trading.execution.audit_watch import keep_verdict
from trading.execution.cancellation import request_cancel, send_cancel
from trading.execution.following import follow_order
from trading.execution.jobs import claim_slot
from trading.models import Order, SyncRun
from trading.risk.triggers import TRIGGER_RULES

__all__ = ["frozen_venue", "impatient", "live_world", "world"]


@pytest.mark.slow
def test_a_minute_of_kills_and_lost_commits_breaks_nothing(tmp_path: Path):
    """On servers of its own: it forks, and a test session must not be forked."""
    state = tmp_path / "process.json"
    environment = {
        name: value for name, value in os.environ.items() if name not in (MARK, "PYTEST_XDIST_WORKER")
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos.process", "--quick", "--seed", "7", "--state", str(state)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    parts = json.loads(state.read_text())["parts"]
    killed = next(row for row in parts["kills"] if row["what"].startswith("processes killed"))
    assert int(killed["value"]) > 0 and "verdict" in done.stdout


def test_the_same_seed_plans_the_same_deaths():
    one, other = make_plans(3), make_plans(3)
    assert [next(one) for _ in range(100)] == [next(other) for _ in range(100)]
    assert len({plan.point for plan, _ in zip(make_plans(5), range(300), strict=False)}) > 35


@pytest.fixture
def traded(live_world: World) -> World:
    """A filled order, and one that was canceled."""
    live_world.buy()
    order = live_world.rest()
    request_cancel(order.id, actor=PERSON)
    send_cancel(order.id)
    follow_order(order.id)
    return live_world


def look(world: World):
    placements = Placements(world.venue)
    return examine(test_database_url(), world.venue, placements), placements


@pytest.mark.django_db(transaction=True)
def test_the_oracle_finds_nothing_where_nothing_is_wrong(traded: World):
    found, placements = look(traded)
    assert found.all == [] and (found.orders, found.at_venue) == (2, 2)
    assert sum(placements.by_name().values()) == 2


def in_the_database(statement: str, *parameters: object) -> None:
    """As nobody may: past the triggers, as the owner of the tables."""
    table = next(word for word in statement.split() if word.startswith("trading_"))
    run_past_triggers(table, statement, parameters)


FILLED = "(SELECT id FROM trading_order WHERE status = 'filled')"
DAMAGE = {
    "wrong": ("UPDATE trading_order SET status = 'not_accepted' WHERE status = 'filled'", "not_accepted"),
    "torn status": ("UPDATE trading_order SET status = 'expired' WHERE status = 'canceled'", "audit trail"),
    "torn permit": ("DELETE FROM trading_orderattempt", "permits, attempts"),
    "torn fill": (f"UPDATE trading_order SET filled_quantity = 0 WHERE id IN {FILLED}", "sum of its fills"),
    "torn position": ("UPDATE trading_position SET quantity = quantity * 2", "position that is not"),
    "torn answer": ("UPDATE trading_signal SET answer = '{}'", "a signal without the order"),
    "a fill of nobody": ("UPDATE trading_fill SET venue_fill_id = 'invented'", "not at the venue"),
    "no permit": (
        f"UPDATE trading_order SET permit_at = permit_at + interval '1 hour' WHERE id IN {FILLED}",
        "without a permit",
    ),
    "left alone": ("UPDATE trading_order SET status = 'in_doubt' WHERE status = 'filled'", "carried it on"),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", DAMAGE)
def test_the_oracle_sees(traded: World, name: str):
    statement, named = DAMAGE[name]
    in_the_database(statement)
    found, _ = look(traded)
    assert any(named in sentence for sentence in found.all), found.all


@pytest.mark.django_db(transaction=True)
def test_the_oracle_sees_what_was_sent_twice_and_what_nobody_knows(traded: World):
    order = Order.objects.get(status="canceled")
    (request,) = [
        row for row in traded.placements() if row["params"]["newClientOrderId"] == order.client_order_id
    ]
    placements = Placements(traded.venue)
    placements.catch_up()
    placements.rows.append(request)
    found = examine(test_database_url(), traded.venue, placements)
    assert any("was sent 2 times" in sentence for sentence in found.doubled)
    in_the_database("UPDATE trading_order SET client_order_id = %s WHERE id = %s", "lv" + "0" * 30, order.pk)
    found, _ = look(traded)
    assert any("not in the database" in sentence for sentence in found.unknown)


@pytest.mark.django_db(transaction=True)
def test_a_difference_is_told_from_both_sides(traded: World):
    in_the_database("UPDATE trading_order SET status = 'not_accepted' WHERE status = 'filled'")
    found, placements = look(traded)
    name = fresh(Order.objects.get(status="not_accepted")).client_order_id
    sentence = next(text for text in found.wrong if name in text)
    story = tell(sentence, test_database_url(), traded.venue, placements)
    for part in (
        sentence,
        "the venue has it: FILLED",
        "received it: HTTP 200",
        "order.submitting",
        "permit    1 in",
    ):
        assert part in story
    assert story.index("order.approved") < story.index("received it") < story.index("order.filled")


def read_as_the_campaign(query: str) -> list[dict]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def test_a_slot_that_ran_twice_is_seen_whatever_its_job(world: World):
    def run_each() -> None:
        SyncRun.objects.create(account=world.account, trigger="demand", started_at=timezone.now())
        keep_verdict(audit.verify(), actor=audit_watch.ACTOR, seconds=1)
        with transaction.atomic():
            for kind, name in (("drill.finished", "drill"), ("report.unsigned", "reports")):
                audit.record(kind, actor=system_actor(name))
        audit.seal("age", actor=system_actor("beat"))

    jobs = (f"sync {world.account.pk}", "verify", "drill", "reports unsigned", "seal")
    for job in jobs:
        assert claim_slot(job, 86_400)
    run_each()
    assert find_doubled_slots(read_as_the_campaign) == []
    run_each()
    doubled = find_doubled_slots(read_as_the_campaign)
    assert sorted(doubled) == sorted(f"{job}: 2 runs of 1 slots" for job in jobs)


def test_times_decide_nothing_and_correctness_everything(tmp_path: Path):
    slow = timing("A8", "engage committed", [0.2, 0.3], 99, 0.05)
    assert not slow.passed and is_good([slow])
    assert not timing("A8", "engage committed", [], 99, 0.05).passed
    lost = count("A1", "orders lost", ["lv1 is lost"])
    assert not is_good([slow, lost]) and lost.stories == ("lv1 is lost",)
    assert is_good([count("A1", "orders lost", [])])


def test_the_one_table_reads_what_the_virtual_campaign_prints():
    printed = f"{'A2'}  {'scenarios a second, wanted 500':44}{'123':>24}  FAIL"
    slow = read_row(printed + "\n")
    assert slow is not None and not slow.passed and not slow.decides and slow.value == "123"
    broken = read_row(f"{'A2'}  {'scenarios without a broken promise':44}{'9 of 10':>24}  FAIL")
    assert broken is not None and broken.decides and not is_good([broken])
    assert read_row("12,000 scenarios, 500/s") is None


def test_servers_that_one_part_named_are_not_the_next_ones(monkeypatch: pytest.MonkeyPatch):
    """The processes' part puts its own into this process's environment, and they are gone when it ends."""
    monkeypatch.setenv("LEVI_TEST_DATABASE_URL", "postgresql://gone@127.0.0.1:1/gone")
    said = stream("-c", "import os; print(os.environ.get('LEVI_TEST_DATABASE_URL'))")
    assert "gone" not in "".join(said)


def test_the_campaign_has_a_real_cause_for_every_automatic_halt_that_paper_mode_knows():
    assert {*CAUSES, ONLY_PRODUCTION} == set(TRIGGER_RULES)


def test_finished_parts_are_kept_for_this_very_code(tmp_path: Path):
    path, done = tmp_path / "state.json", {"kills": [Figure("A1", "kills", "7", "> 0", True, stories=("x",))]}
    figures.save(path, "code", done)
    assert figures.load(path, "code") == done
    assert figures.load(path, "other code") == {}
    assert figures.load(tmp_path / "none", "code") == {}
