"""Rules and dashboard ask only for series that the product really exposes."""

from __future__ import annotations

import pytest

from tests.ops.metric_names import find_series, list_series
from tests.ops.test_grafana import read_expressions
from tests.ops.test_prometheus import read_rules

# The names that outsiders rely on.
PROMISED = {
    "levi_orders_total", "levi_kill_switch", "levi_position_notional", "levi_order_latency_seconds_bucket",
    "levi_denials_total", "levi_in_doubt_orders", "levi_halt_seconds_bucket", "levi_halt_age_seconds", "levi_breaks",
    "levi_limit_utilisation", "levi_venue_requests_total", "levi_rate_tokens", "levi_heartbeat_age_seconds",
    "levi_equity", "levi_daily_pnl",
}  # fmt: skip


def test_the_promised_series_are_exposed():
    assert list_series() >= PROMISED


@pytest.mark.parametrize("rule", read_rules(), ids=lambda rule: rule["alert"])
def test_an_alert_reads_only_series_that_are_exposed(rule):
    assert find_series(rule["expr"]) <= list_series()


@pytest.mark.parametrize("expression", read_expressions())
def test_a_panel_reads_only_series_that_are_exposed(expression):
    assert find_series(expression) <= list_series()


def test_every_promised_series_is_shown():
    shown = {series for expression in read_expressions() for series in find_series(expression)}
    assert shown >= PROMISED
