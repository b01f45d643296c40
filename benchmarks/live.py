"""What a second browser sees, and when: a halt pressed in the first one, and a fill after the venue's answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import sync_playwright

from benchmarks.first_byte import seconds_of
from benchmarks.rows import Row, spread
from rig.instance import StackInstance, wait_until
from rig.panel_client import PanelClient
from tests.e2e.browser import FLAGS, find_chromium

HALTS, FILLS = 10, 20
GOALS = {95: "<= 1000 ms"}
ORDER_PATH = "/api/v3/order"
QUANTITY = "tr:has(a) td.field-quantity_cell"
LIVE = "#lv-link[data-state=live]"
# Notes the moment at which the page shows something else than `before` at that place.
WATCH = """([selector, before]) => {
  const say = () => { const part = document.querySelector(selector); return part ? part.textContent.trim() : ""; };
  window.leviSeen = new Promise((done) => {
    const look = () => { if (say() !== before) { watcher.disconnect(); done([Date.now(), say()]); } };
    const watcher = new MutationObserver(look);
    watcher.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
    look();
  });
}"""


def watch(page: Any, selector: str) -> None:
    before = page.locator(selector).first.inner_text().strip()
    page.evaluate(WATCH, [selector, before])


def seen_at(page: Any) -> float:
    """By the same clock as this process's: the browser runs on this machine."""
    return float(page.evaluate("window.leviSeen")[0]) / 1000


@contextmanager
def browsers(stack: StackInstance) -> Iterator[tuple[Any, Any]]:
    """Two browsers of two profiles, both signed in."""
    program = find_chromium()
    assert program is not None, "Chromium is not installed"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        pages = [browser.new_context().new_page() for _ in range(2)]
        for page in pages:
            page.goto(stack.url + "/admin/login/")
            page.fill("#id_username", stack.first_run["operator"])
            page.fill("#id_password", stack.first_run["password"])
            page.click("button[type=submit]")
            page.wait_for_selector("#lv-strip")
        yield pages[0], pages[1]
        browser.close()


def measure_halts(stack: StackInstance, client: PanelClient, pages: tuple[Any, Any]) -> list[float]:
    one, other = pages
    one.goto(stack.url + "/admin/")
    other.goto(stack.url + "/admin/trading/order/")
    spans = []
    for _ in range(HALTS):
        for page in pages:
            page.wait_for_selector(LIVE)
            page.wait_for_selector("#lv-strip .lv-state-active")
        watch(other, "#lv-strip .lv-state-word")
        pressed = time.time()
        one.click("button.lv-stop")
        spans.append(seen_at(other) - pressed)
        one.wait_for_selector("#lv-strip .lv-state-halted")
        client.release("benchmark")
    return spans


def measure_fills(stack: StackInstance, client: PanelClient, page: Any) -> list[float]:
    """From the order's arrival at the venue, whose answer is the fill, to the position's new quantity on the page."""
    client.post_signal(quantity="0.0004").raise_for_status()
    wait_until(lambda: not client.unfinished_orders() and client.position(), "a position is open")
    page.goto(stack.url + "/admin/trading/position/")
    page.wait_for_selector(LIVE)
    spans = []
    for _ in range(FILLS):
        watch(page, QUANTITY)
        mark = stack.venue.health()["requests"]
        client.post_signal(quantity="0.0002").raise_for_status()
        seen = seen_at(page)
        placed = stack.venue.requests(mark, method="POST", path=ORDER_PATH)
        spans.append(seen - seconds_of(placed[0]["at"]["wall"]))
        wait_until(lambda: not client.unfinished_orders(), "the order has ended")
    return spans


def measure(stack: StackInstance) -> list[Row]:
    stack.venue.set_price("BTCUSDT", "50000")
    with stack.client() as client, browsers(stack) as pages:
        fills = measure_fills(stack, client, pages[1])
        halts = measure_halts(stack, client, pages)
    return [
        *spread("halt, press to the other browser", halts, goals=GOALS),
        *spread("fill, venue to the browser", fills, goals=GOALS),
    ]
