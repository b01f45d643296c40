"""What a page does with what it reads anew: scripted interleavings of answers, presses and typing, without a timer.

The page looks when the test says so, and what it asks for can be held back, answered with anything, and let go.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.admin.trading_day import ANNA, halt
from tests.e2e.conftest import PATIENCE_MS, SMALL_PHONE, Visit, sync_api
from tests.execution.algos.walking import run_slice, start
from tests.worlds import World
from trading.domain.enums import Severity
from trading.execution.algos import pause_algo
from trading.execution.following import follow_order
from trading.models import Algo, Order
from trading.notify import notify

expect = sync_api.expect
# No event stream and no timer of the page's own: `ticks` holds what would run every second, `streams` counts.
QUIET = """window.ticks = []; window.streams = 0;
window.setInterval = (tick) => ticks.push(tick);
window.EventSource = class {
  constructor() { streams += 1; this.readyState = window.refused ? 2 : 1; }
  addEventListener() {}
  close() {}
};"""
ORDERS = "/admin/trading/order/"
STALE = "document.body.classList.contains('lv-stale')"


def is_reading(request: Any) -> bool:
    return "x-levi-fragment" in request.headers


@contextmanager
def answering(tab: Visit, **answer: Any) -> Iterator[None]:
    """Whatever the page reads is answered with this."""

    def fulfil(route: Any) -> None:
        if is_reading(route.request):
            route.fulfill(**answer)
        else:
            route.fallback()

    tab.page.route("**/admin/**", fulfil)
    yield
    tab.page.unroute("**/admin/**", fulfil)


@contextmanager
def held_back(tab: Visit) -> Iterator[None]:
    """The page asks at the beginning and is answered at the end."""
    held: list[Any] = []
    tab.page.route(
        "**/admin/**", lambda route: held.append(route) if is_reading(route.request) else route.fallback()
    )
    with tab.page.expect_request(is_reading):
        ask(tab)
    yield
    with tab.page.expect_event("requestfinished", is_reading):
        while not held:
            tab.page.evaluate("0")  # the driver hands over what it has
        held.pop().continue_()
    tab.page.unroute("**/admin/**")


def look(tab: Visit) -> None:
    """Until the answer is there; what the page does with it is to be waited for."""
    with tab.page.expect_response(lambda answer: is_reading(answer.request)):
        ask(tab)


def ask(tab: Visit) -> None:
    tab.page.evaluate("dispatchEvent(new Event('online'))")


def open_quietly(tab: Visit, path: str) -> None:
    tab.page.add_init_script(QUIET)
    tab.open(path)
    tab.sees("#lv-strip")


def fill_at(world: World, price: str, order: Order) -> None:
    world.venue.set_price("BTCUSDT", price)
    assert follow_order(order.pk)


def page_of(algo: Algo) -> str:
    return f"/admin/trading/algo/{algo.pk}/change/"


def test_a_button_under_a_finger_stays_until_the_finger_is_up(live_world, people, visit):
    algo = start()
    with visit(people["trader"]) as tab:
        open_quietly(tab, page_of(algo))
        pause = tab.page.locator('.lv-algo-acts button:has-text("Pause")')
        with held_back(tab):
            pause_algo(algo.pk, actor=ANNA)
            pause.hover()
            tab.page.mouse.down()
        tab.page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
        assert pause.count() == 1, "what the finger is on is still there, and still pauses"
        tab.page.mouse.up()
        tab.sees(".lv-messages")
        assert Algo.objects.get().state == "paused"


def test_a_release_that_nobody_heard_of_does_not_stop_a_page_for_good(day, people, visit):
    with visit(people["viewer"]) as tab:
        tab.page.clock.install()
        open_quietly(tab, ORDERS)
        tab.page.evaluate("document.body.dispatchEvent(new PointerEvent('pointerdown', {bubbles: true}))")
        halt(reason="seen late")
        tab.page.clock.fast_forward(11_000)
        look(tab)
        tab.sees("#lv-strip >> text=HALTED")


def test_typed_text_focus_and_scrolled_tables_stay_while_numbers_move(live_world, people, visit):
    algo = start()
    sideways = "document.querySelector('#detail-main .lv-scroll:has(td)')"
    with visit(people["trader"], size=SMALL_PHONE) as tab:
        open_quietly(tab, page_of(algo))
        run_slice(algo)
        look(tab)
        expect(tab.page.locator(".lv-algo-percent")).to_have_text("25 %", timeout=PATIENCE_MS)
        tab.page.evaluate(f"{sideways}.scrollLeft = 20")
        tab.page.fill("#algo-reason", "news at noon")
        tab.page.keyboard.press("Tab")
        pause_algo(algo.pk, reason="lunch", actor=ANNA)
        look(tab)
        tab.sees(".lv-algo-now >> text=lunch")
        assert tab.page.input_value("#algo-reason") == "news at noon"
        assert tab.page.evaluate(f"{sideways}.scrollLeft") == 20
        focus = tab.page.evaluate("document.activeElement.id || document.activeElement.textContent")
        assert focus == "detail-main", "Pause is gone: the keyboard goes on from there, and presses no Resume"
        tab.page.click('.lv-algo-acts button:has-text("Cancel the rest")')
        tab.sees("#content >> text=news at noon")


def test_a_list_grows_and_shrinks_with_everything_that_belongs_to_it(live_world, people, visit):
    with visit(people["trader"]) as tab:
        open_quietly(tab, ORDERS + "?status=open")
        tab.sees("text=Nothing matches.")
        first = live_world.rest("49000")
        look(tab)
        tab.has_rows(1)
        tab.page.check(f"[name=chosen][value='{first.pk}']")
        second = live_world.rest("48000")
        look(tab)
        tab.sees("#lv-news >> text=1 new: show")
        tab.page.click("#lv-news button")
        tab.has_rows(2)
        assert tab.page.is_checked(f"[name=chosen][value='{first.pk}']"), "still chosen"
        assert tab.page.locator("#lv-pick button").is_visible()
        fill_at(live_world, "48500", first)
        look(tab)
        tab.sees("#lv-news >> text=1 gone: show")
        tab.sees(f"tr.lv-gone[data-key='{first.pk}']")
        fill_at(live_world, "47500", second)
        look(tab)
        tab.sees("#lv-news >> text=2 gone: show")
        tab.page.click("#lv-news button")
        tab.sees("text=Nothing matches.")


@pytest.mark.parametrize("path", ["/admin/", "/admin/password_change/"], ids=["regions", "strip-only"])
def test_what_comes_instead_of_the_page_is_said_with_a_way_on(day, people, visit, path):
    with visit(people["viewer"], may_complain=True) as tab:
        tab.page.clock.install()
        open_quietly(tab, path)
        look(tab)
        tab.sees("#lv-link[data-state=live]")
        for status, words in ((403, "Not allowed: reload"), (404, "Gone: reload")):
            with answering(tab, status=status):
                look(tab)
                tab.sees(f"#lv-link a >> text={words}")
                assert tab.page.evaluate(STALE)
        look(tab)
        tab.sees("#lv-link[data-state=live]")
        for answer, words in (
            ({"status": 500}, "Error 500"),
            ({"body": "<p>Wi-Fi</p>"}, "Another page came"),
        ):
            with answering(tab, **answer):
                look(tab)
                tab.page.clock.fast_forward(8_000)
                look(tab)
                tab.sees(f"#lv-link[data-state=lost] >> text={words}")
        tab.page.context.clear_cookies()
        look(tab)
        tab.sees("#lv-link a >> text=Sign in again").click()
        tab.sees("#id_username")


def test_a_stream_is_opened_only_while_somebody_looks_and_not_every_second(day, people, visit):
    hidden = (
        "window.away = true; Object.defineProperty(Document.prototype, 'hidden', {get: () => window.away});"
    )
    with visit(people["viewer"]) as tab:
        tab.page.clock.install()
        tab.page.add_init_script(hidden + "window.refused = true;")
        open_quietly(tab, ORDERS)
        tick, count = "ticks.forEach(tick => tick())", "streams"
        tab.page.evaluate(tick)
        assert tab.page.evaluate(count) == 0, (
            "a tab in the background takes none of the browser's few connections"
        )
        tab.page.evaluate("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
        tab.page.evaluate(tick)
        assert tab.page.evaluate(count) == 1, "one that is refused is not asked for again at once"
        tab.page.clock.fast_forward(6_000)
        tab.page.evaluate(tick)
        assert tab.page.evaluate(count) == 2
        tab.page.evaluate("window.refused = false")
        tab.page.clock.fast_forward(60_000)
        tab.page.evaluate(tick)
        opened = tab.page.evaluate(count)
        tab.page.clock.fast_forward(60_000)
        tab.page.evaluate(tick)
        assert tab.page.evaluate(count) == opened + 1, "one that slept is opened anew"


def test_the_kill_switch_offers_what_fits_the_state_and_takes_no_words_away(day, people, visit):
    with visit(people["risk"]) as tab:
        open_quietly(tab, "/admin/trading/haltstate/")
        release = tab.page.locator("button:has-text('Release everything')")
        expect(tab.page.locator("button:has-text('Reduce only')").first).to_be_visible(timeout=PATIENCE_MS)
        halt(reason="found by the engine")
        look(tab)
        expect(release).to_be_visible(timeout=PATIENCE_MS)
        tab.page.fill("#release-reason", "cause found")
        tab.page.locator("#release-reason").blur()
        halt(reason="and another one")
        look(tab)
        tab.sees("#root-state >> text=and another one")
        assert tab.page.input_value("#release-reason") == "cause found"
        halt(state="active")
        look(tab)
        tab.sees("#root-state >> text=ACTIVE")
        assert release.is_visible(), "a form that holds words is not taken away; what it asks is judged anew"


def test_an_alert_shows_up_where_alerts_are_acknowledged(day, people, visit):
    with visit(people["risk"]) as tab:
        open_quietly(tab, "/admin/trading/alert/")
        notify("halt.engaged", Severity.CRITICAL, "Everything is halted", "Unexpected loss.")
        look(tab)
        tab.sees("#alerts-open >> text=Everything is halted")
