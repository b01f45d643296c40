"""What a verification can find, and the report it gives.

Chains show a changed, missing or unlinked entry. Roots show an entry that was recomputed with the key. Numbers, hashes
and signatures show a replaced checkpoint. Anchors show a cut-off end and a restored older state.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class DamageKind(StrEnum):
    CHANGED = "changed"  # the entry's content does not match its hash
    MISSING = "missing"  # a sequence number is not there
    UNLINKED = "unlinked"  # the entry does not continue the one before it
    ROOT = "root"  # the entries a checkpoint seals do not give its root
    CHECKPOINT = "checkpoint"  # a checkpoint was changed, is missing, or does not continue the one before it
    SIGNATURE = "signature"  # a checkpoint is not signed by this installation's key
    ANCHOR = "anchor"  # an anchored checkpoint is not there or not the same
    LATE = "late"  # an entry that is older than the checkpoints it is not under


CHAIN_KINDS = (DamageKind.CHANGED, DamageKind.MISSING, DamageKind.UNLINKED)


@dataclass(frozen=True, slots=True)
class Damage:
    """`entry_id` is 0 where the entry is gone or the damage is a checkpoint's; `checkpoint` is 0 where none is."""

    entry_id: int
    stream: str
    sequence: int
    kind: DamageKind
    detail: str
    checkpoint: int = 0


@dataclass(slots=True)
class AuditReport:
    """`ok`: every entry and checkpoint is there, unchanged, linked, under its root, and as the anchors know it.

    `damages` names the first of each chain, and the first of each kind that is about checkpoints; `counts` has all.
    """

    entries: int = 0
    streams: int = 0
    damages: list[Damage] = field(default_factory=list)
    checkpoints: int = 0
    sealed_entries: int = 0
    anchors: int = 0
    since_checkpoint: int = 0
    last_checkpoint: int = 0
    notes: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def ok(self) -> bool:
        return not self.counts and not self.damages

    def add(self, damage: Damage) -> None:
        """Chains report their first damage themselves; of the other kinds the first is kept, the rest counted."""
        if damage.kind in CHAIN_KINDS or not self.counts[damage.kind]:
            self.damages.append(damage)
        self.counts[damage.kind] += 1

    def as_dict(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "entries": self.entries,
            "streams": self.streams,
            "checkpoints": self.checkpoints,
            "sealed_entries": self.sealed_entries,
            "anchors": self.anchors,
            "since_checkpoint": self.since_checkpoint,
            "last_checkpoint": self.last_checkpoint,
            "kinds": dict(self.counts),
            "damages": [asdict(damage) for damage in self.damages],
            "notes": list(self.notes),
        }
