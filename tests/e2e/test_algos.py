"""An algo from its ticket to its end in a browser: planned while typing, followed live, paused, resumed, canceled."""

from __future__ import annotations

from tests.e2e.conftest import PATIENCE_MS, PHONE, SMALL_PHONE, sync_api
from tests.execution.algos.walking import pass_seconds, run_slice, step
from trading.models import Algo

expect = sync_api.expect
LAST_ACHIEVED = """() => {
  const chart = Chart.getChart(document.querySelector("#chart-schedule canvas[data-mine]"));
  const line = chart && chart.data.datasets.find((set) => set.label === "Achieved");
  return line ? Math.max(...line.data.map((point) => point.y || 0)) : -1;
}"""


def fill_in(tab, **given: str) -> None:
    for name, value in given.items():
        tab.page.fill(f"[name={name}]", value)


def press(tab, words: str) -> None:
    tab.sees(f'.lv-algo-acts button:has-text("{words}")').click()


def reaches(tab, words: str) -> None:
    expect(tab.page.locator(".lv-algo-percent")).to_have_text(words, timeout=PATIENCE_MS)


def test_a_twap_is_planned_started_followed_paused_resumed_and_canceled(live_world, people, visit, served):
    with visit(people["trader"], base=served) as tab:
        tab.open("/admin/trading/algo/")
        tab.sees("text=New algo").click()
        fill_in(tab, symbol="BTC/USDT", quantity="0.04", duration="20", slices="4")
        tab.sees("#verdict >> text=Would be started")
        tab.sees("#verdict >> text=4 children over 20 min")
        tab.sees("#chart-plan canvas")
        tab.shoot("algo-checked-light-1440")
        assert not Algo.objects.exists(), "a plan that is looked at is no start"
        tab.page.check("#verdict [name=confirmed]")
        tab.page.click("#verdict button[value=start]")
        tab.sees(".lv-algo-now")
        tab.sees("#lv-link[data-state=live]")
        reaches(tab, "0 %")
        algo = Algo.objects.get()

        tab.page.eval_on_selector("#chart-schedule canvas", "canvas => { canvas.dataset.mine = '1'; }")
        for words, quantity in (("25 %", 0.01), ("50 %", 0.02)):
            run_slice(algo)
            reaches(tab, words)
            tab.page.wait_for_function(f"({LAST_ACHIEVED})() === {quantity}", timeout=PATIENCE_MS)
            pass_seconds(algo, 300)
        assert tab.violations() == []

        tab.page.fill("#algo-reason", "news at noon")
        press(tab, "Pause")
        tab.sees(".lv-algo-now >> text=news at noon")
        press(tab, "Resume")
        tab.sees('.lv-algo-acts button:has-text("Pause")')
        press(tab, "Cancel the rest")
        tab.sees('#page-head .lv-badge:has-text("canceling")')
        step(algo)
        tab.sees('#page-head .lv-badge:has-text("canceled")')
        tab.sees("text=A new algo for the rest, 0.02")
        tab.page.set_viewport_size({"width": SMALL_PHONE[0], "height": SMALL_PHONE[1]})
        assert tab.stick_out() == []


def test_the_list_follows_how_far_an_algo_is(live_world, people, visit, served):
    with visit(people["trader"], base=served) as tab:
        tab.open("/admin/trading/algo/new/?symbol=BTC/USDT&quantity=0.02&duration=10&slices=2")
        tab.page.click("button[value=check]")
        tab.page.check("#verdict [name=confirmed]")
        tab.page.click("#verdict button[value=start]")
        tab.sees(".lv-algo-now")
        tab.open("/admin/trading/algo/")
        tab.sees("#lv-link[data-state=live]")
        tab.sees(".lv-far >> text=0 % of 0.02 BTC")
        run_slice(Algo.objects.get())
        tab.sees(".lv-far >> text=50 % of 0.02 BTC, on schedule")


def test_the_ticket_shows_the_fields_of_the_chosen_kind_only(day, people, visit):
    with visit(people["trader"]) as tab:
        tab.open("/admin/trading/algo/new/")
        slices, shows, weights = (
            tab.page.locator(f"[name={name}]") for name in ("slices", "visible_quantity", "profile")
        )
        expect(slices).to_be_visible(timeout=PATIENCE_MS)
        expect(shows).to_be_hidden(timeout=PATIENCE_MS)
        tab.page.check("[name=kind][value=iceberg]")
        expect(shows).to_be_visible(timeout=PATIENCE_MS)
        expect(slices).to_be_hidden(timeout=PATIENCE_MS)
        tab.page.check("[name=kind][value=vwap]")
        expect(weights).to_be_visible(timeout=PATIENCE_MS)
        assert tab.violations() == []


def test_an_iceberg_is_started_without_scripts(live_world, people, visit):
    with visit(people["trader"], scripts=False, theme="dark", size=PHONE) as tab:
        tab.open("/admin/trading/algo/new/?kind=iceberg&symbol=BTC/USDT")
        for name in ("slices", "profile", "visible_quantity"):
            expect(tab.page.locator(f"[name={name}]")).to_be_visible(timeout=PATIENCE_MS)
        fill_in(tab, quantity="0.05", price="49000", visible_quantity="0.02")
        tab.page.click("button[value=check]")
        tab.sees("#verdict >> text=Would be started")
        tab.shoot("algo-checked-dark-390")
        tab.page.check("[name=confirmed]")
        tab.page.click("button[value=start]")
        tab.sees(".lv-algo-now >> text=0 of 0.05 BTC filled")
        assert Algo.objects.get().kind == "iceberg"
