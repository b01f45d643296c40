"""What would have fired on stored history: the same decisions, the limits of the time, or others."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F
from django.utils import timezone

from tests.models.rows import make_account, make_order
from trading.models import EquitySnapshot, HaltChange, LimitsVersion

pytestmark = pytest.mark.django_db


def snapshots(
    *equities: str, exposure: str = "0", moved: dict[int, str] | None = None, account: str = "main"
) -> datetime:
    """Ten seconds apart, from an hour ago on. `moved`: what was deposited before which of them."""
    began, start, transfers = timezone.now() - timedelta(hours=1), Decimal(equities[0]), Decimal(0)
    owner = make_account(name=account)
    for number, equity in enumerate(equities):
        transfers += Decimal((moved or {}).get(number, "0"))
        EquitySnapshot.objects.create(
            account=owner,
            at=began + timedelta(seconds=10 * number),
            equity=Decimal(equity),
            cash=Decimal(0),
            positions_value=Decimal(equity),
            exposure=Decimal(exposure),
            daily_pnl=Decimal(equity) - start - transfers,
            transfers=transfers,
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


def test_a_day_that_only_rises_has_no_drawdown(capsys):
    snapshots("100", "100", "100", "110", "120", "130", "130", "130")
    assert fired(replayed(capsys, "--set", "max_drawdown_pct=5")) == []


def test_a_fall_from_a_confirmed_peak_of_the_time_is_one(capsys):
    snapshots("100", "120", "120", "120", "110", "110", "110")
    found = replayed(capsys, "--set", "max_drawdown_pct=5")
    assert fired(found) == ["drawdown"] and found["firings"][0]["observed"].startswith("8.33")


def test_money_from_outside_is_neither_a_loss_nor_a_peak_whenever_it_came(capsys):
    snapshots("100", "100", "100", "150", "150", "150", "50", "50", "50", moved={3: "50", 6: "-100"})
    assert fired(replayed(capsys, "--set", "max_daily_loss_pct=3", "--set", "max_drawdown_pct=3")) == []


def test_everything_is_all_accounts_together_and_an_account_has_its_own_limits(capsys):
    snapshots("1000", "1000", "1000", "1000", account="main")
    began = snapshots("100", "90", "90", "90", account="second")
    assert fired(replayed(capsys, "--set", "max_daily_loss_pct=3")) == []  # 10 of 1,100
    found = replayed(capsys, "--set", "max_daily_loss_pct=3", "--account", "second")
    assert [(one["trigger"], one["scope"]) for one in found["firings"]] == [("daily_loss", "everything")]
    version = LimitsVersion(scope="account", target="second", reason="r", actor="a", max_daily_loss_pct=3)
    version.effective_at = began
    version.save()
    EquitySnapshot.objects.update(at=F("at") + timedelta(hours=2))  # the version is written by now
    until = (timezone.now() + timedelta(hours=3)).isoformat()
    assert [one["scope"] for one in replayed(capsys, "--to", until)["firings"]] == ["account second"]


def test_what_cannot_be_replayed_is_named(capsys):
    assert {"breaks", "disk_space"} <= set(replayed(capsys)["not_replayed"])


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
