"""One scrape shows what every process counted and what the database says now."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from tests.execution.algos.walking import pass_seconds
from tests.paper_trading import TESTER, open_paper_account, place
from tests.scripted_stream import offered, stream_row
from trading.domain.enums import CancelScope, HaltScope
from trading.execution.algos import pause_algo, start_algo
from trading.execution.halts import engage, release
from trading.execution.limit_changes import change_limits
from trading.execution.sync import sync_account
from trading.execution.triggers import evaluate_triggers
from trading.models import Break, ExchangeAccount, HaltState, Heartbeat
from trading.queries.exposition import forget_dead_processes, render

__all__ = ["offered"]
REPO = Path(__file__).resolve().parents[2]
COUNT = """
import django; django.setup()
from trading import metrics
metrics.count("order.filled", {"status": "filled", "symbol": "TWO/USDT", "side": "BUY"})
metrics.ORDER_LATENCY.labels("two-processes").observe(0.02)
"""
PROMISED = {
    "levi_orders_total", "levi_kill_switch", "levi_position_notional", "levi_order_latency_seconds_bucket",
    "levi_in_doubt_orders", "levi_halt_age_seconds", "levi_breaks", "levi_limit_utilisation",
    "levi_venue_requests_total", "levi_rate_tokens", "levi_heartbeat_age_seconds", "levi_equity", "levi_daily_pnl",
    "levi_halt_seconds_bucket", "levi_denials_total",
}  # fmt: skip


def scrape() -> dict[tuple[str, str], float]:
    """(series, its labels' values) -> number."""
    found = {}
    for family in text_string_to_metric_families(render().decode()):
        for sample in family.samples:
            found[sample.name, ",".join(sample.labels.values())] = sample.value
    return found


def reasons() -> dict[str, float]:
    return {reason: number for (name, reason), number in scrape().items() if name == "levi_kill_switch"}


def halt(reason: str, **more):
    return engage(HaltScope.EVERYTHING, reason=reason, actor=TESTER, cancel=None, **more)


@pytest.fixture
def account(transactional_db, simulated_venue) -> ExchangeAccount:
    return open_paper_account(simulated_venue)


@pytest.mark.django_db
def test_what_two_processes_counted_is_in_one_scrape():
    for _ in range(2):
        subprocess.run([sys.executable, "-c", COUNT], cwd=REPO, env=dict(os.environ), check=True)
    found = scrape()
    assert found["levi_orders_total", "BUY,filled,TWO/USDT"] == 2
    assert found["levi_order_latency_seconds_count", "two-processes"] == 2


def test_the_promised_series_are_there_after_some_trading(account):
    place("filled")
    change_limits({"max_order_notional": "10"}, reason="tests", actor=TESTER)
    assert place("denied").status == "denied"
    sync_account(account.id, trigger="demand")
    Heartbeat.objects.create(
        process="orders@here:1", role="orders", beat_at=timezone.now(), started_at=timezone.now()
    )
    engage(HaltScope.EVERYTHING, reason="tests", actor=TESTER, cancel=CancelScope.OURS)
    assert {name for name, _labels in scrape()} >= PROMISED


def test_a_position_is_shown_in_dollars_and_stays_as_zero_when_it_is_closed(account):
    place("buy")
    assert scrape()["levi_position_notional", "BTC/USDT"] == 500
    place("sell", side="SELL")
    assert scrape()["levi_position_notional", "BTC/USDT"] == 0


def test_equity_and_the_result_of_the_day_follow_the_venue(account, simulated_venue):
    place("buy")
    sync_account(account.id, trigger="demand")
    before = scrape()
    simulated_venue.set_price("BTCUSDT", "60000")
    sync_account(account.id, trigger="demand")
    after = scrape()
    # The other assets of the account move a little by themselves.
    held = Decimal(simulated_venue.balances()["BTC"]["total"])
    assert after["levi_equity", ""] - before["levi_equity", ""] == pytest.approx(float(held * 10_000), abs=5)
    assert after["levi_account_equity", "paper"] == after["levi_equity", ""]
    assert after["levi_daily_pnl", ""] - before["levi_daily_pnl", ""] == pytest.approx(
        float(held * 10_000), abs=5
    )


def test_an_account_that_cannot_be_valued_has_no_equity_instead_of_half_of_it(account):
    account.balances.create(asset="NOPRICE", free=1, locked=0, observed_at=timezone.now())
    assert ("levi_equity", "") not in scrape()


@pytest.mark.django_db(transaction=True)
def test_the_kill_switch_is_zero_for_the_standard_reasons_and_one_for_the_reason_given():
    assert reasons() == {"manual": 0, "daily_loss": 0, "exposure": 0}
    halt("a strange smell in the server room, and quite a lot of smoke, too")
    assert reasons() == {
        "manual": 0, "daily_loss": 0, "exposure": 0,
        "a strange smell in the server room, and quite a lot of smoke": 1,
    }  # fmt: skip
    release(HaltScope.EVERYTHING, reason="aired", actor=TESTER)
    assert set(reasons().values()) == {0}


def test_an_automatic_halt_carries_the_name_of_its_trigger(account):
    place("buy", quantity="0.1")
    change_limits({"kill_threshold_usd": "1000"}, reason="tests", actor=TESTER)
    assert evaluate_triggers(account)
    assert reasons()["exposure"] == 1
    assert reasons()["manual"] == 0


@pytest.mark.django_db(transaction=True)
def test_the_age_of_a_halt_grows_from_its_start():
    halt("manual")
    HaltState.objects.update(since=timezone.now() - timedelta(hours=1))
    assert scrape()["levi_halt_age_seconds", ""] >= 3600


@pytest.mark.django_db(transaction=True)
def test_a_missing_halt_state_counts_as_halted():
    HaltState.objects.filter(scope=HaltScope.EVERYTHING).delete()
    assert reasons()["no halt state"] == 1


def test_used_limits_are_shown_as_shares_and_unset_ones_not_at_all(account):
    change_limits(
        {"exposure_limit_symbol": "1000", "max_open_orders": 4, "max_concurrent_positions": None},
        reason="tests",
        actor=TESTER,
    )
    place("buy")
    place("resting", price="40000", quantity="0.001")
    found = scrape()
    assert found["levi_limit_utilisation", "exposure_limit_symbol"] == pytest.approx(0.55)
    assert found["levi_limit_utilisation", "max_open_orders"] == 0.25
    assert ("levi_limit_utilisation", "max_concurrent_positions") not in found


def test_breaks_are_counted_by_kind_until_they_are_resolved(account):
    now = timezone.now()
    for subject, state in (("BTC", "open"), ("ETH", "acknowledged"), ("SOL", "resolved")):
        Break.objects.create(
            account=account, kind="balance", subject=subject, state=state, since=now, last_seen_at=now
        )
    found = scrape()
    assert found["levi_breaks", "balance"] == 2
    assert found["levi_breaks", "fill"] == 0


def test_a_private_stream_is_live_or_not_and_has_an_age(account, offered):
    live, age = ("levi_stream_live", "paper"), ("levi_stream_age_seconds", "paper")
    assert scrape()[live] == 0 and age not in scrape()  # nobody ever listened
    stream_row(account, heard=7)
    assert scrape()[live] == 1 and 7 <= scrape()[age] < 60
    stream_row(account, heard=70, lease=-50)
    assert scrape()[live] == 0 and scrape()[age] >= 70


def test_algos_are_counted_by_kind_and_state_and_the_latest_one_says_how_late(account):
    counts = {labels: number for (name, labels), number in scrape().items() if name == "levi_algos"}
    assert len(counts) == 9 and set(counts.values()) == {0}
    assert scrape()["levi_algo_behind_ratio", ""] == 0
    body = {"kind": "twap", "symbol": "BTC/USDT", "side": "BUY", "quantity": "0.04", "duration_seconds": 400}
    late = start_algo({**body, "slices": 4}, actor=TESTER, key="late").algo
    pause_algo(start_algo({**body, "slices": 5}, actor=TESTER, key="still").algo.pk, actor=TESTER)
    pass_seconds(late, 150)
    found = scrape()
    assert (found["levi_algos", "twap,running"], found["levi_algos", "twap,paused"]) == (1, 1)
    assert found["levi_algos", "vwap,running"] == found["levi_algos", "twap,canceling"] == 0
    assert found["levi_algo_behind_ratio", ""] == 0.5


@pytest.mark.django_db
def test_heartbeats_are_by_role_and_host_and_forgotten_after_an_hour():
    now = timezone.now()
    for process, age in (("orders@a:1", 500), ("orders@a:2", 5), ("beat@a:3", 60), ("orders@gone:4", 4000)):
        role = process.partition("@")[0]
        Heartbeat.objects.create(
            process=process, role=role, beat_at=now - timedelta(seconds=age), started_at=now
        )
    ages = {label: age for (name, label), age in scrape().items() if name == "levi_heartbeat_age_seconds"}
    assert ages.keys() == {"orders@a", "beat@a"}
    assert 5 <= ages["orders@a"] < 60


@pytest.mark.django_db(transaction=True)
def test_counters_are_scraped_while_the_database_is_away(monkeypatch):
    subprocess.run([sys.executable, "-c", COUNT], cwd=REPO, env=dict(os.environ), check=True)
    connection.close()
    with monkeypatch.context() as broken:
        broken.setitem(connection.settings_dict, "PORT", "1")
        found = scrape()
    assert found["levi_orders_total", "BUY,filled,TWO/USDT"] >= 1
    assert found["levi_state_readable", ""] == 0
    assert not any(name == "levi_kill_switch" for name, _labels in found)
    assert scrape()["levi_state_readable", ""] == 1


def test_live_gauges_of_dead_processes_are_forgotten_and_their_counters_kept(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    files = {pid: tmp_path / f"gauge_livemostrecent_{pid}.db" for pid in (ended.pid, os.getpid())}
    counters = tmp_path / f"counter_{ended.pid}.db"
    for file in (*files.values(), counters):
        file.touch()
    forget_dead_processes(tmp_path)
    assert not files[ended.pid].exists()
    assert files[os.getpid()].exists()
    assert counters.exists()
