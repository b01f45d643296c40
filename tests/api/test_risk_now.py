"""How limits and triggers stand, over HTTP; and which limits applied then."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from trading.execution.triggers import watch_triggers

LIMITS = "/api/v1/limits"


def test_utilisation_is_told_in_percent(world, viewer):
    rows = viewer.get(f"{LIMITS}/utilisation").json()["results"]
    found = {row["limit"]: row for row in rows}
    assert (
        found["exposure_limit_symbol"]["share_pct"] == "0.00" and found["exposure_limit_symbol"]["band"] == 0
    )
    assert found["exposure_limit_symbol"]["scope"] == "everything"


def test_every_trigger_says_what_it_last_saw(world, viewer):
    before = viewer.get(f"{LIMITS}/triggers").json()["results"]
    assert {row["verdict"] for row in before if row["trigger"] == "exposure"} == {"silent"}
    watch_triggers()
    after = {row["trigger"]: row for row in viewer.get(f"{LIMITS}/triggers").json()["results"]}
    assert after["exposure"]["verdict"] in ("off", "clear") and after["exposure"]["evaluated_at"]
    assert {"daily_loss", "dead_man", "audit_damage", "disk_space"} <= after.keys()


def test_which_limits_applied_then_to_an_account(world, risk, viewer):
    then = timezone.now().isoformat()
    body = {"scope": "account", "target": "paper", "max_open_orders": 3, "reason": "calm"}
    narrow = risk.put(LIMITS, body).json()
    assert (narrow["scope"], narrow["target"], narrow["max_order_notional"]) == ("account", "paper", None)

    def applied(**question) -> list[str]:
        return [row["scope"] for row in viewer.get(LIMITS, **question).json()["applied"]]

    assert applied(account="paper") == ["everything", "account"]
    assert applied(account="paper", at=then) == ["everything"]
    assert applied(account="other") == ["everything"]
    assert viewer.get(LIMITS, at="yesterday").status_code == 400


def test_an_override_and_what_waits_are_told(world, risk, viewer):
    soon = (timezone.now() + timedelta(hours=1)).isoformat()
    assert risk.put(LIMITS, {"max_open_orders": 1, "expires_at": soon, "reason": "event"}).json()[
        "expires_at"
    ]
    refused = risk.put(LIMITS, {"max_open_orders": 2, "reason": "later"})
    assert (refused.status_code, refused.json()["code"]) == (409, "would_void_version")
    seen = viewer.get(LIMITS).json()["current"]["version"]
    waiting = risk.put(
        LIMITS, {"max_open_orders": 2, "effective_at": soon, "seen_version": seen, "reason": "later"}
    )
    assert waiting.status_code == 200, waiting.json()
    assert [row["version"] for row in viewer.get(LIMITS).json()["scheduled"]] == [waiting.json()["version"]]
