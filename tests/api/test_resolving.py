"""Resolving a quarantined order over the API: who may, what it asks for, and what it refuses."""

from __future__ import annotations

import pytest

from trading.models import AuditEntry

from .rows import place, set_status
from .world import Caller, make_token


@pytest.fixture
def order(world):
    order = place(Caller(make_token("trader", name="bot")), "unproven")
    set_status(order, "submitting", "in_doubt", "quarantined")
    return order


@pytest.fixture
def risk(world) -> Caller:
    return Caller(make_token("risk"))


def test_a_word_ends_the_quarantine_and_names_who_gave_it(order, risk):
    answer = risk.post(
        f"/api/v1/orders/{order.pk}/resolve", {"verdict": "not_accepted", "reason": "not in the history"}
    )
    assert (answer.status_code, answer.json()["status"]) == (200, "not_accepted")
    assert AuditEntry.objects.get(kind="quarantine.resolved").actor == "client:risk-token"


@pytest.mark.parametrize("mode", ["testnet", "production"])
def test_where_money_is_real_a_token_gives_no_word(order, risk, settings, mode):
    settings.LEVI_MODE = mode
    answer = risk.post(f"/api/v1/orders/{order.pk}/resolve", {"verdict": "not_accepted", "reason": "x"})
    order.refresh_from_db()
    assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_required")
    assert (
        order.status == "quarantined" and not AuditEntry.objects.filter(kind="quarantine.resolved").exists()
    )


@pytest.mark.parametrize(
    "body, status, code",
    [
        ({"verdict": "not_accepted"}, 400, "invalid_input"),
        ({"verdict": "gone", "reason": "x"}, 400, "invalid_input"),
        ({"verdict": "adopt", "reason": "x"}, 400, "invalid_input"),
        ({"verdict": "adopt", "reason": "x", "exchange_order_id": "C1"}, 503, "venue_unavailable"),
    ],
)
def test_a_wrong_word_moves_nothing(order, risk, body, status, code):
    answer = risk.post(f"/api/v1/orders/{order.pk}/resolve", body)
    order.refresh_from_db()
    assert (answer.status_code, answer.json()["code"], order.status) == (status, code, "quarantined")


def test_an_order_in_doubt_is_a_conflict(order, risk, world):
    other = place(Caller(make_token("trader", name="bot-2")), "doubtful")
    set_status(other, "submitting", "in_doubt")
    answer = risk.post(f"/api/v1/orders/{other.pk}/resolve", {"verdict": "canceled", "reason": "x"})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_quarantined")
