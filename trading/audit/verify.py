"""Verification of the audit trail: recomputes every chain and names the first wrong entry of each.

Reads only. Detects a changed entry (hash), a removed or inserted one (sequence and link), and a chain that was
recomputed without the key. What chains alone cannot show, a cut-off end, is the business of checkpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.conf import settings

from trading.domain.chain import GENESIS, entry_hash
from trading.models import AuditEntry

from .writer import hashed_fields

_BATCH = 2000


class DamageKind(StrEnum):
    CHANGED = "changed"  # the entry's content does not match its hash
    MISSING = "missing"  # a sequence number is not there
    UNLINKED = "unlinked"  # the entry does not continue the one before it


@dataclass(frozen=True, slots=True)
class Damage:
    entry_id: int
    stream: str
    sequence: int
    kind: DamageKind
    detail: str


@dataclass(slots=True)
class AuditReport:
    """`ok` means: every entry present is unchanged and every chain is without a gap."""

    entries: int = 0
    streams: int = 0
    damages: list[Damage] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.damages

    def as_dict(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "entries": self.entries,
            "streams": self.streams,
            "damages": [asdict(damage) for damage in self.damages],
        }


def _entries(until: datetime | None) -> Iterator[AuditEntry]:
    rows = AuditEntry.objects.order_by("stream", "sequence")
    if until is not None:
        rows = rows.filter(at__lte=until)
    yield from rows.iterator(chunk_size=_BATCH)


def _inspect(entry: AuditEntry, sequence: int, previous: str, key: bytes) -> Damage | None:
    where = (entry.pk, str(entry.stream), entry.sequence)
    if entry.sequence != sequence:
        return Damage(*where, DamageKind.MISSING, f"entry {sequence} of this chain is missing")
    if entry.hash != entry_hash(key, entry.previous_hash, hashed_fields(entry)):
        return Damage(*where, DamageKind.CHANGED, "the content does not match the hash")
    if entry.previous_hash != previous:
        return Damage(*where, DamageKind.UNLINKED, "the entry does not continue the one before it")
    return None


def verify(*, until: datetime | None = None, progress: Callable[[int], None] | None = None) -> AuditReport:
    """Check all entries (up to `until`). Reports at most one damage per chain: the first."""
    key = settings.AUDIT_KEY.encode()
    report = AuditReport()
    stream: UUID | None = None
    sequence, previous, damaged = 1, GENESIS, False
    for entry in _entries(until):
        if entry.stream != stream:
            stream, sequence, previous, damaged = entry.stream, 1, GENESIS, False
            report.streams += 1
        if not damaged and (damage := _inspect(entry, sequence, previous, key)):
            report.damages.append(damage)
            damaged = True
        sequence, previous = entry.sequence + 1, entry.hash
        report.entries += 1
        if progress and report.entries % _BATCH == 0:
            progress(report.entries)
    return report
