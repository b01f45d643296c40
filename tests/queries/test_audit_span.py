"""Bounds of ids for a span of time: they leave out nothing that the time lets in, and save the walk."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from trading.domain.chain import GENESIS
from trading.models import AuditEntry
from trading.queries.audit_span import within_ids

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def write_entries(count: int) -> None:
    """One a quarter of an hour, on hosts whose clocks are up to an hour apart."""
    random.seed(5)
    stream = uuid4()
    AuditEntry.objects.bulk_create(
        AuditEntry(
            stream=stream,
            sequence=number,
            at=BEGIN + timedelta(minutes=15 * number + random.uniform(-30, 30)),
            kind="note.made",
            actor="system:tests",
            data={},
            previous_hash=GENESIS,
            hash=GENESIS,
        )
        for number in range(1, count + 1)
    )


def test_nothing_is_left_out_and_little_is_walked_past(db: None):
    write_entries(200)
    everything = AuditEntry.objects.all()
    for hours in (-10, 0, 1, 2.5, 20, 30.1, 49, 80):
        after, before = BEGIN + timedelta(hours=hours), BEGIN + timedelta(hours=hours + 5)
        for rows, span in (
            (everything.filter(at__lt=before), (None, before)),
            (everything.filter(at__gte=after), (after, None)),
            (everything.filter(at__gte=after, at__lt=before), (after, before)),
        ):
            assert set(within_ids(rows, *span)) == set(rows)
    middle = BEGIN + timedelta(hours=25)
    assert within_ids(everything, middle, middle).count() < 30
