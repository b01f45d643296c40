"""The kill switch at the documents' address: one step on, a right to go off, and a GET that does nothing."""

from __future__ import annotations

import pytest
from django.conf import settings

from trading.models import ControlEpoch, HaltChange, HaltState, Sweep

from .world import buy

KILL, STATUS = "/live/kill", "/live/status"
CONTRACT_KEYS = {"kill_switch", "reason", "mode", "active"}


@pytest.fixture(autouse=True)
def no_stop_flag():
    settings.STOP_FLAG.unlink(missing_ok=True)
    yield
    settings.STOP_FLAG.unlink(missing_ok=True)


def state() -> str:
    return HaltState.objects.get(scope="everything").state


def test_status_says_that_trading_is_on(viewer):
    body = viewer.get(STATUS).json()
    assert body.keys() >= CONTRACT_KEYS
    assert (body["kill_switch"], body["reason"], body["active"], body["mode"]) == (False, None, True, "paper")
    assert (body["build"], body["expected_build"]) == (settings.BUILD, None)


def test_engaging_by_query_answers_with_the_new_state(trader):
    answer = trader.post(f"{KILL}?on=true&reason=fat+finger")
    body = answer.json()
    assert answer.status_code == 200, body
    assert (body["kill_switch"], body["reason"], body["active"]) == (True, "fat finger", False)
    assert body["engagement"]["drained"] is True and body["engagement"]["epoch"] == body["epoch"]
    assert state() == "halted" and Sweep.objects.count() == 1


def test_the_reason_is_manual_by_default(trader):
    assert trader.post(f"{KILL}?on=true").json()["reason"] == "manual"


@pytest.mark.parametrize("body", [{"on": True}, {"on": "true"}, {"on": 1}, {"on": "ON", "reason": "why"}])
def test_engaging_by_json(trader, body):
    assert trader.post(KILL, body).status_code == 200 and state() == "halted"


def test_engaging_by_form_as_curl_sends_it(trader):
    answer = trader.client.post(
        KILL, "on=true&reason=curl", content_type="application/x-www-form-urlencoded", headers=trader.headers
    )
    assert answer.status_code == 200 and answer.json()["reason"] == "curl"


def test_a_trailing_slash_is_welcome(trader):
    assert trader.post(f"{KILL}/?on=true").status_code == 200 and state() == "halted"


def test_nothing_is_approved_while_it_is_on(world, trader):
    trader.post(f"{KILL}?on=true")
    answer = trader.post("/api/v1/signals", buy(source_id="a")).json()
    assert answer["decision"] == "denied" and "halted" in answer["codes"]


def test_a_trader_cannot_release(trader):
    trader.post(f"{KILL}?on=true")
    answer = trader.post(f"{KILL}?on=false")
    assert answer.status_code == 403
    assert answer.json()["context"]["right"] == "trading.release_halt"
    assert answer.json()["context"]["roles"] == ["risk"]
    assert state() == "halted"


def test_risk_releases(trader, risk):
    trader.post(f"{KILL}?on=true")
    body = risk.post(f"{KILL}?on=false").json()
    assert (body["kill_switch"], body["active"], body["reason"]) == (False, True, None)
    assert state() == "active"


def test_a_viewer_cannot_engage(viewer):
    assert viewer.post(f"{KILL}?on=true").status_code == 403 and state() == "active"


def test_get_is_405_for_anyone_and_changes_nothing(trader, as_role):
    for caller in (trader, as_role()):
        answer = caller.get(KILL, on="true")
        assert answer.status_code == 405 and answer.headers["Allow"] == "POST"
        assert answer.json()["code"] == "method_not_allowed"
    assert state() == "active" and not HaltChange.objects.exists()


@pytest.mark.parametrize(
    ("query", "body", "field"),
    [
        ("", None, "on"),
        ("?on=maybe", None, "on"),
        ("?on=", None, "on"),
        ("", {"on": None}, "on"),
        ("", {"on": 2}, "on"),
        ("?on=true", {"on": False}, "on"),
        ("?on=true&on=false", None, "on"),
        ("?on=true&raeson=x", None, "raeson"),
        ("", {"on": True, "raeson": "x"}, "raeson"),
        ("?on=true&reason=" + "x" * 301, None, "reason"),
        ("", {"on": True, "reason": 5}, "reason"),
        ("?on=true&reason=%00", None, "reason"),
    ],
)
def test_bad_input_is_named_and_stops_nothing(trader, query, body, field):
    answer = trader.post(KILL + query, body)
    assert answer.status_code == 400 and answer.json()["context"]["field"] == field
    assert state() == "active" and ControlEpoch.objects.get().epoch == 1


def test_engaging_is_never_throttled(trader, monkeypatch):
    from trading.api import throttles

    monkeypatch.setattr(throttles, "RATES", {name: throttles.Rate(0.001, 1) for name in throttles.RATES})
    answers = [trader.post(f"{KILL}?on=true").status_code for _ in range(4)]
    assert answers == [200] * 4
    codes = [trader.get("/api/v1/orders").status_code for _ in range(3)]
    assert codes[-1] == 429
