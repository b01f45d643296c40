"""The dry run while typing, when the page's script comes late and when the server does not answer as hoped."""

from __future__ import annotations

from functools import partial

from tests.e2e.conftest import PATIENCE_MS, sync_api
from trading.models import Order

expect = sync_api.expect
TICKET = "/admin/trading/order/new/"
SCRIPT = "**/trading/ticket*.js"
CHECK = f"**{TICKET}"


def test_what_was_typed_before_the_script_came_is_checked_when_it_comes(live_world, people, visit):
    held = []
    with visit(people["trader"]) as tab:
        tab.page.route(SCRIPT, lambda route: held.append(route))
        tab.page.goto(tab.base + TICKET, wait_until="commit")
        for name, value in {"symbol": "BTC/USDT", "quantity": "0.01", "price": "50500"}.items():
            tab.page.fill(f"[name={name}]", value)
        assert tab.page.locator("#verdict").count() == 0
        while not held:
            tab.page.wait_for_timeout(20)  # lets the browser's requests come in
        held.pop().continue_()
        tab.sees("#verdict >> text=Would be sent")
        assert not Order.objects.exists()


def test_a_ticket_that_nobody_touched_asks_nothing(live_world, people, visit):
    with visit(people["trader"]) as tab:
        asked = []
        tab.page.on("request", lambda request: asked.append(request.method))
        tab.page.clock.install()
        tab.open(f"{TICKET}?symbol=BTC/USDT&quantity=0.01&price=50500")
        tab.page.clock.run_for(5_000)
        assert "POST" not in asked
        tab.page.fill("[name=price]", "50501")
        tab.page.clock.run_for(5_000)
        tab.sees("#verdict >> text=Would be sent")
        assert "POST" in asked


def answer_with(status: int, route) -> None:
    route.fulfill(status=status)


def test_a_check_that_fails_says_so_and_the_next_key_checks_again(live_world, people, visit):
    with visit(people["trader"], may_complain=True) as tab:
        tab.open(TICKET)
        for status, price in ((500, "50500"), (409, "50501")):
            tab.page.route(CHECK, partial(answer_with, status))
            for name, value in {"symbol": "BTC/USDT", "quantity": "0.01", "price": price}.items():
                tab.page.fill(f"[name={name}]", value)
            tab.sees(f"#lv-answer >> text=The check failed ({status})")
            tab.page.unroute(CHECK)
        tab.page.fill("[name=price]", "50502")
        tab.sees("#verdict >> text=Would be sent")
        expect(tab.page.locator("#lv-answer")).not_to_have_attribute("aria-busy", "true", timeout=PATIENCE_MS)


def test_who_was_signed_out_meanwhile_is_told(live_world, people, visit, settings):
    with visit(people["trader"], may_complain=True) as tab:
        tab.open(TICKET)
        tab.page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
        for name, value in {"symbol": "BTC/USDT", "quantity": "0.01"}.items():
            tab.page.fill(f"[name={name}]", value)
        tab.sees("#lv-answer >> text=Load the page again")
