"""Engage and release at once: whatever was engaged after the release's operator looked, wins."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from tests.making import PERSON, begin, wait_until_blocked
from trading.domain.enums import HaltScope, TradingState
from trading.domain.errors import StaleDecision
from trading.execution import halts
from trading.execution.halts import engage, release
from trading.locking import share_halt_lock
from trading.models import HaltState

ACCOUNT = (HaltScope.ACCOUNT, "paper")


def state() -> str:
    return HaltState.objects.get(scope="account", target="paper").state


def halt(reason: str = "first") -> int:
    return engage(*ACCOUNT, reason=reason, actor=PERSON, cancel=None).epoch


def hold_shared_lock():
    """A worker that stopped in the middle of its permit."""
    share_halt_lock()


@pytest.mark.usefixtures("live_world")
def test_a_release_never_goes_on_without_the_lock(monkeypatch):
    halt()
    monkeypatch.setattr(halts, "LOCK_WAIT_MS", 50)
    with transaction.atomic():
        hold_shared_lock()
        releasing = begin(lambda: release(*ACCOUNT, reason="looks fine", actor=PERSON))
        refused = releasing.end()
    assert isinstance(refused, StaleDecision) and "few seconds" in refused.remedy
    assert state() == TradingState.HALTED


@pytest.mark.usefixtures("live_world")
def test_a_halt_that_went_on_without_the_lock_beats_the_release_that_waits_for_its_row():
    seen = halt()
    with transaction.atomic():
        # As an engagement that was not granted the lock: epoch and row are written, the commit is still to come.
        with connection.cursor() as cursor:
            cursor.execute("UPDATE trading_controlepoch SET epoch = epoch + 1")
            cursor.execute("UPDATE trading_haltstate SET reason = 'second' WHERE target = 'paper'")
        releasing = begin(lambda: release(*ACCOUNT, reason="looks fine", actor=PERSON, seen_epoch=seen))
        # Asked on another connection: this one sees the activity of its transaction's beginning.
        begin(lambda: wait_until_blocked(releasing)).end()
    assert isinstance(releasing.end(), StaleDecision)
    assert state() == TradingState.HALTED
