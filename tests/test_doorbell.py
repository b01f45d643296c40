"""The doorbell: rings after the commit, carries an id and nothing else, and its loss costs latency only."""

from __future__ import annotations

import json
import logging
import socket
import time
from base64 import b64decode
from uuid import uuid4

import pytest
from celery import Celery, current_app
from django.db import transaction

from tests.worlds import dead_broker
from trading import doorbell
from trading.doorbell import BELLS, ring

__all__ = ["dead_broker"]


def messages(redis_client, queue: str) -> list[dict]:
    return [json.loads(raw) for raw in redis_client.lrange(queue, 0, -1)]


@pytest.fixture(autouse=True)
def rested(monkeypatch):
    """No broker has just failed."""
    monkeypatch.setattr(doorbell, "_broken_until", 0.0)


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


def test_a_broker_that_hangs_is_waited_for_a_moment_and_then_left_alone(
    transactional_db: None, caplog, monkeypatch
):
    """It takes connections and never answers, as a stopped process does."""
    monkeypatch.setattr(doorbell, "REST_SECONDS", 60.0)
    alive = current_app._get_current_object()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hung = Celery("hung", set_as_current=False)
        hung.config_from_object("django.conf:settings", namespace="CELERY")
        hung.conf.broker_url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        hung.set_current()
        try:
            began = time.monotonic()
            with caplog.at_level(logging.WARNING):
                ring("dispatch_order", "the-order")
            first, began = time.monotonic() - began, time.monotonic()
            for _bell in range(50):
                ring("dispatch_order", "the-order")
            others = time.monotonic() - began
        finally:
            alive.set_current()
            hung.close()
    assert caplog.text.count("did not ring") == 1
    assert first < 5 and others < 1, "workers' own ten seconds must not be waited for"


def test_a_broker_that_is_back_is_rung_again(transactional_db: None, redis_client, monkeypatch):
    monkeypatch.setattr(doorbell, "_broken_until", time.monotonic() + 60)
    ring("dispatch_order", "1")
    assert messages(redis_client, "orders") == []
    monkeypatch.setattr(doorbell, "_broken_until", time.monotonic())
    ring("dispatch_order", "2")
    assert len(messages(redis_client, "orders")) == 1
