"""Garbage in a queue ends no worker: it is dropped, and the honest message behind it is delivered."""

from __future__ import annotations

import base64
import json

import pytest
from celery import current_app
from django.conf import settings

from levi_site.redis_transport import TolerantTransport


def message(**changes) -> dict:
    honest = {
        "body": base64.b64encode(json.dumps([["honest"], {}, {}]).encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"task": "trading.tasks.dispatch_order", "id": "1", "lang": "py"},
        "properties": {
            "delivery_tag": "tag",
            "delivery_info": {"exchange": "", "routing_key": "orders"},
            "body_encoding": "base64",
        },
    }
    return honest | changes


GARBAGE = {
    "bytes": b"\xff\xfe\x00",
    "text": b"not json {",
    "a number": b"7",
    "an empty object": b"{}",
    "no properties": json.dumps({"body": "x"}).encode(),
    "a body that is no base64": json.dumps(message(body="abc")).encode(),
    "no routing": json.dumps(message(properties={"delivery_tag": "t", "body_encoding": "base64"})).encode(),
    "headers that are none": json.dumps(message(headers=7)).encode(),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_dropped_and_what_follows_is_delivered(redis_client, name: str, caplog):
    redis_client.lpush("orders", GARBAGE[name])
    redis_client.lpush("orders", json.dumps(message()))
    received: list[object] = []

    def take(body: object, taken) -> None:
        received.append(body)
        taken.ack()

    with current_app.connection_for_read() as line:
        assert isinstance(line.transport, TolerantTransport)
        queue = current_app.amqp.queues["orders"]
        with line.Consumer([queue], callbacks=[take], accept=["json"]):
            while not received:
                line.drain_events(timeout=5)
    assert received == [[["honest"], {}, {}]]
    assert "is no message and was dropped" in caplog.text
    assert settings.CELERY_ACCEPT_CONTENT == ["json"] and redis_client.llen("orders") == 0
