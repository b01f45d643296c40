"""Pictures of every page under var/shots/, nothing wider than its screen, and no violation that axe can find.

In `make test` each page is looked at light on a desk and dark on a phone; `make e2e` (LEVI_SHOTS=all) takes all four.
"""

from __future__ import annotations

import os

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from tests.admin.trading_day import halt
from tests.e2e.conftest import DESKTOP, PHONE, SMALL_PHONE, WIDE
from trading.domain.enums import Severity
from trading.models import AuditEntry, ExportJob, Fill, Flattening, Position, Signal, Sweep
from trading.notify import notify

PLACES = {
    "control-room": "panel_control_room",
    "kill-switch": "admin:trading_haltstate_changelist",
    "ticket": "admin:trading_order_ticket",
    "orders": "admin:trading_order_changelist",
    "order-filled": ("admin:trading_order_change", lambda day: day.orders["filled"].pk),
    "order-denied": ("admin:trading_order_change", lambda day: day.orders["denied"].pk),
    "order-quarantined": ("admin:trading_order_change", lambda day: day.orders["quarantined"].pk),
    "fills": "admin:trading_fill_changelist",
    "fill": ("admin:trading_fill_change", lambda day: Fill.objects.first().pk),
    "signals": "admin:trading_signal_changelist",
    "signal": ("admin:trading_signal_change", lambda day: Signal.objects.first().pk),
    "positions": "admin:trading_position_changelist",
    "position": (
        "admin:trading_position_change",
        lambda day: Position.objects.exclude(quantity=0).first().pk,
    ),
    "alerts": "admin:trading_alert_changelist",
    "balances": "admin:trading_balance_changelist",
    "equity": "admin:trading_equitysnapshot_changelist",
    "limits": "admin:trading_limitsversion_changelist",
    "breaks": "admin:trading_break_changelist",
    "sync-runs": "admin:trading_syncrun_changelist",
    "audit": "admin:trading_auditentry_changelist",
    "audit-entry": ("admin:trading_auditentry_change", lambda day: AuditEntry.objects.first().pk),
    "exports": "admin:trading_exportjob_changelist",
    "accounts": "admin:trading_exchangeaccount_changelist",
    "account": ("admin:trading_exchangeaccount_change", lambda day: day.account.pk),
    "instruments": "admin:trading_instrument_changelist",
    "strategies": "admin:trading_strategy_changelist",
    "tokens": "admin:trading_apitoken_changelist",
    "schedules": "admin:django_celery_beat_periodictask_changelist",
    "system": "panel_system",
    "find": "panel_find",
    "operators": "admin:auth_user_changelist",
    "operator": ("admin:auth_user_change", lambda _day: User.objects.get(username="trader-person").pk),
    "operator-new": "admin:auth_user_add",
    "operator-password": (
        "admin:auth_user_password_change",
        lambda _day: User.objects.get(username="trader-person").pk,
    ),
    "roles": "admin:auth_group_changelist",
    "my-password": "admin:password_change",
    "my-sessions": "admin:trading_operatorsession_changelist",
    "my-factor": "admin:trading_secondfactor_changelist",
    "enrol": "admin:trading_secondfactor_enrol",
    "approvals": "admin:trading_approvalrequest_changelist",
    "invitations": "admin:trading_invitation_changelist",
    "invite": "admin:trading_invitation_add",
}
EVERY_LOOK = [("light", DESKTOP), ("dark", PHONE), ("dark", DESKTOP), ("light", PHONE)]
LOOKS = EVERY_LOOK if os.environ.get("LEVI_SHOTS") == "all" else EVERY_LOOK[:2]


def path_of(day, name: str) -> str:
    place = PLACES[name]
    return reverse(place) if isinstance(place, str) else reverse(place[0], args=[place[1](day)])


@pytest.mark.parametrize(("theme", "size"), LOOKS, ids=[f"{theme}-{size[0]}" for theme, size in LOOKS])
def test_every_page_fits_its_screen_and_can_be_used_by_everybody(day, people, visit, theme, size):
    problems = {}
    with visit(people["super"], theme=theme, size=size) as tab:
        for name in PLACES:
            tab.open(path_of(day, name))
            found = [f"{tab.overflow()} px too wide"] if tab.overflow() > 0 else []
            found += tab.violations()
            problems |= {name: found} if found else {}
            tab.shoot(f"{name}-{theme}-{size[0]}")
    assert problems == {}


def test_the_smallest_phone_holds_every_page_with_wide_text_too(day, people, visit):
    """Fonts differ between machines, and readers may spread their text: nothing may hang over by a pixel."""
    problems = {}
    with visit(people["super"], size=SMALL_PHONE) as tab:
        for name in PLACES:
            tab.open(path_of(day, name))
            problems |= {name: found} if (found := tab.stick_out()) else {}
            tab.spread_text()
            problems |= {f"{name}, spread": found} if (found := tab.stick_out()) else {}
    assert problems == {}


def test_the_widest_screen_holds_the_main_pages(day, people, visit):
    with visit(people["super"], size=WIDE) as tab:
        for name in ("control-room", "kill-switch", "orders", "order-filled", "ticket"):
            tab.open(path_of(day, name))
            assert tab.overflow() <= 0, name


@pytest.mark.parametrize(("theme", "size"), [("light", DESKTOP), ("dark", PHONE)], ids=["desktop", "phone"])
def test_a_halt_is_unmistakable(day, people, visit, theme, size):
    halt(reason="Unexpected loss")
    halt("instrument", "SOL/USDT", state="reducing", reason="thin book")
    sweep = Sweep.objects.order_by("-engaged_at").first()
    lines = {
        "paper BTC/USDT": {"state": "closing", "left": "0.004", "why": "order lv1 over 0.004", "orders": []}
    }
    now = timezone.now()
    Flattening.objects.create(
        sweep=sweep, reason="out", actor="operator:olga", requested_at=now, report=lines
    )
    notify("halt.engaged", Severity.CRITICAL, "Everything is halted", "Unexpected loss\nBy operator:olga.")
    notify("break.opened", Severity.WARNING, "Break: balance BTC on paper", "Ours 0.5, the venue's 0.4.")
    with visit(people["risk"], theme=theme, size=size) as tab:
        for name in ("control-room", "kill-switch", "alerts"):
            tab.open(path_of(day, name))
            tab.sees("#lv-strip >> text=HALTED")
            assert tab.overflow() <= 0
            assert tab.violations() == []
            tab.shoot(f"halted-{name}-{theme}-{size[0]}")


def test_the_sign_in_and_the_first_steps_are_pictured(people, visit, transactional_db):
    with visit() as stranger:
        stranger.open("/admin/login/")
        stranger.shoot("sign-in-light-1440")
    with visit(people["super"]) as tab:
        tab.open("/admin/")
        tab.sees("text=No signal has come in yet")
        assert not ExportJob.objects.exists()
        tab.shoot("first-steps-light-1440")
