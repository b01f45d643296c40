"""What is said of a form that was sent and not answered, and of one that came after its sign-in had ended."""

from __future__ import annotations

from django.conf import settings

from tests.e2e.conftest import PATIENCE_MS, SMALL_PHONE, Visit, sync_api
from trading.models import HaltState

expect = sync_api.expect
KILL_SWITCH = "/admin/trading/haltstate/"


# What is sent goes nowhere while `cut` is true, as into a network that swallows it.
SWALLOW = """window.cut = true; window.sent = 0;
window.addEventListener("submit", (event) => {
  if (!event.defaultPrevented) sent += 1;
  if (cut) event.preventDefault();
});"""


def open_cut_off(tab: Visit) -> None:
    tab.page.clock.install()
    tab.page.add_init_script(SWALLOW)
    tab.open(KILL_SWITCH)


def test_a_form_that_nobody_answers_says_what_is_known_and_is_not_sent_again(day, people, visit):
    with visit(people["risk"]) as tab:
        open_cut_off(tab)
        button = tab.page.locator("button:has-text('Cancel all our open orders')")
        button.click()
        expect(button).to_be_disabled(timeout=PATIENCE_MS)
        tab.page.clock.fast_forward(16_000)
        tab.sees("#lv-late >> text=It may have been done all the same")
        assert tab.violations() == []
        tab.page.evaluate("document.querySelector('form[data-sent]').requestSubmit()")
        assert tab.page.evaluate("sent") == 1


def test_a_stop_that_nobody_answers_says_so_and_can_be_pressed_again(day, people, visit):
    with visit(people["trader"], size=SMALL_PHONE) as tab:
        open_cut_off(tab)
        tab.page.click("button.lv-stop")
        tab.page.clock.fast_forward(6_000)
        tab.sees("#lv-late >> text=Press it again")
        assert tab.stick_out() == [] and HaltState.objects.get(scope="everything").state == "active"
        tab.page.evaluate("window.cut = false")
        tab.page.click("button.lv-stop")
        tab.sees("#lv-strip >> text=HALTED")
        assert HaltState.objects.get(scope="everything").state == "halted"


def test_stop_after_the_sign_in_ended_says_that_nothing_is_stopped(day, people, visit):
    # The event stream that is refused meanwhile stands in the browser's console.
    with visit(people["trader"], may_complain=True) as tab:
        tab.open(KILL_SWITCH)
        tab.page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
        tab.page.click("button.lv-stop")
        tab.sees("text=NOT STOPPED: your sign-in had ended")
        assert tab.page.url.endswith("next=%2Fadmin%2Ftrading%2Fhaltstate%2F")
        assert tab.violations() == []
    assert HaltState.objects.get(scope="everything").state == "active"
