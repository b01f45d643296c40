"""Many at once, over real transactions: one key makes one order, whoever comes first."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from trading.models import AuditEntry, Order, Signal

from .world import Caller, buy, make_token, make_world

CALLERS = 8


@pytest.fixture
def token(transactional_db, redis_client) -> str:
    make_world()
    return make_token("trader")


def at_once(token: str, bodies: list[dict]) -> list:
    """Post all bodies at the same moment, each from a thread and a connection of its own; who waited too long for its
    turn is told so with 503 and repeats, as a client does."""
    barrier = Barrier(len(bodies))

    def post(body: dict):
        try:
            barrier.wait(timeout=20)
            for _try in range(30):
                answer = Caller(token).post("/api/v1/signals", body)
                if answer.status_code != 503:
                    break
            return answer
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(post, bodies))


def test_identical_posts_make_one_order_and_one_answer(token):
    answers = at_once(token, [buy(source_id="same")] * CALLERS)
    assert {answer.status_code for answer in answers} == {201}, [answer.content for answer in answers]
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    assert (Order.objects.count(), Signal.objects.count()) == (1, 1)
    assert AuditEntry.objects.filter(kind="order.approved").count() == 1


def test_one_key_with_two_bodies_lets_one_through(token):
    answers = at_once(token, [buy("0.01", source_id="same"), buy("0.02", source_id="same")] * 3)
    counted = Counter(answer.status_code for answer in answers)
    assert counted == {201: 3, 422: 3}
    assert Order.objects.count() == 1


def test_different_keys_all_pass(token):
    answers = at_once(token, [buy(source_id=str(number)) for number in range(CALLERS)])
    assert Counter(answer.json()["decision"] for answer in answers) == {"approved": CALLERS}
    assert Order.objects.count() == CALLERS


def test_counters_that_cannot_be_written_cost_no_order(token, monkeypatch):
    """The order is committed by then: a full disk under the metrics must not turn its answer into a 500."""

    def full_disk(_kind: str, _data: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("trading.metrics.count", full_disk)
    answer = Caller(token).post("/api/v1/signals", buy(source_id="a"))
    assert answer.status_code == 201 and Order.objects.get().status == "approved"
