"""What is seen as it happens: the panel and the event stream as they are served, in two browsers.

The server is granian with the product's own ASGI application on the test database; hints travel through the real Redis.
"""

from __future__ import annotations

from django.db import connection

from trading.domain.actors import Actor, ActorKind
from trading.execution.cancellation import request_cancel
from trading.execution.dispatch import dispatch_order
from trading.execution.following import follow_order
from trading.execution.halts import engage
from trading.models import Position

ANNA = Actor(ActorKind.OPERATOR, "anna", "req")
# The goal is one second; a busy machine gets more before a test calls it broken.
PATIENCE_MS = 60_000


def wait_for(tab, selector: str) -> None:
    tab.page.wait_for_selector(selector, timeout=PATIENCE_MS)


def test_a_halt_in_one_browser_is_seen_in_another(live_world, people, visit, served):
    with visit(people["trader"], base=served) as one, visit(people["risk"], base=served) as other:
        one.open("/admin/trading/order/")
        other.open("/admin/trading/fill/")
        wait_for(other, "#lv-link[data-state=live]")
        one.page.click("button.lv-stop")
        wait_for(other, "#lv-strip .lv-state-halted")
        assert "trader-person" in other.page.inner_text("#lv-strip")


def test_a_fill_arrives_while_the_orders_page_is_open(live_world, people, visit, served):
    order = live_world.approve("0.01")
    with visit(people["trader"], base=served) as tab:
        tab.open(f"/admin/trading/order/{order.pk}/change/")
        wait_for(tab, "#lv-link[data-state=live]")
        dispatch_order(order.pk)
        assert follow_order(order.pk)
        wait_for(tab, ".lv-head >> text=filled")
        assert "Nothing is filled." not in tab.page.inner_text("main")


def fill_once(live_world) -> None:
    order = live_world.approve("0.01")
    dispatch_order(order.pk)
    assert follow_order(order.pk)


def test_a_position_follows_its_fills_and_keeps_the_picture_that_is_drawn(live_world, people, visit, served):
    fill_once(live_world)
    dots = "Chart.getChart(document.querySelector('#chart-price canvas[data-mine]')).data.datasets[1].data"
    with visit(people["viewer"], base=served) as tab:
        tab.open(f"/admin/trading/position/{Position.objects.get().pk}/change/")
        wait_for(tab, "#lv-link[data-state=live]")
        tab.page.eval_on_selector("#chart-price canvas", "canvas => { canvas.dataset.mine = '1'; }")
        fill_once(live_world)
        wait_for(tab, "#detail-main >> text=0.02 BTC")
        tab.page.wait_for_function(f"{dots}.filter(dot => dot.y !== null).length === 2", timeout=PATIENCE_MS)


def test_new_rows_wait_behind_a_button_and_old_ones_are_mended_in_place(live_world, people, visit, served):
    first = live_world.rest("49000")
    with visit(people["trader"], base=served) as tab:
        tab.open("/admin/trading/order/")
        wait_for(tab, "#lv-link[data-state=live]")
        row = f"tr[data-key='{first.pk}']"
        second = live_world.rest("48000")
        wait_for(tab, "#lv-news:not([hidden])")
        assert tab.page.locator("#result_list tbody tr").count() == 1, "nothing jumps under a finger"
        tab.page.click("#lv-news button")
        assert tab.page.locator("#result_list tbody tr").count() == 2
        live_world.venue.set_price("BTCUSDT", "47000")
        assert follow_order(first.pk) is not None
        wait_for(tab, f"{row} >> text=filled")
        assert tab.page.locator(f"tr[data-key='{second.pk}']").is_visible()


def test_chosen_orders_stay_chosen_while_their_rows_are_mended(live_world, people, visit, served):
    order, other = live_world.rest("49000"), live_world.rest("48000")
    with visit(people["trader"], base=served) as tab:
        tab.open("/admin/trading/order/")
        wait_for(tab, "#lv-link[data-state=live]")
        tab.page.check(f"input[name=chosen][value='{order.pk}']")
        request_cancel(order.pk, actor=ANNA)
        row = f"tr[data-key='{order.pk}']"
        wait_for(tab, f"{row} >> text=cancel requested")
        assert tab.page.is_checked(f"{row} input[name=chosen]")
        tab.page.check(f"input[name=chosen][value='{other.pk}']")
        tab.page.click("#lv-pick button")
        wait_for(tab, "text=Cancel requested for 2 orders")
        assert tab.violations() == []
        tab.page.set_viewport_size({"width": 360, "height": 640})
        assert tab.stick_out() == []


def test_a_page_that_lost_the_server_says_so(day, people, visit, served):
    with visit(people["viewer"], base=served, may_complain=True) as tab:
        tab.open("/admin/")
        wait_for(tab, "#lv-link[data-state=live]")
        tab.cut_off(True)
        wait_for(tab, "#lv-link[data-state=lost]")
        assert "No contact" in tab.page.inner_text("#lv-link")
        tab.cut_off(False)
        wait_for(tab, "#lv-link[data-state=live]")


def test_a_halt_by_the_engine_reaches_a_phone_without_a_touch(day, people, visit, served):
    with visit(people["viewer"], base=served, size=(390, 844)) as tab:
        tab.open("/admin/")
        wait_for(tab, "#lv-link[data-state=live]")
        engage("everything", "", reason="loss of the day", actor=ANNA)
        wait_for(tab, "#lv-strip .lv-state-halted")


def test_what_happened_before_the_page_listened_is_seen_too(live_world, people, visit, served):
    order = live_world.rest("49000")

    def cancel_first(route) -> None:
        request_cancel(order.pk, actor=ANNA)
        connection.close()  # the browser's driver calls back in a context of its own
        route.continue_()

    with visit(people["trader"], base=served) as tab:
        tab.page.add_init_script("window.setInterval = () => 0")  # it never looks by itself
        tab.page.route("**/api/v1/stream*", cancel_first)
        tab.open(f"/admin/trading/order/{order.pk}/change/")
        wait_for(tab, ".lv-head >> text=cancel requested")
