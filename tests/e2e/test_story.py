"""A trader's and a risk person's first hour, in two browsers, on a real simulated venue."""

from __future__ import annotations

import contextlib

from playwright.sync_api import Error as PlaywrightError

from trading.execution.dispatch import dispatch_order
from trading.execution.following import follow_order
from trading.execution.sweep import run_sweep
from trading.models import ControlEpoch, HaltState, Order, Sweep

TICKET = "/admin/trading/order/new/"


def fill_in(tab, **given: str) -> None:
    for name, value in given.items():
        tab.page.fill(f"[name={name}]", value)


def test_check_place_fill_stop_sweep_and_release(live_world, people, visit):
    with visit(people["trader"]) as trader, visit(people["risk"]) as risk:
        trader.open(TICKET)
        fill_in(trader, symbol="BTC/USDT", quantity="0.0100009", price="50500")
        trader.page.click("button:has-text('Check')")
        trader.sees("#verdict >> text=Would be sent")
        trader.sees("#verdict >> text=rounded from 0.0100009")
        trader.shoot("story-1-checked")

        trader.page.check("[name=confirmed]")
        trader.page.click("button:has-text('Place: BUY 0.01 BTC/USDT')")
        trader.page.wait_for_url("**/change/")
        order = Order.objects.get()
        dispatch_order(order.id)
        follow_order(order.id)
        trader.page.reload()
        trader.sees(".lv-head >> text=filled")
        trader.shoot("story-2-filled")

        resting = live_world.rest()
        trader.page.click("button.lv-stop")
        trader.sees("#lv-strip >> text=HALTED")
        risk.open("/admin/trading/haltstate/")
        risk.sees("#lv-strip >> text=1 open")
        run_sweep(Sweep.objects.get().id)
        resting.refresh_from_db()
        assert resting.status == "canceled"
        risk.page.reload()
        risk.sees("text=CLEAN: proven empty")
        risk.shoot("story-3-halted-and-swept")

        assert not trader.page.locator("button:has-text('Release')").count()
        risk.page.fill("#release-reason", "books agree, cause found")
        risk.page.click("button:has-text('Release everything')")
        risk.sees("#lv-strip >> text=ACTIVE")
        assert HaltState.objects.get(scope="everything").state == "active"
        assert ControlEpoch.objects.get().epoch > order.approved_epoch


def test_a_double_click_on_place_sends_once(live_world, people, visit):
    with visit(people["trader"]) as tab:
        tab.open(TICKET)
        fill_in(tab, symbol="BTC/USDT", quantity="0.01", price="49000")
        tab.page.click("button:has-text('Check')")
        tab.page.check("[name=confirmed]")
        tab.page.dblclick("button:has-text('Place:')")
        tab.page.wait_for_url("**/change/")
        assert Order.objects.count() == 1


def test_a_denial_is_explained_before_anything_is_sent(live_world, people, visit):
    live_world.change_limits(max_order_notional="100")
    with visit(people["trader"]) as tab:
        tab.open(TICKET)
        fill_in(tab, symbol="BTC/USDT", quantity="0.5", price="50000")
        tab.page.click("button:has-text('Check')")
        tab.sees("#verdict >> text=Would be denied")
        tab.sees("text=The order is worth more than one order may be.")
        assert tab.page.locator("button:has-text('Place:')").count() == 0
        tab.shoot("story-4-denied")
    assert not Order.objects.exists()
    assert live_world.placements() == []


def test_the_ticket_is_checked_while_typing_and_nothing_is_written(live_world, people, visit):
    with visit(people["trader"]) as tab:
        tab.open(TICKET)
        fill_in(tab, symbol="BTC/USDT", price="49000", quantity="")
        tab.page.locator("[name=quantity]").press_sequentially("0.0200009")
        tab.sees("#lv-answer >> text=rounded from 0.0200009")
        tab.sees("#lv-answer >> text=Would be sent")
        tab.page.fill("[name=quantity]", "9000")
        tab.sees("#lv-answer >> text=Would be denied")
    assert not Order.objects.exists() and live_world.placements() == []


def test_the_back_button_after_placing_sends_nothing_again(live_world, people, visit):
    with visit(people["trader"]) as tab:
        tab.open(TICKET)
        fill_in(tab, symbol="BTC/USDT", quantity="0.01", price="49000")
        tab.page.click("button:has-text('Check')")
        tab.page.check("[name=confirmed]")
        tab.page.click("button:has-text('Place:')")
        tab.page.wait_for_url("**/change/")
        with contextlib.suppress(PlaywrightError):  # most browsers ask before they send a form again
            tab.page.go_back()
        if tab.page.locator("button:has-text('Place:')").count():
            tab.page.check("[name=confirmed]")
            tab.page.click("button:has-text('Place:')")
            tab.page.wait_for_url("**/change/")
    assert Order.objects.count() == 1
