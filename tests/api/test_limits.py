"""Limits: what is in force, and new versions that never overwrite an old one."""

from __future__ import annotations

import pytest

from trading.models import AuditEntry, LimitsVersion

LIMITS = "/api/v1/limits"


def test_current_and_history(world, viewer):
    body = viewer.get(LIMITS).json()
    assert body["current"]["max_order_notional"] == "10000"
    assert body["current"]["version"] == body["results"][0]["version"]


def test_a_new_version_takes_over_what_it_does_not_name(world, risk):
    before = LimitsVersion.objects.count()
    answer = risk.put(LIMITS, {"max_order_notional": "500.50", "max_open_orders": 7, "reason": "calmer"})
    assert answer.status_code == 200, answer.json()
    row = answer.json()
    assert (row["max_order_notional"], row["max_open_orders"], row["reason"]) == ("500.5", 7, "calmer")
    assert row["exposure_limit_symbol"] == "50000" and row["actor"] == "client:risk-token"
    assert LimitsVersion.objects.count() == before + 1
    entry = AuditEntry.objects.filter(kind="limits.changed").latest("id")
    assert entry.data["before"]["max_order_notional"] == "10000"
    assert entry.data["after"]["max_order_notional"] == "500.5"


def test_null_means_no_limit(world, risk):
    body = risk.put(LIMITS, {"price_collar_pct": None, "reason": "off"}).json()
    assert body["price_collar_pct"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "reason"),
        ({"reason": "nothing"}, "body"),
        ({"max_order_notional": "1"}, "reason"),
        ({"reason": "x", "max_order_notional": "-1"}, "max_order_notional"),
        ({"reason": "x", "max_order_notional": "NaN"}, "max_order_notional"),
        ({"reason": "x", "max_order_notional": 10**60}, "max_order_notional"),
        ({"reason": "x", "max_open_orders": 10**30}, "max_open_orders"),
        ({"reason": "x", "max_open_orders": "1.5"}, "max_open_orders"),
        ({"reason": "x", "max_daily_loss_pct": "101"}, "max_daily_loss_pct"),
        ({"reason": "x", "max_price_age_seconds": None}, "max_price_age_seconds"),
        ({"reason": "x", "allowed_symbols": "BTC/USDT"}, "allowed_symbols"),
        ({"reason": "x", "allowed_symbols": [1]}, "allowed_symbols"),
        ({"reason": "x", "allowed_symbols": ["NO/PE"]}, "allowed_symbols"),
        ({"reason": "x", "version": 1}, "version"),
        ({"reason": "x", "max_open_orders": 1, "effective_at": "2020-01-01"}, "effective_at"),
    ],
)
def test_a_wrong_change_makes_no_version(world, risk, body, field):
    before = LimitsVersion.objects.count()
    answer = risk.put(LIMITS, body)
    assert answer.status_code == 400 and answer.json()["context"]["field"] == field, answer.json()
    assert LimitsVersion.objects.count() == before
