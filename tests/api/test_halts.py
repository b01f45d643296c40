"""Halts by scope: what stands, who may engage and release, and what is remembered."""

from __future__ import annotations

import pytest
from django.conf import settings

from trading.models import HaltChange, HaltState, Sweep

HALTS = "/api/v1/halts"


@pytest.fixture(autouse=True)
def no_stop_flag():
    yield
    settings.STOP_FLAG.unlink(missing_ok=True)


def test_the_widest_scope_is_always_listed(viewer):
    body = viewer.get(HALTS).json()
    assert [(row["scope"], row["state"]) for row in body["results"]] == [("everything", "active")]
    assert body["epoch"] == 1


def test_one_symbol_is_halted_and_released(world, trader, risk):
    engaged = trader.post(
        f"{HALTS}/engage", {"scope": "instrument", "target": "btc/usdt", "reason": "odd prices"}
    )
    assert engaged.status_code == 200, engaged.json()
    assert engaged.json()["target"] == "BTC/USDT" and engaged.json()["sweep_id"]
    assert len(trader.get(HALTS).json()["results"]) == 2
    released = risk.post(
        f"{HALTS}/release", {"scope": "instrument", "target": "BTC/USDT", "reason": "looked at"}
    )
    assert released.status_code == 200 and released.json()["state"] == "active"
    rows = risk.get(f"{HALTS}/history").json()["results"]
    assert [(row["before"], row["after"]) for row in rows] == [("halted", "active"), ("active", "halted")]
    assert rows[1]["actor"] == "client:trader-token" and rows[1]["reason"] == "odd prices"


def test_reducing_cancels_nothing(world, trader):
    body = {"scope": "account", "target": "paper", "state": "reducing", "reason": "careful"}
    assert trader.post(f"{HALTS}/engage", body).json()["sweep_id"] is None
    assert HaltState.objects.get(scope="account").state == "reducing"


def test_open_orders_can_be_left_alone(world, trader):
    body = {"scope": "account", "target": "paper", "reason": "look", "cancel": "none"}
    assert trader.post(f"{HALTS}/engage", body).status_code == 200
    assert not Sweep.objects.exists()


def test_a_release_on_an_old_view_is_refused(world, trader, risk):
    seen = risk.get(HALTS).json()["epoch"]
    trader.post(f"{HALTS}/engage", {"scope": "everything", "reason": "stop"})
    answer = risk.post(f"{HALTS}/release", {"scope": "everything", "reason": "go", "seen_epoch": seen})
    assert answer.status_code == 409 and answer.json()["code"] == "stale_decision"
    assert HaltState.objects.get(scope="everything").state == "halted"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "scope"),
        ({"scope": "galaxy", "reason": "x"}, "scope"),
        ({"scope": "everything"}, "reason"),
        ({"scope": "everything", "reason": "   "}, "reason"),
        ({"scope": "everything", "reason": "x" * 301}, "reason"),
        ({"scope": "everything", "target": "paper", "reason": "x"}, "target"),
        ({"scope": "account", "reason": "x"}, "target"),
        ({"scope": "everything", "reason": "x", "state": "active"}, "state"),
        ({"scope": "everything", "reason": "x", "cancel": "all"}, "cancel"),
        ({"scope": "everything", "reason": "x", "flatten": "perhaps"}, "flatten"),
        ({"scope": ["everything"], "reason": "x"}, "scope"),
    ],
)
def test_bad_input_engages_nothing(world, trader, body, field):
    answer = trader.post(f"{HALTS}/engage", body)
    assert answer.status_code == 400 and answer.json()["context"]["field"] == field, answer.json()
    assert not HaltChange.objects.exists()


def test_an_unknown_account_is_named(world, trader):
    answer = trader.post(f"{HALTS}/engage", {"scope": "account", "target": "nope", "reason": "x"})
    assert answer.status_code == 400 and answer.json()["code"] == "unknown_account"
    assert not HaltChange.objects.exists()
