"""A signal is taken in once, judged, and answered the same for ever."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from trading.execution import intake
from trading.models import AuditEntry, Order, Signal

from .world import buy

SIGNALS = "/api/v1/signals"


def nothing_was_written() -> bool:
    return not Order.objects.exists() and not Signal.objects.exists()


def test_an_approved_signal_is_answered_201_with_its_decision(world, trader):
    answer = trader.post(SIGNALS, buy(), Idempotency_Key="one")
    body = answer.json()
    assert answer.status_code == 201, body
    assert body["decision"] == "approved" and body["codes"] == []
    assert body["quantity"] == "0.01" and body["status"] == "approved"
    assert body["checks"] and all(check["passed"] for check in body["checks"])
    assert "Idempotent-Replayed" not in answer.headers
    order = Order.objects.get()
    assert str(order.id) == body["order_id"] and order.origin == "signal"
    assert order.actor == "client:trader-token"


def test_a_denied_signal_is_an_answer_too(world, trader):
    answer = trader.post(SIGNALS, buy("1000"), Idempotency_Key="one")
    assert answer.status_code == 201
    assert answer.json()["decision"] == "denied"
    assert "max_order_notional" in answer.json()["codes"]
    assert Order.objects.get().status == "denied"


def test_a_repeat_gets_the_first_answer_word_for_word(world, trader):
    first = trader.post(SIGNALS, buy(), Idempotency_Key="one")
    repeat = trader.post(SIGNALS, buy(), Idempotency_Key="one")
    assert repeat.status_code == 201 and repeat.content == first.content
    assert repeat.headers["Idempotent-Replayed"] == "true"
    assert Order.objects.count() == 1


def test_source_id_serves_as_the_key(world, trader):
    first = trader.post(SIGNALS, buy(source_id="s-1"))
    repeat = trader.post(SIGNALS, buy(source_id="s-1"))
    assert (first.status_code, repeat.status_code) == (201, 201)
    assert repeat.json()["order_id"] == first.json()["order_id"] and Order.objects.count() == 1


def test_the_same_key_with_another_body_is_refused(world, trader):
    trader.post(SIGNALS, buy(), Idempotency_Key="one")
    answer = trader.post(SIGNALS, buy("0.02"), Idempotency_Key="one")
    assert answer.status_code == 422 and answer.json()["code"] == "idempotency_conflict"
    assert Order.objects.count() == 1


def test_two_clients_may_use_the_same_key(world, trader, as_role):
    trader.post(SIGNALS, buy(), Idempotency_Key="one")
    assert as_role("trader", "risk").post(SIGNALS, buy(), Idempotency_Key="one").status_code == 201
    assert Order.objects.count() == 2


def test_a_request_in_progress_is_409(world, trader, monkeypatch):
    monkeypatch.setattr(intake, "REPEAT_WAIT_MS", 50)
    settings = connection.settings_dict
    with psycopg.connect(
        host=settings["HOST"],
        port=settings["PORT"],
        user=settings["USER"],
        password=settings["PASSWORD"],
        dbname=settings["NAME"],
    ) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [0x5369, "client:trader-token\none"])
        answer = trader.post(SIGNALS, buy(), Idempotency_Key="one")
        other.rollback()
    assert answer.status_code == 409 and answer.json()["code"] == "request_in_progress"
    assert answer.headers["Retry-After"] == "1"
    assert nothing_was_written()


def test_json_numbers_are_read_exactly(world, trader):
    raw = b'{"symbol":"BTC/USDT","side":"BUY","quantity":0.0123,"source_id":"n"}'
    assert trader.post(SIGNALS, raw).json()["quantity"] == "0.0123"
    assert Order.objects.get().quantity == Decimal("0.0123")


def test_times_end_in_z(world, trader):
    body = trader.post(SIGNALS, buy(source_id="z")).json()
    assert body["received_at"].endswith("Z") and body["expires_at"].endswith("Z")


def test_the_request_id_reaches_the_audit_trail(world, trader):
    answer = trader.post(SIGNALS, buy(source_id="r"), X_Request_ID="trace-42")
    assert answer.headers["X-Request-ID"] == "trace-42"
    entry = AuditEntry.objects.get(kind="order.approved")
    assert entry.request_id == "trace-42"


def test_a_missing_key_is_refused(world, trader):
    answer = trader.post(SIGNALS, buy())
    assert answer.status_code == 400 and answer.json()["code"] == "idempotency_key_missing"
    assert nothing_was_written()


def soon(seconds: int) -> str:
    return (timezone.now() + timedelta(seconds=seconds)).isoformat()


WRONG = {
    "unknown symbol": ({"symbol": "NOPE/USDT"}, "symbol"),
    "empty symbol": ({"symbol": ""}, "symbol"),
    "symbol that is a list": ({"symbol": ["BTC/USDT"]}, "symbol"),
    "zero": ({"quantity": "0"}, "quantity"),
    "negative": ({"quantity": "-1"}, "quantity"),
    "NaN": ({"quantity": "NaN"}, "quantity"),
    "infinity": ({"quantity": "Infinity"}, "quantity"),
    "1e400": ({"quantity": "1e400"}, "quantity"),
    "too many decimals": ({"quantity": "0.0000000000000000001"}, "quantity"),
    "a huge integer": ({"quantity": 10**80}, "quantity"),
    "a boolean": ({"quantity": True}, "quantity"),
    "an object": ({"quantity": {"a": 1}}, "quantity"),
    "words": ({"quantity": "many"}, "quantity"),
    "digits of another script": ({"quantity": "١"}, "quantity"),
    "no quantity": ({"quantity": None}, "quantity"),
    "both quantities": ({"quote_quantity": "10"}, "quantity"),
    "wrong side": ({"side": "HOLD"}, "side"),
    "side that is a number": ({"side": 1}, "side"),
    "limit without a price": ({"order_type": "LIMIT"}, "price"),
    "market with a price": ({"order_type": "MARKET", "price": "1"}, "price"),
    "unknown order type": ({"order_type": "STOP"}, "order_type"),
    "unknown time in force": ({"order_type": "LIMIT", "price": "1", "time_in_force": "GTX"}, "time_in_force"),
    "reduce_only as text": ({"reduce_only": "yes"}, "reduce_only"),
    "unknown account": ({"account": "nope"}, "account"),
    "an account's name too long": ({"account": "a" * 500}, "account"),
    "a misspelt field": ({"prise": "1"}, "prise"),
    "sent in the future": ({"sent_at": soon(3600)}, "sent_at"),
    "sent without a zone": ({"sent_at": "2026-01-01T00:00:00"}, "sent_at"),
    "a strategy with a space": ({"strategy": "My Strategy!"}, "strategy"),
    "a key too long": ({"source_id": "k" * 201}, "source_id"),
}


@pytest.mark.parametrize("case", WRONG)
def test_bad_input_is_named_and_changes_nothing(case, world, trader):
    change, field = WRONG[case]
    answer = trader.post(SIGNALS, buy(**{"source_id": "k", **change}))
    body = answer.json()
    assert answer.status_code == 400, body
    assert set(body) == {"code", "message", "context"} and body["context"]["field"] == field
    assert body["context"]["request_id"] == answer.headers["X-Request-ID"]
    assert nothing_was_written()


RAW = {
    "cut off": (b'{"symbol": "BTC', 400),
    "not JSON": (b"symbol=BTC", 400),
    "a list": (b"[1, 2]", 400),
    "a bare NaN": (b'{"quantity": NaN}', 400),
    "a doubled key": (b'{"side": "BUY", "side": "SELL"}', 400),
    "NUL in a text": (b'{"symbol": "BTC\\u0000"}', 400),
    "half a surrogate": (b'{"symbol": "\\ud800"}', 400),
    "not UTF-8": (b'{"symbol": "\xff"}', 400),
    "nested too deeply": (b'{"a":' + b"[" * 30_000, 400),
    "a number of 5000 digits": (b'{"quantity": ' + b"9" * 5000 + b"}", 400),
    "an exponent beyond everything": (b'{"quantity": 1e999999999999999999999}', 400),
    "empty": (b"", 400),
    "larger than 64 KiB": (b'{"symbol": "' + b"x" * 70_000 + b'"}', 413),
}


@pytest.mark.parametrize("case", RAW)
def test_bodies_that_are_no_request_are_refused(case, world, trader):
    raw, status = RAW[case]
    answer = trader.post(SIGNALS, raw, Idempotency_Key="k")
    assert answer.status_code == status, answer.content
    assert set(answer.json()) == {"code", "message", "context"}
    assert nothing_was_written()


def test_another_content_type_is_415_with_the_remedy(world, trader):
    answer = trader.client.post(SIGNALS, buy(), headers={**trader.headers, "Idempotency-Key": "k"})
    assert answer.status_code == 415 and "application/json" in answer.json()["message"]
    assert nothing_was_written()


@pytest.mark.parametrize("key", ["k" * 201, "a\x7fb"])
def test_a_key_that_is_no_plain_word_is_refused(key, world, trader):
    assert trader.post(SIGNALS, buy(), Idempotency_Key=key).status_code == 400
    assert nothing_was_written()


def test_the_list_shows_what_came_in_and_what_was_answered(world, trader):
    first = trader.post(SIGNALS, buy(source_id="s-1")).json()
    row = trader.get(SIGNALS, key="s-1").json()["results"][0]
    assert row["id"] == first["signal_id"] and row["order_id"] == first["order_id"]
    assert row["body"]["symbol"] == "BTC/USDT" and row["answer"]["decision"] == "approved"
