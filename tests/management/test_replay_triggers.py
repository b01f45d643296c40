"""What would have fired on stored history: the same decisions, the limits of the time, or others."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.models.rows import make_account, make_order
from trading.models import EquitySnapshot, HaltChange, LimitsVersion

pytestmark = pytest.mark.django_db


def snapshots(*equities: str, exposure: str = "0") -> datetime:
    """Ten seconds apart, from an hour ago on."""
    began = timezone.now() - timedelta(hours=1)
    account = make_account()
    for number, equity in enumerate(equities):
        EquitySnapshot.objects.create(
            account=account,
            at=began + timedelta(seconds=10 * number),
            equity=Decimal(equity),
            cash=Decimal(0),
            positions_value=Decimal(equity),
            exposure=Decimal(exposure),
        )
    return began


def replayed(capsys, *options: str) -> dict:
    call_command("replay_triggers", "--json", *options)
    return json.loads(capsys.readouterr().out)


def fired(found: dict) -> list[str]:
    return [firing["trigger"] for firing in found["firings"]]


def test_a_lasting_loss_would_have_fired_and_a_phantom_would_not(capsys):
    snapshots("100", "100", "10", "100", "100", "96", "96", "96")
    assert fired(replayed(capsys)) == []  # no limit was set then
    found = replayed(capsys, "--set", "max_daily_loss_pct=3")
    assert fired(found) == ["daily_loss"]
    assert (found["firings"][0]["observed"], found["looks"]["daily_loss"]) == ("4", 8)
    assert fired(replayed(capsys, "--set", "max_daily_loss_pct=5")) == []
    assert not HaltChange.objects.exists()


def test_the_limits_of_the_time_are_the_default(capsys):
    snapshots("100", "90", "90", "90", exposure="500")
    now = timezone.now()
    version = LimitsVersion(
        effective_at=now - timedelta(days=1), reason="r", actor="a", kill_threshold_usd=Decimal(400)
    )
    version.save()
    assert fired(replayed(capsys)) == [], "it was not written then"
    assert fired(replayed(capsys, "--set", "kill_threshold_usd=400")) == ["exposure"]


def test_failed_orders_in_a_row_are_counted_from_the_orders(capsys):
    for number in range(6):
        make_order(
            status="denied" if number == 3 else "approved",
            created_at=timezone.now() - timedelta(seconds=100 - number),
        )
    type(make_order()).objects.filter(status="approved").update(
        status="submitting", attempt=1, permit_at=timezone.now()
    )
    type(make_order()).objects.filter(status="submitting").update(status="rejected")
    assert fired(replayed(capsys, "--set", "order_errors=4")) == ["order_errors"]
    assert fired(replayed(capsys, "--set", "order_errors=6")) == []


@pytest.mark.parametrize(
    "options",
    [("--set", "nonsense=1"), ("--set", "order_errors=NaN"), ("--from", "2026-01-02", "--to", "2026-01-01")],
)
def test_wrong_use_is_said_so(options, capsys):
    with pytest.raises(CommandError) as refused:
        call_command("replay_triggers", *options)
    assert refused.value.returncode in (1, 2) and "--" in str(refused.value)
