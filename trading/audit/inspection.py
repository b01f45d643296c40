"""The inspection of a trail: chains, checkpoints and anchors, from plain rows. Reads no table and no file.

Memory is a head per stream and a branch per checkpoint, never the entries. Fed in this order: anchors; then each
checkpoint with the entries it seals, by stream and sequence; then what no checkpoint seals.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Any
from uuid import UUID

from trading.domain.chain import GENESIS, EntryHasher, checkpoint_hash
from trading.domain.merkle import GrowingTree
from trading.models import AuditCheckpoint

from .anchors import Anchor
from .checkpoints import LOOK_BACK, sealed_fields
from .damage import AuditReport, Damage, DamageKind
from .rows import FETCH, EntryRow, canonical_texts
from .signing import is_signed, key_id_of

# An entry may not be dated this long before the checkpoint that precedes it: it would have been sealed by that one.
DATED_BACK = timedelta(hours=1)
_TOO_HIGH = 2**63  # for a column
Head = tuple[int, str]  # sequence and hash; no hash: not known, so that the next link cannot be judged
Spans = dict[str, tuple[int, int]]


def read_spans(streams: Any) -> Spans:
    """A checkpoint's streams; empty if they are none: somebody may have written anything there."""
    try:
        spans = {str(UUID(stream)): (first, last) for stream, (first, last) in streams.items()}
    except (AttributeError, TypeError, ValueError):
        return {}
    numbers = [number for span in spans.values() for number in span]
    are_whole = all(type(number) is int and 0 < number < _TOO_HIGH for number in numbers)
    return spans if are_whole and all(first <= last for first, last in spans.values()) else {}


class Inspection:
    """`heads` and `last` say where an earlier inspection ended; without them it begins at the beginning."""

    def __init__(
        self,
        key: bytes,
        public: bytes,
        *,
        heads: dict[str, Head] | None = None,
        last: AuditCheckpoint | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self.report = AuditReport(since_checkpoint=last.number if last else 0)
        self._hasher, self._public, self._key_id = EntryHasher(key), public, key_id_of(public)
        self.heads = heads or {}
        self._seen: set[str] = set()
        self._broken: set[str] = set()
        self._last = last
        self._anchors: dict[int, Anchor] = {}
        self._passed = deque([(last.at, last.max_entry_id)] if last else [])
        self._floor = 0  # ids up to here were sealed long before the checkpoint at hand
        self._progress = progress

    # -- anchors ------------------------------------------------------------------------------------------------------
    def read_anchors(self, anchors: Iterable[Anchor | int]) -> None:
        """Before the checkpoints: what is anchored was committed, so that nothing newer can be misjudged."""
        for anchor in anchors:
            if isinstance(anchor, int):
                self.report.notes.append(f"line {anchor} of the anchors cannot be read")
                continue
            known = self._anchors.setdefault(anchor.number, anchor)
            if known.hash != anchor.hash:
                self._add(
                    DamageKind.ANCHOR, anchor.number, f"anchored twice, with two hashes (line {anchor.line})"
                )
        self.report.anchors = len(self._anchors)

    # -- checkpoints --------------------------------------------------------------------------------------------------
    def inspect_checkpoint(self, checkpoint: AuditCheckpoint, rows: Iterable[EntryRow]) -> None:
        self._inspect_seal(checkpoint)
        self._inspect_anchor(checkpoint)
        self._raise_floor(checkpoint.at)
        spans = read_spans(checkpoint.streams)
        self._inspect_spans(checkpoint, spans)
        tree = GrowingTree()
        self._inspect_entries(rows, tree, checkpoint)
        self._inspect_ends(checkpoint, spans)
        if tree.count != checkpoint.entry_count or tree.root().hex() != checkpoint.root:
            detail = f"its {checkpoint.entry_count} entries do not give its root ({tree.count} were found)"
            self._add(DamageKind.ROOT, checkpoint.number, detail)
        self._passed.append((checkpoint.at, checkpoint.max_entry_id))
        self._last = checkpoint
        self.report.checkpoints += 1
        self.report.sealed_entries += tree.count

    def _inspect_seal(self, checkpoint: AuditCheckpoint) -> None:
        number, before = (self._last.number, self._last.hash) if self._last else (0, GENESIS)
        if checkpoint.number != number + 1:
            self._add(DamageKind.CHECKPOINT, number + 1, f"checkpoint {number + 1} is missing")
        elif checkpoint.previous_hash != before:
            self._add(
                DamageKind.CHECKPOINT, checkpoint.number, "it does not continue the checkpoint before it"
            )
        if not compare_digest(_hash_of(checkpoint), checkpoint.hash):
            self._add(DamageKind.CHECKPOINT, checkpoint.number, "its content does not match its hash")
        if checkpoint.key_id != self._key_id or not is_signed(
            self._public, checkpoint.hash, checkpoint.signature
        ):
            self._add(DamageKind.SIGNATURE, checkpoint.number, "not signed by the key of this installation")

    def _inspect_anchor(self, checkpoint: AuditCheckpoint) -> None:
        anchor = self._anchors.pop(checkpoint.number, None)
        if anchor is not None and anchor.hash != checkpoint.hash:
            detail = f"it is not the one that was anchored (line {anchor.line})"
            self._add(DamageKind.ANCHOR, checkpoint.number, detail)

    def _inspect_spans(self, checkpoint: AuditCheckpoint, spans: Spans) -> None:
        if not spans:
            self._add(DamageKind.CHECKPOINT, checkpoint.number, "its streams cannot be read")
        for stream, (first, _last) in spans.items():
            sealed = self.heads[stream][0] if stream in self.heads else 0
            if first == sealed + 1:
                continue
            if stream not in self._broken:
                detail = f"stream {stream} is sealed from {first} on, {sealed} came before"
                self._add(DamageKind.CHECKPOINT, checkpoint.number, detail)
            self.heads[stream] = (first - 1, "")  # what lies between is not missing, only its checkpoint is

    def _inspect_ends(self, checkpoint: AuditCheckpoint, spans: Spans) -> None:
        """A stream that ends before its seal does was cut off."""
        for stream, (_first, last) in spans.items():
            there, digest = self.heads.get(stream, (0, GENESIS))
            if there < last:
                if stream not in self._broken:
                    self._break(
                        Damage(
                            0,
                            stream,
                            there + 1,
                            DamageKind.MISSING,
                            f"entries {there + 1} to {last} of this chain are gone",
                            checkpoint.number,
                        )
                    )
                self.heads[stream] = (last, digest)

    # -- entries ------------------------------------------------------------------------------------------------------
    def inspect_rest(self, rows: Iterable[EntryRow]) -> None:
        """What no checkpoint seals: chains as far as they go."""
        if self._last:
            self._raise_floor(self._last.at)
        self._inspect_entries(rows, None, self._last)

    def _inspect_entries(
        self, rows: Iterable[EntryRow], tree: GrowingTree | None, checkpoint: AuditCheckpoint | None
    ) -> None:
        heads, hash_entry, report = self.heads, self._hasher.hash, self.report
        number = checkpoint.number if checkpoint and tree else 0
        oldest = self._oldest_date(checkpoint, sealed=tree is not None)
        for row in rows:
            stream, sequence = row.stream, row.sequence
            there, before = heads.get(stream) or (0, GENESIS)
            try:
                body, leaf = canonical_texts(row)
            except (ValueError, RecursionError):
                body, leaf = b"", b""  # nothing that was ever written: no hash fits
            if tree is not None:
                tree.add(sha256(b"\x00" + leaf).digest())
            if sequence != there + 1:
                kind = DamageKind.MISSING if sequence > there else DamageKind.UNLINKED
                said = (
                    f"entry {there + 1} of this chain is missing" if sequence > there else "it stands twice"
                )
                self._break_at(row, kind, said, number)
            elif hash_entry(row.previous_hash, body) != row.hash:
                self._break_at(row, DamageKind.CHANGED, "the content does not match the hash", number)
            elif before and row.previous_hash != before:
                self._break_at(
                    row, DamageKind.UNLINKED, "the entry does not continue the one before it", number
                )
            if row.id <= self._floor or row.at < oldest:
                said = "it came to be after the checkpoints of its time were made"
                self._add(DamageKind.LATE, number, said, row)
            heads[stream] = (sequence, row.hash)
            self._seen.add(stream)
            report.entries += 1
            if self._progress and report.entries % FETCH == 0:
                self._progress(report.entries)

    def _oldest_date(self, checkpoint: AuditCheckpoint | None, *, sealed: bool) -> str:
        """The canonical text of the earliest date an entry may bear; texts of times compare like times."""
        before = checkpoint.at if checkpoint else None
        if sealed:
            before = self._passed[-1][0] if self._passed else None
        return (before - DATED_BACK).isoformat(timespec="microseconds") if before else ""

    def _raise_floor(self, at: datetime) -> None:
        settled = at - LOOK_BACK
        while len(self._passed) > 1 and self._passed[1][0] <= settled:
            self._passed.popleft()
        if self._passed and self._passed[0][0] <= settled:
            self._floor = self._passed[0][1]

    def finish(self, newest: AuditCheckpoint | None) -> AuditReport:
        """`newest` is the newest checkpoint there is, which an inspection up to a time does not reach."""
        end = newest.number if newest else 0
        beyond = [number for number in self._anchors if number > end]
        if beyond:
            detail = (
                f"{len(beyond)} anchored checkpoints up to {max(beyond)} are not in the database, which ends at {end}: "
                "its end was cut off, or an older state was restored"
            )
            self._add(DamageKind.ANCHOR, min(beyond), detail)
        self.report.streams = len(self._seen)
        self.report.last_checkpoint = self._last.number if self._last else 0
        return self.report

    # -- saying so ----------------------------------------------------------------------------------------------------
    def _break_at(self, row: EntryRow, kind: DamageKind, detail: str, checkpoint: int) -> None:
        if row.stream not in self._broken:
            self._break(Damage(row.id, row.stream, row.sequence, kind, detail, checkpoint))

    def _break(self, damage: Damage) -> None:
        self._broken.add(damage.stream)
        self.report.add(damage)

    def _add(self, kind: DamageKind, checkpoint: int, detail: str, row: EntryRow | None = None) -> None:
        entry_id, stream, sequence = (row.id, row.stream, row.sequence) if row else (0, "", 0)
        self.report.add(Damage(entry_id, stream, sequence, kind, detail, checkpoint))


def _hash_of(checkpoint: AuditCheckpoint) -> str:
    try:
        return checkpoint_hash(sealed_fields(checkpoint))
    except TypeError:
        return ""  # a number with a fraction among the streams: never written by us
