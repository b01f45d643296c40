"""The stream's ordinary door: who may watch what, and what was missed since the last event."""

from __future__ import annotations

import json

from django.db import transaction
from django.test import Client

from trading import audit
from trading.models import AuditEntry
from trading.queries import hints

from .world import MAKER

STREAM = "/api/v1/stream"


def write_entry(kind: str, object_id: str = "x") -> int:
    with transaction.atomic():
        return audit.record(
            kind, actor=MAKER, object_type="order", object_id=object_id, data={"status": "open"}
        ).pk


def events(answer) -> list[tuple[str, int]]:
    blocks = [
        dict(line.split(": ", 1) for line in b.split("\n"))
        for b in answer.content.decode().split("\n\n")
        if b
    ]
    return [(block["event"], int(block["id"])) for block in blocks if "event" in block]


def test_a_first_visit_learns_where_it_stands(world, viewer):
    newest = write_entry("order.open")
    answer = viewer.get(STREAM)
    assert answer.status_code == 200 and answer["Content-Type"].startswith("text/event-stream")
    assert events(answer) == [("hello", newest)]


def test_a_later_visit_hears_what_it_missed(world, viewer):
    seen = write_entry("order.open", "seen")
    AuditEntry.objects.all()
    order, fill = write_entry("order.filled", "missed"), write_entry("fill.booked", "missed too")
    told = events(viewer.get(STREAM, after=seen, topics="orders,fills"))
    assert ("orders", order) in told and ("fills", fill) in told


def test_too_much_to_tell_is_a_reset(world, viewer, monkeypatch):
    monkeypatch.setattr(hints, "MOST", 3)
    seen = write_entry("order.open")
    newest = [write_entry("order.open") for _ in range(5)][-1]
    assert events(viewer.get(STREAM, after=seen)) == [("reset", newest)]


def test_only_topics_the_roles_may_see_are_granted(world, as_role):
    granted = json.loads(as_role("viewer").get(STREAM)["X-Levi-Stream"])["topics"]
    assert "orders" in granted and "halts" in granted
    assert as_role().get(STREAM).status_code == 401


def test_a_stranger_with_a_session_cookie_of_nobody_is_refused(db):
    assert Client().get(STREAM).status_code == 401


def test_an_unknown_topic_or_id_is_named(world, viewer):
    for query, word in (({"topics": "gossip"}, "gossip"), ({"after": "-1"}, "Last-Event-ID")):
        answer = viewer.get(STREAM, **query)
        assert answer.status_code == 400 and word in answer.json()["message"]
