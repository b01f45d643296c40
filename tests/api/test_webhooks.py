"""Webhooks: known by their secret alone, taken in once, and never a way around what a client must do."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from tests.making import PERSON
from trading.execution.webhooks import create_webhook, replace_secret, revoke_webhook, set_webhook_enabled
from trading.models import AuditEntry, HaltState, Order, Signal, Strategy, Webhook
from trading.sign_in.trail import forget_recorded

from .world import Caller, World

ALERT: dict[str, Any] = {"ticker": "MEXC:BTCUSDT", "action": "buy", "contracts": "0.01", "id": "1"}
CLOSED = "unknown_webhook"


@pytest.fixture(autouse=True)
def nothing_recorded_yet():
    forget_recorded()


@pytest.fixture
def made(world: World) -> tuple[Webhook, str]:
    Strategy.objects.create(name="momentum")
    HaltState.objects.create(
        scope="strategy", target="momentum", state="active", since=timezone.now(), actor="tests"
    )
    return create_webhook("chart", strategy="momentum", days=30, actor=PERSON)


def bring(made: tuple[Webhook, str], alert: dict[str, Any] = ALERT, **more: Any) -> Any:
    row, secret = made
    return Caller().post(f"/api/v1/webhooks/{row.slug}", {**alert, "secret": secret, **more})


def test_an_alert_becomes_a_signal_of_its_strategy(made):
    answer = bring(made)
    assert answer.status_code == 201, answer.json()
    assert set(answer.json()) == {"decision", "codes", "order_id", "client_order_id", "mode"}
    order = Order.objects.get()
    assert (answer.json()["decision"], answer.json()["order_id"]) == ("approved", str(order.pk))
    assert (order.strategy.name, order.side, order.origin, order.actor) == (
        "momentum",
        "BUY",
        "signal",
        "webhook:chart",
    )
    assert Webhook.objects.get().last_used_at is not None


def test_a_repeat_gets_the_same_answer_and_makes_no_second_order(made):
    first, again = bring(made), bring(made)
    assert first.content == again.content and again.headers["Idempotent-Replayed"] == "true"
    other = bring(made, contracts="0.02")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_conflict")
    assert Order.objects.count() == 1
    assert bring(made, id="2").json()["decision"] == "approved" and Order.objects.count() == 2


def test_plain_text_and_a_header_do_as_well(made):
    row, secret = made
    answer = Caller().client.generic(
        "POST",
        f"/api/v1/webhooks/{row.slug}",
        json.dumps(ALERT),
        content_type="text/plain; charset=utf-8",
        headers={"X-Levi-Secret": secret},
    )
    assert answer.status_code == 201


def test_the_secret_is_in_no_row_no_answer_and_no_log(made, caplog):
    _, secret = made
    answers = [bring(made), bring(made, action="flat"), bring(made, contracts="x", id="3")]
    assert [answer.status_code for answer in answers] == [201, 400, 400]
    assert all(secret not in answer.content.decode() for answer in answers)
    assert secret not in caplog.text
    with connection.cursor() as cursor:
        for model in (Signal, Webhook, AuditEntry, Order):
            cursor.execute(
                f"SELECT count(*) FROM {model._meta.db_table} t WHERE t::text LIKE %s", [f"%{secret}%"]
            )
            assert cursor.fetchone() == (0,), model


@pytest.mark.parametrize(
    "why", ["secret", "none", "slug", "disabled", "revoked", "over", "address", "replaced"]
)
def test_whoever_is_not_let_in_learns_nothing_and_leaves_nothing(made, why):
    row, secret = made
    if why == "disabled":
        set_webhook_enabled(row.pk, False, actor=PERSON)
    elif why == "revoked":
        revoke_webhook(row.pk, actor=PERSON)
    elif why == "over":
        Webhook.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif why == "address":
        Webhook.objects.update(addresses=["10.0.0.0/8"])
    elif why == "replaced":
        replace_secret(row.pk, actor=PERSON)
    sent = {"secret": "wrong", "none": ""}.get(why, secret)
    slug = "0" * 24 if why == "slug" else row.slug
    answer = Caller().post(f"/api/v1/webhooks/{slug}", {**ALERT, "secret": sent})
    assert (answer.status_code, answer.json()["code"]) == (404, CLOSED)
    assert not Order.objects.exists() and not Signal.objects.exists()
    refused = AuditEntry.objects.filter(kind="webhook.refused")
    assert refused.count() == 1 and "wrong" not in str(refused.get().data)


def test_guessing_is_slowed_down_and_the_right_secret_is_not(made):
    codes = {bring(made, secret="wrong").status_code for _ in range(40)}
    assert codes == {404, 429}
    assert bring(made).status_code == 201


def test_a_halt_and_a_denial_are_answers(made, as_role):
    as_role("risk").post("/api/v1/halts/engage", {"scope": "strategy", "target": "momentum", "reason": "x"})
    answer = bring(made)
    assert answer.status_code == 201
    assert (answer.json()["decision"], answer.json()["codes"]) == ("denied", ["halted"])


def test_a_stale_alert_is_refused(made):
    old = (timezone.now() - timedelta(minutes=30)).isoformat()
    answer = bring(made, timenow=old)
    assert answer.status_code == 400 and "too long ago" in answer.json()["message"]
    assert not Order.objects.exists()


def test_a_name_shared_with_a_token_shares_no_keys(made, trader):
    bring(made)
    taken = trader.post(
        "/api/v1/signals", {"symbol": "BTC/USDT", "side": "BUY", "quantity": "0.01"}, Idempotency_Key="id 1"
    )
    assert taken.status_code == 201 and "Idempotent-Replayed" not in taken.headers
