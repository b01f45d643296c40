"""Pictures of every page under var/shots/, nothing wider than its screen, and no violation that axe can find.

In `make test` each page is looked at light on a desk and dark on a phone; `make e2e` (LEVI_SHOTS=all) takes all four.
"""

from __future__ import annotations

import os

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from levi_site.unfold_settings import NAVIGATION
from tests.admin.trading_day import halt
from tests.e2e.conftest import DESKTOP, PATIENCE_MS, PHONE, SMALL_PHONE, WIDE, sync_api
from tests.e2e.desk_of_the_day import furnish
from trading.domain.enums import Severity
from trading.models import (
    AlertChannel,
    Algo,
    ApprovalRequest,
    AuditEntry,
    Break,
    ExportJob,
    Fill,
    Flattening,
    Position,
    Signal,
    Sweep,
    Webhook,
)
from trading.notify import notify
from trading.queries.equity import trading_day

PLACES = {
    "control-room": "panel_control_room",
    "kill-switch": "admin:trading_haltstate_changelist",
    "ticket": "admin:trading_order_ticket",
    "orders": "admin:trading_order_changelist",
    "order-filled": ("admin:trading_order_change", lambda day: day.orders["filled"].pk),
    "order-denied": ("admin:trading_order_change", lambda day: day.orders["denied"].pk),
    "order-quarantined": ("admin:trading_order_change", lambda day: day.orders["quarantined"].pk),
    "algos": "admin:trading_algo_changelist",
    "algo-running": (
        "admin:trading_algo_change",
        lambda _day: Algo.objects.get(kind="twap", state="running").pk,
    ),
    "algo-halted": ("admin:trading_algo_change", lambda _day: Algo.objects.get(state="paused").pk),
    "algo-new": "admin:trading_algo_ticket",
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
    "portfolio": "admin:trading_equitysnapshot_portfolio",
    "limits-version": ("admin:trading_limitsversion_change", lambda day: day.limits.pk),
    "limits-change": "admin:trading_limitsversion_add",
    "reconciliation": "admin:trading_break_overview",
    "breaks": "admin:trading_break_changelist",
    "break": ("admin:trading_break_change", lambda day: Break.objects.first().pk),
    "daily-reports": "admin:trading_dailyreport_changelist",
    "daily-report": ("admin:trading_dailyreport_change", lambda day: trading_day()),
    "sync-runs": "admin:trading_syncrun_changelist",
    "audit": "admin:trading_auditentry_changelist",
    "audit-entry": ("admin:trading_auditentry_change", lambda day: AuditEntry.objects.first().pk),
    "exports": "admin:trading_exportjob_changelist",
    "accounts": "admin:trading_exchangeaccount_changelist",
    "account": ("admin:trading_exchangeaccount_change", lambda day: day.account.pk),
    "instruments": "admin:trading_instrument_changelist",
    "strategies": "admin:trading_strategy_changelist",
    "strategy": ("admin:trading_strategy_change", lambda day: day.strategy.pk),
    "instrument": ("admin:trading_instrument_change", lambda day: day.instruments["BTC/USDT"].pk),
    "account-new": "admin:trading_exchangeaccount_add",
    "alert-channels": "admin:trading_alertchannel_changelist",
    "alert-channel": ("admin:trading_alertchannel_change", lambda day: AlertChannel.objects.first().pk),
    "alert-channel-new": "admin:trading_alertchannel_add",
    "tokens": "admin:trading_apitoken_changelist",
    "token-new": "admin:trading_apitoken_add",
    "webhooks": "admin:trading_webhook_changelist",
    "webhook": ("admin:trading_webhook_change", lambda _day: Webhook.objects.first().pk),
    "webhook-new": "admin:trading_webhook_add",
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
    "approval": (
        "admin:trading_approvalrequest_change",
        lambda day: ApprovalRequest.objects.get(state="pending").pk,
    ),
    "invitations": "admin:trading_invitation_changelist",
    "invite": "admin:trading_invitation_add",
}
EVERY_LOOK = [("light", DESKTOP), ("dark", PHONE), ("dark", DESKTOP), ("light", PHONE)]
LOOKS = EVERY_LOOK if os.environ.get("LEVI_SHOTS") == "all" else EVERY_LOOK[:2]

LOOK_NAMES = [f"{theme}-{size[0]}" for theme, size in LOOKS]


def path_of(day, name: str) -> str:
    place = PLACES[name]
    return reverse(place) if isinstance(place, str) else reverse(place[0], args=[place[1](day)])


def test_no_place_of_the_navigation_is_left_out():
    visited = {reverse(place) for place in PLACES.values() if isinstance(place, str)}
    led_to = {str(item["link"]) for group in NAVIGATION for item in group["items"]}
    assert led_to - visited == set()


@pytest.fixture
def furnished(day, people):
    furnish(day, people)
    return day


@pytest.mark.parametrize(("theme", "size"), LOOKS, ids=LOOK_NAMES)
def test_every_page_fits_its_screen_and_can_be_used_by_everybody(furnished, people, visit, theme, size):
    problems = {}
    with visit(people["super"], theme=theme, size=size) as tab:
        for name in PLACES:
            tab.open(path_of(furnished, name))
            found = [f"{tab.overflow()} px too wide"] if tab.overflow() > 0 else []
            found += tab.violations()
            problems |= {name: found} if found else {}
            tab.shoot(f"{name}-{theme}-{size[0]}")
    assert problems == {}


def test_the_smallest_phone_holds_every_page_with_wide_text_too(furnished, people, visit):
    """Fonts differ between machines, and readers may spread their text: nothing may hang over by a pixel."""
    problems = {}
    with visit(people["super"], size=SMALL_PHONE) as tab:
        for name in PLACES:
            tab.open(path_of(furnished, name))
            problems |= {name: found} if (found := tab.stick_out()) else {}
            tab.spread_text()
            problems |= {f"{name}, spread": found} if (found := tab.stick_out()) else {}
    assert problems == {}


def test_the_navigation_shows_where_the_page_is_named_in_it(people, visit, transactional_db):
    with visit(people["super"], size=(1280, 500)) as tab:
        for name in ("alert-channels", "control-room"):
            tab.open(reverse(PLACES[name]))
            entry = tab.page.locator("#lv-nav [aria-current]")
            sync_api.expect(entry).to_be_in_viewport(ratio=1, timeout=PATIENCE_MS)


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


@pytest.mark.parametrize(("theme", "size"), LOOKS, ids=LOOK_NAMES)
def test_pages_that_cannot_be_shown_are_no_worse(day, people, visit, theme, size):
    """A browser writes a 403 or 404 into its console: the one complaint that belongs here."""
    unshown = {
        "no-such-page": path_of(day, "orders") + "nothing/here/",
        "no-right": path_of(day, "operators"),
    }
    with visit(people["viewer"], theme=theme, size=size, may_complain=True) as tab:
        for name, path in unshown.items():
            tab.open(path)
            tab.sees(".lv-instead-ways >> text=Back to the control room")
            assert tab.overflow() <= 0
            assert tab.violations() == []
            tab.shoot(f"{name}-{theme}-{size[0]}")


def test_the_sign_in_and_the_first_steps_are_pictured(people, visit, transactional_db):
    with visit() as stranger:
        stranger.open("/admin/login/")
        stranger.shoot("sign-in-light-1440")
    with visit(people["super"]) as tab:
        tab.open("/admin/")
        tab.sees("text=No signal has come in yet")
        assert not ExportJob.objects.exists()
        tab.shoot("first-steps-light-1440")
