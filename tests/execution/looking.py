"""What the tests of automatic halts share: looking again and again, without waiting, and reading what stands."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F

from trading.execution import triggers
from trading.execution.triggers import evaluate_triggers
from trading.models import (
    HaltState,
    TriggerState,
)
from trading.queries.trigger_looks import take_looks


@pytest.fixture
def quick(monkeypatch) -> None:
    """Confirming looks follow each other at once; that they are seconds apart is tested in tests/risk."""
    monkeypatch.setattr(triggers, "CONFIRM_SECONDS", 0.0)
    monkeypatch.setattr("trading.risk.triggers.LEAST_APART", timedelta(0))


def state_of(scope: str = "everything", target: str = "") -> HaltState:
    return HaltState.objects.get(scope=scope, target=target)


def state(scope: str = "everything", target: str = "") -> tuple[str, str]:
    row = state_of(scope, target)
    return row.state, row.trigger if row.state != "active" else ""


def look_of(trigger: str, target: str = ""):
    return next(look for look in take_looks() if look.trigger == trigger and look.target == target)


def look_again(times: int = 4) -> None:
    for _look in range(times):
        evaluate_triggers()


def age(trigger: str, seconds: int) -> None:
    """As if the trigger had been blind for so much longer."""
    TriggerState.objects.filter(trigger=trigger).update(
        blind_since=F("blind_since") - timedelta(seconds=seconds)
    )


NOTHING = ("active", "")
