"""Closing positions over the API: with a halt or one by one, by those who may, and never in the way of the halt."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from trading.models import ApprovalRequest, Flattening, HaltState, Position

ENGAGE, ONE, LIST = "/api/v1/halts/engage", "/api/v1/positions/flatten", "/api/v1/flattenings"
HALT = {"scope": "everything", "reason": "out of here", "flatten": True}


@pytest.fixture
def held(world):
    Position.objects.create(
        account=world.account, instrument=world.instrument, quantity=Decimal("0.5"), updated_at=timezone.now()
    )
    return world


def test_a_halt_that_flattens_answers_with_the_flattening(held, as_role, viewer):
    answer = as_role("risk").post(ENGAGE, HALT).json()
    row = Flattening.objects.get()
    assert answer["flatten"]["flattening"]["id"] == str(row.id)
    assert (str(row.sweep_id), row.reason) == (answer["sweep_id"], "out of here")
    assert viewer.get(LIST).json()["results"][0]["state"] == "running"


def test_who_may_not_flatten_halts_all_the_same_and_is_told(held, trader):
    answer = trader.post(ENGAGE, HALT)
    assert answer.status_code == 200
    assert answer.json()["flatten"]["refused"]["code"] == "not_allowed"
    assert "flatten_position" in answer.json()["flatten"]["refused"]["message"]
    assert HaltState.objects.get(scope="everything").state == "halted" and not Flattening.objects.exists()


def test_a_strategy_is_halted_and_its_flattening_refused_with_the_reason(held, as_role):
    HaltState.objects.create(scope="strategy", target="momentum", state="active", since=timezone.now())
    body = {**HALT, "scope": "strategy", "target": "momentum"}
    answer = as_role("risk").post(ENGAGE, body).json()
    assert answer["state"] == "halted"
    assert answer["flatten"]["refused"]["code"] == "flatten_needs_account_or_symbol"


def test_a_halt_without_the_word_keeps_the_positions(held, as_role):
    answer = as_role("risk").post(ENGAGE, {"scope": "everything", "reason": "x"}).json()
    assert answer["flatten"] is None and not Flattening.objects.exists()


def test_one_position_is_flattened_once(held, as_role):
    risk = as_role("risk")
    body = {"symbol": "btc/usdt", "quantity": "0.2", "reason": "smaller"}
    first, second = risk.post(ONE, body), risk.post(ONE, body)
    assert first.status_code == second.status_code == 200
    assert first.json()["id"] == second.json()["id"]
    row = Flattening.objects.get()
    assert (row.account, row.symbol, row.quantity) == ("paper", "BTC/USDT", Decimal("0.2"))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"symbol": "NO/SUCH"}, "symbol"),
        ({"account": "nobody"}, "account"),
        ({"quantity": "-1"}, "quantity"),
        ({"reason": ""}, "reason"),
        ({"side": "BUY"}, "side"),
    ],
)
def test_a_wrong_wish_is_refused(held, as_role, change, field):
    answer = as_role("risk").post(ONE, {"symbol": "BTC/USDT", "reason": "x", **change})
    assert answer.status_code == 400 and answer.json()["context"]["field"] == field
    assert not Flattening.objects.exists()


def test_where_money_is_real_a_token_cannot_flatten(held, as_role, settings):
    risk = as_role("risk")
    settings.LEVI_MODE = "production"
    answer = risk.post(ONE, {"symbol": "BTC/USDT", "reason": "x"})
    assert answer.status_code == 403 and answer.json()["code"] == "second_factor_required"
    assert not Flattening.objects.exists() and not ApprovalRequest.objects.exists()
