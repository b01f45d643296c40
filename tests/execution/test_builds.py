"""Two builds beside each other: only the expected one sends, and an upgrade blocks nothing else."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.making import PERSON, World, fresh, status_of
from trading.domain.errors import InvalidInput, NotAllowed
from trading.domain.outcomes import Placed
from trading.execution import builds
from trading.execution.builds import expect_build
from trading.execution.cancellation import request_cancel, send_cancel
from trading.execution.dispatch import dispatch_order
from trading.execution.jobs import beat_heart
from trading.execution.poller import poll_once
from trading.models import AuditEntry, ControlEpoch, Heartbeat, Order, OrderAttempt
from trading.queries.builds import list_foreign

OLD, NEW = "old-build", "new-build"


@pytest.fixture(autouse=True)
def forgetful(monkeypatch):
    """As a process that was just started."""
    monkeypatch.setattr(builds._Standing, "refused_for", "")


@pytest.fixture
def run_as(settings):
    """What follows happens in a process of this build."""

    def choose(build: str) -> None:
        settings.BUILD = build
        builds._Standing.refused_for = ""

    return choose


def test_an_old_build_gets_no_permit_while_the_new_one_trades(world: World, run_as):
    expect_build(NEW, actor=PERSON)
    run_as(OLD)
    orders = [world.approve() for _number in range(3)]
    Order.objects.update(next_action_at=timezone.now())
    poll_once()
    assert [dispatch_order(order.id) for order in orders] == [None, None, None]
    assert {status_of(order) for order in orders} == {"approved"}
    assert world.placements() == [] and not OrderAttempt.objects.exists()

    run_as(NEW)
    assert all(isinstance(dispatch_order(order.id), Placed) for order in orders)
    assert {attempt.build for attempt in OrderAttempt.objects.all()} == {NEW}


def test_a_rolling_restart_is_never_in_its_own_way(world: World, run_as):
    """Approved by the old build before the upgrade: sent by the first worker of the new one."""
    run_as(OLD)
    expect_build(OLD, actor=PERSON)
    order = world.approve()
    expect_build(NEW, actor=PERSON)
    assert dispatch_order(order.id) is None
    run_as(NEW)
    assert isinstance(dispatch_order(order.id), Placed)


def test_a_process_that_stood_back_sends_again_once_its_build_is_expected(world: World, run_as):
    expect_build(NEW, actor=PERSON)
    run_as(OLD)
    order = world.approve()
    assert dispatch_order(order.id) is None and builds.stands_back()
    expect_build(OLD, actor=PERSON)  # a roll-back
    assert isinstance(dispatch_order(order.id), Placed)


def test_it_says_so_once_and_clearly(world: World, run_as, caplog):
    expect_build(NEW, actor=PERSON)
    run_as(OLD)
    order = world.approve()
    with caplog.at_level(logging.ERROR, logger="trading.execution.builds"):
        for _try in range(3):
            dispatch_order(order.id)
    (said,) = caplog.records
    assert "this process is build old-build, but only new-build gets permits" in said.getMessage()


def test_an_old_build_may_cancel_and_lets_expired_approvals_lapse(world: World, run_as):
    run_as(OLD)
    resting = world.approve(price="30000")
    dispatch_order(resting.id)
    waiting = world.approve()
    expect_build(NEW, actor=PERSON)
    request_cancel(resting.id, actor=PERSON)
    send_cancel(resting.id)
    assert [order["status"] for order in world.venue.orders()] == ["CANCELED"]
    Order.objects.filter(pk=waiting.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert dispatch_order(waiting.id) is None
    assert fresh(waiting).status == "lapsed"


@pytest.mark.django_db(transaction=True)
def test_what_is_expected_changes_with_one_audit_entry_and_only_when_it_changes():
    assert expect_build(NEW, actor=PERSON)
    assert not expect_build(NEW, actor=PERSON)
    assert expect_build("", actor=PERSON)
    entries = AuditEntry.objects.filter(kind="build.expected").order_by("id")
    assert [entry.data for entry in entries] == [{"before": "", "after": NEW}, {"before": NEW, "after": ""}]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["two words", "x" * 41, "new\n"])
def test_what_cannot_be_a_build_is_refused(name):
    with pytest.raises(InvalidInput, match="cannot be a build"):
        expect_build(name, actor=PERSON)
    assert ControlEpoch.objects.get().expected_build == ""


@pytest.mark.django_db(transaction=True)
def test_without_a_control_state_nothing_can_be_expected():
    ControlEpoch.objects.all().delete()
    with pytest.raises(NotAllowed, match="control state is missing"):
        expect_build(NEW, actor=PERSON)
    assert not AuditEntry.objects.filter(kind="build.expected").exists()


@pytest.mark.django_db(transaction=True)
def test_live_processes_of_another_build_are_listed_and_gone_ones_are_not(settings):
    settings.BUILD = OLD
    beat_heart(name="orders@h:1")
    beat_heart(name="orders@h:2")
    Heartbeat.objects.filter(process="orders@h:2").update(beat_at=timezone.now() - timedelta(minutes=5))
    assert list_foreign() == []
    expect_build(NEW, actor=PERSON)
    assert [row.process for row in list_foreign()] == ["orders@h:1"]
