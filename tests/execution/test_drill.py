"""A drill takes the real kill path and costs nothing; where it could cost something it is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.making import PERSON, World, make_account
from trading.domain.enums import HaltScope
from trading.domain.errors import NotAllowed
from trading.execution import sweep
from trading.execution.accounts import store_credentials
from trading.execution.drill import drill_when_quiet, run_drill
from trading.execution.halts import engage, release
from trading.execution.sync import sync_account
from trading.models import Alert, AuditEntry, ExchangeAccount, HaltChange, HaltState, Order, Sweep
from trading.queries.drills import read_drills


@pytest.fixture
def quick(live_world: World, monkeypatch) -> World:
    """The venue's bound is over at once; a sweep commits and asks from threads of its own."""
    monkeypatch.setattr(sweep, "LAST_ACCEPTANCE", timedelta(0))
    return live_world


def configure(settings, hours: int) -> None:
    from dataclasses import replace

    config = settings.LEVI_CONFIG
    settings.LEVI_CONFIG = replace(config, live=replace(config.live, drill_hours=hours))


def test_it_goes_from_a_resting_order_to_a_proven_empty_venue_and_releases(quick: World):
    found = run_drill(actor=PERSON)
    assert found.passed and found.verdict == "clean"
    assert found.gate < found.clean and found.first_cancel is not None and found.drain is not None
    order = Order.objects.get(pk=found.order_id)
    assert (order.status, order.filled_quantity) == ("canceled", 0)
    assert [row["status"] for row in quick.venue.orders()] == ["CANCELED"]
    assert HaltState.objects.get(scope="account", target="paper").state == "active"
    assert list(HaltChange.objects.order_by("at").values_list("scope", "trigger")) == [
        ("account", "drill"),
        ("account", "release"),
    ]
    assert AuditEntry.objects.get(kind="drill.finished").data["verdict"] == "clean"
    assert set(Alert.objects.values_list("severity", flat=True)) == {"info"}, "nobody is called for a drill"
    assert quick.approve().status == "approved", "trading goes on"


def test_an_account_of_its_own_is_preferred(quick: World):
    own = make_account(quick.venue, "drill")
    quick.venue.add_user("driller", "mx0drill", "drill-secret")
    quick.venue.set_balance("USDT", "1000", user="driller")
    store_credentials(own, "mx0drill", "drill-secret", actor=PERSON)
    for _pass in range(2):  # the second one prices what the first one found
        assert sync_account(own.id, trigger="test").is_complete
    quick.rest()
    assert run_drill(actor=PERSON).account == "drill"


def test_it_is_refused_while_orders_of_others_are_there(quick: World):
    resting = quick.rest()
    with pytest.raises(NotAllowed, match="on their way or open"):
        run_drill(actor=PERSON)
    resting.refresh_from_db()
    assert resting.status == "open" and not HaltChange.objects.exists()


@pytest.mark.parametrize("scope, target", [(HaltScope.EVERYTHING, ""), (HaltScope.ACCOUNT, "paper")])
def test_it_never_touches_what_is_halted(quick: World, scope, target):
    engage(scope, target, reason="trouble", actor=PERSON, cancel=None)
    with pytest.raises(NotAllowed, match="halted already"):
        run_drill(actor=PERSON)
    assert HaltState.objects.get(scope=scope, target=target).state == "halted"
    assert quick.placements() == []
    release(scope, target, reason="tests", actor=PERSON)


def test_it_is_refused_on_a_real_account(quick: World, settings):
    settings.LEVI_MODE = "production"
    ExchangeAccount.objects.update(environment="live", mode="production")
    with pytest.raises(NotAllowed, match="no enabled simulated account"):
        run_drill(actor=PERSON)
    assert quick.placements() == []


def test_a_drill_that_is_not_proven_clean_leaves_the_account_halted(quick: World, monkeypatch):
    monkeypatch.setattr(sweep, "LONGEST", timedelta(0))
    quick.fault("http_status", method="GET", path="/api/v3/openOrders", status=500)
    found = run_drill(actor=PERSON)
    quick.venue.clear_faults()
    assert not found.passed and found.verdict == "survivors"
    assert HaltState.objects.get(scope="account", target="paper").state == "halted"


def test_the_schedule_counts_clean_drills_only(quick: World, settings):
    configure(settings, 24)
    assert not read_drills().is_due and not read_drills().is_overdue
    ExchangeAccount.objects.update(created_at=timezone.now() - timedelta(hours=49))
    assert read_drills().is_due and read_drills().is_overdue
    run_drill(actor=PERSON)
    assert not read_drills().is_due and read_drills().last.verdict == "clean"
    Sweep.objects.update(verdict="survivors")
    assert read_drills().is_overdue


def test_nothing_is_due_where_it_is_off_or_every_account_is_real(quick: World, settings):
    ExchangeAccount.objects.update(created_at=timezone.now() - timedelta(days=9))
    configure(settings, 0)
    assert not read_drills().is_due
    configure(settings, 24)
    ExchangeAccount.objects.update(is_enabled=False)
    assert not read_drills().is_due and not read_drills().is_overdue


def test_an_overdue_drill_that_finds_no_quiet_moment_is_an_alarm_once_a_day(quick: World, settings):
    configure(settings, 24)
    ExchangeAccount.objects.update(created_at=timezone.now() - timedelta(days=9))
    quick.rest()
    assert drill_when_quiet() is None and drill_when_quiet() is None
    assert AuditEntry.objects.filter(kind="drill.overdue").count() == 1
