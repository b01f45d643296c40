"""The halt state as it is shown: unreadable means halted, and the widest scope is always named."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from tests.models.rows import make_limits, make_order
from trading.models import ControlEpoch, HaltState, LimitsVersion
from trading.queries.halts import current_epoch, list_scopes, read_scopes, read_status, scope_names
from trading.queries.limits import as_facts, limits_in_force


def test_a_fresh_installation_in_paper_mode_is_active(db: None):
    status = read_status()
    assert (status["state"], status["kill_switch"], status["active"]) == ("active", False, True)
    assert (status["mode"], status["reason"], status["epoch"], status["sweep"]) == ("paper", None, 1, None)


def test_a_missing_state_reads_as_halted(db: None):
    HaltState.objects.all().delete()
    ControlEpoch.objects.all().delete()
    status = read_status()
    assert status["kill_switch"] and status["reason"] == "no halt state" and status["epoch"] == 0
    assert current_epoch() == 0
    assert [scope.state for scope in read_scopes("paper", "BTC/USDT", "momentum")] == [None] * 4


def test_an_order_without_a_strategy_has_three_scopes(db: None):
    assert [scope.value for scope, _ in scope_names("a", "B/C", None)] == [
        "everything",
        "account",
        "instrument",
    ]
    assert len(scope_names("a", "B/C", "s")) == 4


def test_only_what_is_not_simply_active_is_listed_the_widest_first(db: None):
    now = timezone.now()
    for scope, target, state in (
        ("strategy", "s", "reducing"),
        ("account", "b", "halted"),
        ("account", "a", "halted"),
        ("account", "c", "active"),
    ):
        HaltState.objects.create(scope=scope, target=target, state=state, since=now)
    assert [(row.scope, row.target) for row in list_scopes()] == [
        ("everything", ""),
        ("account", "a"),
        ("account", "b"),
        ("strategy", "s"),
    ]


def test_what_is_under_way_is_counted(db: None):
    now = timezone.now()
    for status in ("open", "partially_filled", "submitting", "in_doubt", "quarantined", "filled"):
        make_order(status=status, origin="orphan", attempt=1, permit_at=now)
    status = read_status()
    assert (status["open_orders"], status["submitting"], status["in_doubt"], status["quarantined"]) == (
        2,
        1,
        1,
        1,
    )


def test_the_newest_limits_whose_time_has_come_are_in_force(db: None):
    assert limits_in_force() is None and as_facts(None) is None
    first = make_limits()
    LimitsVersion.objects.create(
        effective_at=timezone.now() + timedelta(hours=1), reason="tomorrow", actor="tests"
    )
    assert limits_in_force() == first
    assert as_facts(first).version == first.version and as_facts(first).allowed_symbols is None
