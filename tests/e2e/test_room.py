"""The control room's cards in a browser: each as high as what it says, and no chart too low to be read on a phone."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import SMALL_PHONE

# How much of a card is empty below the last thing in it.
EMPTY_BELOW = """id => {
  const card = document.getElementById(id), last = card.lastElementChild;
  return card.getBoundingClientRect().bottom - last.getBoundingClientRect().bottom;
}"""
PLOT_HEIGHT = """key => {
  const chart = Chart.getChart(document.querySelector(`#chart-${key} canvas`));
  return chart.chartArea.bottom - chart.chartArea.top;
}"""
READABLE = 110


def test_a_short_card_is_not_as_high_as_its_neighbours(day, people, visit):
    with visit(people["viewer"]) as tab:
        tab.open("/admin/")
        tab.sees("#chart-latency canvas")
        empty = {
            name: tab.page.evaluate(EMPTY_BELOW, name) for name in ("gauges", "chart-latency", "accounts")
        }
        assert {name: height for name, height in empty.items() if height > 30} == {}


@pytest.mark.parametrize("key", ["orders", "equity", "results", "latency"])
def test_a_chart_can_be_read_on_the_smallest_phone(day, people, visit, key):
    with visit(people["viewer"], size=SMALL_PHONE) as tab:
        tab.open("/admin/")
        tab.sees(f"#chart-{key} canvas")
        assert tab.page.evaluate(PLOT_HEIGHT, key) >= READABLE


UNDRAWN = """() => {
  document.getAnimations().forEach(animation => animation.finish());
  const says = space => getComputedStyle(space, "::before");
  const spaces = [...document.querySelectorAll(".lv-chart-space")];
  return spaces.filter(space => says(space).content !== "none" && says(space).opacity === "1")
    .map(space => space.closest("section").id);
}"""


def test_a_picture_that_fails_says_so_and_keeps_no_other_from_being_drawn(day, people, visit):
    with visit(people["viewer"], may_complain=True) as tab:
        tab.open("/admin/")
        tab.sees("#chart-latency [data-drawn] canvas")
        assert tab.page.evaluate(UNDRAWN) == []
        tab.page.evaluate("document.querySelector('#chart-equity script').textContent = '{}'")
        tab.page.evaluate("document.dispatchEvent(new CustomEvent('levi:theme'))")
        assert tab.page.evaluate(UNDRAWN) == ["chart-equity"]
        assert any("script error" in complaint for complaint in tab.complaints), "and it is not swallowed"
        tab.page.route("**/chart.js", lambda route: route.abort())
        tab.page.reload()
        tab.sees("#chart-equity")
        undrawn = tab.page.evaluate(UNDRAWN)
        assert {"chart-equity", "chart-orders", "chart-results", "chart-latency"} <= set(undrawn)


QUIET_DAY = """() => {
  const script = document.querySelector("#chart-equity script"), data = JSON.parse(script.textContent);
  data.levels = [];
  for (const series of data.series) series.values = series.values.map((_value, index) => 110250.1 + index % 5 / 5);
  script.textContent = JSON.stringify(data);
  document.dispatchEvent(new CustomEvent("levi:theme"));
  const chart = Chart.getChart(document.querySelector("#chart-equity canvas"));
  return chart.scales.y.ticks.map(tick => tick.label);
}"""


def test_no_two_marks_of_an_axis_carry_the_same_number(day, people, visit):
    with visit(people["viewer"]) as tab:
        tab.open("/admin/")
        tab.sees("#chart-equity [data-drawn] canvas")
        labels = tab.page.evaluate(QUIET_DAY)
        assert len(labels) > 2 and len(set(labels)) == len(labels), labels
        assert all(label.startswith("110,25") for label in labels), labels
