"""Trails for the tests of checkpoints: in memory, written and inspected by the product's own functions.

A `MemoryTrail` holds plain rows as the tables do. `inspect` feeds them to the product's inspection the way the database
reader does; `test_tampered_tables.py` keeps the two readers equal.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from trading.audit.anchors import Anchor
from trading.audit.checkpoints import collect_unsealed, make_checkpoint, sealed_fields
from trading.audit.damage import AuditReport
from trading.audit.inspection import Inspection, read_spans
from trading.audit.rows import EntryRow, canonical_texts
from trading.audit.signing import public_key, sign
from trading.domain.chain import GENESIS, checkpoint_hash, entry_hash_of_bytes
from trading.models import AuditCheckpoint

KEY = b"tests-only-audit-key-0123456789abcdefgh"  # tests/servers.py
START = datetime(2026, 1, 1, tzinfo=UTC)
KINDS = ("order.approved", "order.filled", "limits.changed", "halt.engaged")


def canonical_time(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")


def chained(row: EntryRow, previous: str, key: bytes = KEY) -> EntryRow:
    row = row._replace(previous_hash=previous)
    return row._replace(hash=entry_hash_of_bytes(key, previous, canonical_texts(row)[0]))


def stream_name(number: int) -> str:
    return str(UUID(int=number + 1))


@dataclass
class MemoryTrail:
    rows: list[EntryRow] = field(default_factory=list)
    checkpoints: list[AuditCheckpoint] = field(default_factory=list)
    anchors: list[Anchor] = field(default_factory=list)
    at: datetime = START

    # -- writing ------------------------------------------------------------------------------------------------------
    def record(self, stream: str, kind: str = "note.made", data: dict[str, Any] | None = None) -> None:
        before = [row for row in self.rows if row.stream == stream]
        self.at += timedelta(seconds=1)
        row = EntryRow(
            id=len(self.rows) + 1,
            stream=stream,
            sequence=len(before) + 1,
            at=canonical_time(self.at),
            kind=kind,
            actor="operator:anna",
            object_type="order",
            object_id=f"o-{len(self.rows)}",
            request_id="r",
            data=json.dumps(data or {"number": len(self.rows)}),
            previous_hash="",
            hash="",
        )
        self.rows.append(chained(row, before[-1].hash if before else GENESIS))

    def seal(self) -> AuditCheckpoint:
        last = self.checkpoints[-1] if self.checkpoints else None
        sealed = self.sealed_heads()
        waiting = [
            (row, sealed.get(row.stream, 0))
            for row in sorted(self.rows, key=lambda row: (row.stream, row.sequence))
            if row.sequence > sealed.get(row.stream, 0)
        ]
        found = collect_unsealed(waiting, last.max_entry_id if last else 0)
        made = make_checkpoint(last, found, "test", "system:tests")
        made.at = self.at = self.at + timedelta(minutes=6)
        resign(made)
        self.checkpoints.append(made)
        self.anchors.append(Anchor(made.number, made.hash, made.signature, len(self.anchors) + 1))
        return made

    def sealed_heads(self) -> dict[str, int]:
        return {
            stream: last
            for checkpoint in self.checkpoints
            for stream, (_first, last) in checkpoint.streams.items()
        }

    # -- reading ------------------------------------------------------------------------------------------------------
    def inspect(self) -> AuditReport:
        inspection = Inspection(KEY, public_key())
        inspection.read_anchors(self.anchors)
        rows = sorted(self.rows, key=lambda row: (row.stream, row.sequence))
        for checkpoint in sorted(self.checkpoints, key=lambda found: found.number):
            spans = read_spans(checkpoint.streams)
            found = [
                row
                for row in rows
                if row.stream in spans and spans[row.stream][0] <= row.sequence <= spans[row.stream][1]
            ]
            inspection.inspect_checkpoint(checkpoint, found)
        heads = {stream: sealed for stream, (sealed, _hash) in inspection.heads.items()}
        inspection.inspect_rest(
            [row for row in rows if row.sequence > heads.get(row.stream, 0) or row.sequence < 1]
        )
        return inspection.finish(self.checkpoints[-1] if self.checkpoints else None)

    # -- tampering ----------------------------------------------------------------------------------------------------
    def copy(self) -> MemoryTrail:
        return MemoryTrail(
            list(self.rows), [copy.deepcopy(row) for row in self.checkpoints], list(self.anchors), self.at
        )

    def replace(self, place: int, **changes: Any) -> None:
        self.rows[place] = self.rows[place]._replace(**changes)

    def recompute(
        self, stream: str, key: bytes = KEY, then: Callable[[EntryRow], EntryRow] | None = None
    ) -> None:
        """Make a whole chain consistent again, as somebody with this key could."""
        previous = GENESIS
        places = [place for place, row in enumerate(self.rows) if row.stream == stream]
        for place in sorted(places, key=lambda place: self.rows[place].sequence):
            row = then(self.rows[place]) if then else self.rows[place]
            self.rows[place] = chained(row, previous, key)
            previous = self.rows[place].hash


def resign(checkpoint: AuditCheckpoint) -> None:
    """As somebody who has the key would, after a change."""
    checkpoint.hash = checkpoint_hash(sealed_fields(checkpoint))
    checkpoint.signature = sign(checkpoint.hash)


def make_trail(streams: int = 4, checkpoints: int = 4, entries: int = 12, tail: int = 3) -> MemoryTrail:
    """Entries interleaved over the streams, sealed every `entries`, with a few that are not sealed yet."""
    trail = MemoryTrail()
    for _checkpoint in range(checkpoints):
        for number in range(entries):
            trail.record(
                stream_name(number % streams), KINDS[number % len(KINDS)], {"n": number, "text": "Zoë"}
            )
        trail.seal()
    for number in range(tail):
        trail.record(stream_name(number % streams))
    return trail
