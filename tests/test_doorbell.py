"""The doorbell: rings after the commit, carries an id and nothing else, and its loss costs latency only."""

from __future__ import annotations

import json
import logging
from base64 import b64decode
from uuid import uuid4

import pytest
from django.db import transaction

from tests.worlds import dead_broker
from trading.doorbell import BELLS, ring

__all__ = ["dead_broker"]


def messages(redis_client, queue: str) -> list[dict]:
    return [json.loads(raw) for raw in redis_client.lrange(queue, 0, -1)]


@pytest.mark.parametrize(("bell", "queue"), BELLS.items())
def test_a_bell_rings_in_its_queue_with_an_id_and_nothing_else(
    transactional_db: None, redis_client, bell, queue
):
    subject = uuid4()
    ring(bell, subject)
    (message,) = messages(redis_client, queue)
    assert message["headers"]["task"] == f"trading.tasks.{bell}"
    args, kwargs, _ = json.loads(b64decode(message["body"]))
    assert (args, kwargs) == ([str(subject)], {})
    assert message["headers"]["eta"] is None and message["headers"]["retries"] == 0


def test_nothing_rings_before_the_commit_and_nothing_after_a_rollback(transactional_db: None, redis_client):
    with transaction.atomic():
        ring("dispatch_order", "1")
        assert messages(redis_client, "orders") == []
    assert len(messages(redis_client, "orders")) == 1
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        ring("dispatch_order", "2")
        raise ZeroDivisionError
    assert len(messages(redis_client, "orders")) == 1


def test_a_dead_broker_fails_nothing_and_is_logged(transactional_db: None, dead_broker, caplog):
    with caplog.at_level(logging.WARNING), transaction.atomic():
        ring("dispatch_order", "the-order")
    assert "did not ring" in caplog.text and "the-order" in caplog.text
