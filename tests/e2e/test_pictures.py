"""Pictures of the main pages, both themes, desktop and phone, under var/shots/. Nothing is wider than its screen."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.admin.trading_day import halt
from tests.e2e.conftest import DESKTOP, PHONE
from trading.domain.enums import Severity
from trading.models import Flattening, Position, Sweep
from trading.notify import notify

PLACES = {
    "control-room": ("index", None),
    "kill-switch": ("trading_haltstate_changelist", None),
    "ticket": ("trading_order_ticket", None),
    "orders": ("trading_order_changelist", None),
    "order-filled": ("trading_order_change", "filled"),
    "order-denied": ("trading_order_change", "denied"),
    "positions": ("trading_position_changelist", None),
    "position": ("trading_position_change", "position"),
    "alerts": ("trading_alert_changelist", None),
    "limits": ("trading_limitsversion_changelist", None),
    "account": ("trading_exchangeaccount_change", "account"),
    "audit": ("trading_auditentry_changelist", None),
}
LOOKS = [("light", DESKTOP), ("dark", DESKTOP), ("light", PHONE), ("dark", PHONE)]


def path_of(day, name: str) -> str:
    route, row = PLACES[name]
    held = Position.objects.exclude(quantity=0).first()
    rows = {**day.orders, "account": day.account, "position": held}
    return reverse(f"admin:{route}", args=[rows[row].pk] if row else [])


@pytest.mark.parametrize(("theme", "size"), LOOKS, ids=[f"{theme}-{size[0]}" for theme, size in LOOKS])
def test_pages_fit_their_screen_and_are_pictured(day, people, visit, theme, size):
    with visit(people["super"], theme=theme, size=size) as tab:
        for name in PLACES:
            tab.open(path_of(day, name))
            assert tab.overflow() <= 0, f"{name} is wider than {size[0]} px"
            tab.shoot(f"{name}-{theme}-{size[0]}")


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
            assert tab.page.locator("#lv-strip >> text=HALTED").is_visible()
            assert tab.overflow() <= 0
            tab.shoot(f"halted-{name}-{theme}-{size[0]}")


def test_the_sign_in_and_the_first_steps_are_pictured(people, visit, transactional_db):
    with visit() as stranger:
        stranger.open("/admin/login/")
        stranger.shoot("sign-in-light-1440")
    with visit(people["super"]) as tab:
        tab.open("/admin/")
        assert "No signal has come in yet" in tab.page.inner_text("body")
        tab.shoot("first-steps-light-1440")
