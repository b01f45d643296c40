"""Risk limits in a real browser: looked at, changed for one scope after a review, and on the smallest phone."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.e2e.conftest import DESKTOP, SMALL_PHONE
from trading.execution.triggers import watch_triggers
from trading.models import LimitsVersion


@pytest.mark.parametrize(
    ("theme", "size"), [("light", SMALL_PHONE), ("dark", DESKTOP)], ids=["phone", "dark"]
)
def test_an_operator_limits_one_symbol_after_a_review_and_sees_it_in_use(day, people, visit, theme, size):
    watch_triggers()
    with visit(people["risk"], theme=theme, size=size) as tab:
        tab.open(reverse("admin:trading_limitsversion_changelist"))
        page = tab.page
        assert tab.overflow() <= 0
        tab.shoot(f"limits-now-{theme}-{size[0]}")
        page.select_option("#scope_choice", "instrument|BTC/USDT")
        page.click("text=Open the form")
        page.fill("#id_max_open_orders", "4")
        page.fill("#id_expires_at", "2099-01-01T12:00")
        page.fill("#id_reason", "thin book")
        page.click("text=Review the change")
        tab.sees("#diff >> text=An override ends within 31 days.")
        page.fill("#id_expires_at", "")
        page.click("text=Review again")
        tab.sees("#diff >> text=It only tightens.")
        assert not LimitsVersion.objects.filter(scope="instrument").exists()
        assert tab.overflow() <= 0
        tab.shoot(f"limits-review-{theme}-{size[0]}")
        page.click("text=Save as new version")
        page.wait_for_url("**/limitsversion/*/change/")
        row = LimitsVersion.objects.get(scope="instrument")
        assert (row.target, row.max_open_orders, row.max_price_age_seconds) == ("BTC/USDT", 4, None)
        tab.open(reverse("admin:trading_limitsversion_changelist"))
        for words in ("instrument BTC/USDT", "In use now", "daily loss"):
            tab.sees(f"main >> text={words}")
        assert tab.overflow() <= 0
        tab.shoot(f"limits-scoped-{theme}-{size[0]}")
