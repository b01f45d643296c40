"""What only a browser can tell: the sign-in under the content security policy, STOP without a script, small screens."""

from __future__ import annotations

import pytest

from tests.admin.trading_day import PASSWORD, make_people
from tests.e2e.conftest import PHONE, SMALL_PHONE
from trading.models import HaltChange, HaltState


def state() -> str:
    return HaltState.objects.get(scope="everything").state


def test_signing_in_works_under_the_content_security_policy(day, visit):
    make_people(PASSWORD)
    with visit() as tab:
        tab.sign_in_by_hand("trader-person")
        tab.sees("text=Exposure against its limits")


@pytest.mark.parametrize("path", ["/admin/", "/admin/trading/order/", "/admin/password_change/"])
def test_the_stop_button_is_in_sight_on_the_smallest_phone(day, people, visit, path):
    with visit(people["trader"], size=SMALL_PHONE) as tab:
        tab.open(path)
        box = tab.page.locator("button.lv-stop").bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= SMALL_PHONE[1] / 3
        assert box["x"] >= 0 and box["x"] + box["width"] <= SMALL_PHONE[0]
        assert box["height"] >= 40, "large enough for a thumb"


def test_the_strip_stays_in_sight_while_scrolling(day, people, visit):
    with visit(people["trader"], size=PHONE) as tab:
        tab.open("/admin/")
        tab.page.evaluate("window.scrollTo(0, 900)")
        assert tab.page.locator("button.lv-stop").bounding_box()["y"] < 60


def test_stop_is_one_press_without_javascript(day, people, visit):
    with visit(people["trader"], size=SMALL_PHONE, scripts=False) as tab:
        tab.open("/admin/trading/order/")
        tab.page.click("button.lv-stop")
        tab.sees("#lv-strip >> text=HALTED")
        tab.sees("text=the gate is closed in every process")
        assert state() == "halted"


def test_a_quick_reason_works_without_javascript(day, people, visit):
    with visit(people["risk"], scripts=False) as tab:
        tab.open("/admin/")
        tab.page.click(".lv-reasons summary")
        tab.page.click("button:has-text('Wrong prices')")
        tab.sees("#lv-strip >> text=HALTED")
        assert state() == "halted" and HaltChange.objects.first().reason == "Wrong prices"


def test_every_page_can_be_read_without_javascript(day, people, visit):
    with visit(people["viewer"], scripts=False) as tab:
        for path in ("/admin/", "/admin/trading/haltstate/", "/admin/trading/order/", "/admin/trading/fill/"):
            tab.open(path)
            tab.sees("#content")
            assert not tab.page.locator("#modal-overlay").is_visible(), path


def test_ages_keep_running_so_that_an_old_page_looks_old(day, people, visit):
    with visit(people["viewer"]) as tab:
        tab.page.clock.install()
        tab.open("/admin/")
        tab.sees(".lv-vital time.lv-ago >> text=/s ago$/")
        tab.page.clock.fast_forward(180_000)
        tab.page.clock.run_for(2_000)
        tab.sees(".lv-vital time.lv-ago >> text=/^3 min ago$/")


def test_the_keyboard_reaches_stop_early(day, people, visit):
    with visit(people["trader"]) as tab:
        tab.open("/admin/")
        tab.page.locator("button.lv-stop").focus()
        assert tab.page.evaluate("document.activeElement.textContent") == "STOP"
        tab.page.keyboard.press("Enter")
        tab.sees("#lv-strip >> text=HALTED")
        assert state() == "halted"


def test_filters_and_search_work(day, people, visit):
    order = day.orders["filled"]
    with visit(people["viewer"]) as tab:
        tab.open("/admin/trading/order/")
        tab.page.click(".lv-filter summary:has-text('Status')")
        tab.page.click(".lv-filter a:has-text('in doubt')")
        tab.has_rows(1)
        tab.open(f"/admin/trading/order/?q={order.client_order_id}")
        tab.page.click("#result_list a[href*='/change/']")
        tab.sees("h1 >> text=BUY BTC/USDT")
