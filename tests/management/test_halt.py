"""`manage.py halt` stops trading and proves what it says, with everything but the database down."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings

from tests.management.typing_commands import DEAD_DATABASE, DEAD_REDIS, type_here, type_in_shell
from tests.paper_trading import place, rest
from trading.execution import sweep
from trading.models import AuditEntry, HaltState, Order, Sweep
from trading.queries.halts import read_status


@pytest.fixture
def quick_proof(monkeypatch) -> None:
    """A clean verdict waits until nothing sent before the halt can still arrive. Here nothing was on its way."""
    monkeypatch.setattr(sweep, "LAST_ACCEPTANCE", timedelta(0))


def test_it_halts_and_cancels_with_redis_and_every_other_process_away(account, open_ids, simulated_venue):
    resting = [rest(f"resting-{number}").client_order_id for number in range(3)]
    assert sorted(open_ids()) == sorted(resting)
    typed = type_in_shell("halt", "--reason", "drill", "--json", **DEAD_REDIS)
    assert typed.code == 0, typed.err
    assert typed.document["sweep"]["verdict"] == "clean"
    assert typed.document["drained"] is True
    assert open_ids() == []
    assert read_status()["kill_switch"] is True
    assert read_status()["reason"] == "drill"
    sent = len(simulated_venue.orders())
    assert place("after the halt").status_reason == "halted"
    assert len(simulated_venue.orders()) == sent


def test_it_says_who_and_shows_its_phases(account, monkeypatch, quick_proof):
    monkeypatch.setattr("trading.management.operator_command.os_user", lambda: "olga")
    rest("resting")
    typed = type_here("halt", "--reason", "drill")
    assert typed.code == 0
    assert "everything is halted (epoch" in typed.err
    assert "1 cancels sent" in typed.err
    assert "Proven clean" in typed.out
    assert AuditEntry.objects.get(kind="halt.engaged").actor == "command:olga"


def test_orders_of_others_stay_unless_everything_is_to_be_canceled(foreign_order, open_ids, quick_proof):
    foreign_order("their-1")
    assert type_here("halt", "--reason", "ours only").code == 0
    assert open_ids() == ["their-1"]
    assert type_here("halt", "--reason", "all of it", "--cancel", "everything").code == 0
    assert open_ids() == []


def test_what_could_not_be_proven_is_named_and_the_exit_code_says_so(account, simulated_venue, monkeypatch):
    monkeypatch.setattr(sweep, "LONGEST", timedelta(0))
    simulated_venue.faults([{"match": {"path": "/api/v3/openOrders"}, "kind": "http_status", "status": 500}])
    typed = type_here("halt", "--reason", "drill")
    assert typed.code == 1
    assert "NOT proven clean" in typed.out
    assert "paper: could not be asked" in typed.out
    assert read_status()["kill_switch"] is True


def test_without_a_sweep_the_open_orders_wait_for_the_supervisor(account, open_ids):
    resting = rest("resting").client_order_id
    typed = type_here("halt", "--reason", "drill", "--no-sweep")
    assert typed.code == 0
    assert "left to the supervisor" in typed.out
    assert Sweep.objects.get().verdict == "running"
    assert open_ids() == [resting]


def test_open_orders_can_be_left_alone(account, open_ids):
    resting = rest("resting").client_order_id
    assert type_here("halt", "--reason", "drill", "--cancel", "none").code == 0
    assert not Sweep.objects.exists()
    assert open_ids() == [resting]


def test_a_narrower_scope_halts_only_itself(account, quick_proof):
    assert (
        type_here("halt", "--reason", "odd prices", "--scope", "instrument", "--target", "ETH/USDT").code == 0
    )
    assert read_status()["kill_switch"] is False
    assert place("eth", symbol="ETH/USDT", quantity="0.1").status_reason == "halted"
    assert place("btc").status == "filled"


def test_a_scope_can_be_set_to_reducing(account):
    place("buy")
    assert type_here("halt", "--reason", "calm down", "--state", "reducing").code == 0
    assert place("more").status == "denied"
    assert place("less", side="SELL", reduce_only=True).status == "filled"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--reason", "x", "--scope", "account"], "needs --target"),
        (["--reason", "x", "--target", "paper"], "takes no --target"),
        (["--reason", "x", "--scope", "account", "--target", "nobody"], "There is no account 'nobody'"),
    ],
)
def test_wrong_use_is_told_apart_and_changes_nothing(account, words, said):
    typed = type_here("halt", *words)
    assert typed.code == 2
    assert said in typed.err
    assert not HaltState.objects.exclude(state="active").exists()


def test_a_missing_reason_is_wrong_use():
    typed = type_in_shell("halt")
    assert typed.code == 2
    assert "--reason" in typed.err


def test_without_the_database_the_stop_flag_is_raised_and_nothing_more_is_claimed(tmp_path):
    typed = type_in_shell("halt", "--reason", "drill", **DEAD_DATABASE, HOME_DIR=str(tmp_path))
    assert typed.code == 1
    assert "the halt is NOT written" in typed.err
    assert "Traceback" not in typed.err
    assert (tmp_path / settings.STOP_FLAG.relative_to(settings.HOME_DIR)).exists()


def test_a_release_needs_a_halt_and_lets_orders_pass_again(account):
    assert type_here("resume", "--reason", "why not").code == 1
    type_here("halt", "--reason", "drill", "--cancel", "none")
    assert Order.objects.count() == 0
    typed = type_here("resume", "--reason", "drill is over", "--json")
    assert typed.code == 0
    assert typed.document["state"] == "active"
    assert not settings.STOP_FLAG.exists()
    assert place("after the release").status == "filled"


def test_a_release_does_not_undo_a_halt_it_has_not_seen(account):
    first = type_here("halt", "--reason", "first", "--cancel", "none", "--json").document
    type_here("halt", "--reason", "second", "--cancel", "none")
    typed = type_here("resume", "--reason", "first is over", "--epoch", str(first["epoch"]))
    assert typed.code == 1
    assert read_status()["kill_switch"] is True


def test_it_closes_the_positions_when_asked_to_and_says_so(account, quick_proof, simulated_venue):
    place("held")
    typed = type_in_shell("halt", "--reason", "out", "--flatten", "--json", **DEAD_REDIS)
    assert typed.code == 0, typed.err
    assert typed.document["flatten"]["state"] == "flat"
    assert typed.document["flatten"]["report"]["paper BTC/USDT"]["state"] in ("flat", "dust")
    assert [fill["side"] for fill in simulated_venue.fills()] == ["BUY", "SELL"]
    assert read_status()["kill_switch"] is True


def test_a_wish_to_flatten_that_is_refused_fails_the_command_and_not_the_halt(account, quick_proof):
    place("held", strategy="momentum")
    typed = type_here("halt", "--reason", "out", "--flatten", "--scope", "strategy", "--target", "momentum")
    assert typed.code == 1 and "Flatten the account or the symbol" in typed.out
    assert HaltState.objects.get(scope="strategy", target="momentum").state == "halted"
