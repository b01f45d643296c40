"""Checkpoints: signed Merkle roots that seal what every stream has gained since the checkpoint before.

`seal` makes one, in a transaction of its own, under a lock that makes their numbers gap-free. A connection's chain
commits in order, so the visible part of a stream has no gap; ids are not committed in order, so that the search looks
back beyond the last checkpoint by more than any transaction may last. Nothing to seal makes no checkpoint. Sealing
stands beside the order path: nothing waits for it, and a halt does not know of it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from trading.domain.actors import Actor
from trading.domain.chain import GENESIS, checkpoint_hash
from trading.domain.merkle import GrowingTree, leaf_hash
from trading.failpoints import failpoint
from trading.locking import lock_audit_seal
from trading.models import AuditCheckpoint, AuditStreamHead

from .anchors import write_anchors
from .rows import COLUMNS, EntryRow, canonical_texts, fetch_all
from .signing import key_id_of, public_key, sign

log = logging.getLogger(__name__)

# A transaction lives for seconds (idle and statement time-outs), so that its entries show up well within this.
LOOK_BACK = timedelta(minutes=10)
SEAL_AGE = timedelta(seconds=60)
SEAL_ENTRIES = 1000
# An entry of these families is sealed as soon as it is seen.
URGENT = ("halt", "limits", "operator", "token", "account", "credential", "mode")

_UNSEALED = f"""
SELECT {COLUMNS}, COALESCE(h.sequence, 0)
FROM trading_auditentry e LEFT JOIN trading_auditstreamhead h ON h.stream = e.stream
WHERE e.sequence > COALESCE(h.sequence, 0)
  AND e.stream IN (SELECT stream FROM trading_auditentry WHERE id > %s OR at > %s)
ORDER BY e.stream, e.sequence"""
_WAITING = """
SELECT count(*), min(at), bool_or(split_part(kind, '.', 1) = ANY(%s))
FROM (SELECT at, kind FROM trading_auditentry WHERE id > %s ORDER BY id LIMIT %s) waiting"""


@dataclass(slots=True)
class Sealing:
    """What one pass over the unsealed entries found."""

    tree: GrowingTree
    streams: dict[str, list[int]]
    max_entry_id: int


def sealed_fields(checkpoint: AuditCheckpoint) -> dict[str, Any]:
    """Everything a checkpoint's hash covers."""
    names = ("number", "at", "reason", "actor", "streams", "entry_count", "max_entry_id", "root")
    return {name: getattr(checkpoint, name) for name in (*names, "previous_hash", "key_id")}


def seal(reason: str, *, actor: Actor) -> AuditCheckpoint | None:
    """Seal every visible entry that no checkpoint covers yet. None if there is none, or somebody else is sealing."""
    with transaction.atomic(durable=True):
        if not lock_audit_seal():
            log.warning("another checkpoint is being made; the next one covers what this one would have")
            return None
        last = AuditCheckpoint.objects.order_by("-number").first()
        found = collect_unsealed(_unsealed_rows(last), last.max_entry_id if last else 0)
        if not found.streams:
            return None
        made = make_checkpoint(last, found, reason, str(actor))
        made.save(force_insert=True)
        _remember_heads(found.streams)
        failpoint("audit.before_seal_commit")
    failpoint("audit.after_seal")
    # Committed first: an anchor may only speak of what is there.
    anchor(made)
    return made


def anchor(made: AuditCheckpoint) -> None:
    """A checkpoint stands without its anchor; the next anchor makes up for a missed one."""
    try:
        write_anchors(made)
    except OSError as error:
        log.error("checkpoint %s could not be anchored: %s", made.number, error)


def _unsealed_rows(last: AuditCheckpoint | None) -> Iterator[tuple[EntryRow, int]]:
    """With each entry: how far its stream is sealed."""
    since = last.at - LOOK_BACK if last else None
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '10min'")  # the first one may have years to seal
    with closing(connection.chunked_cursor()) as cursor:
        cursor.execute(_UNSEALED, [last.max_entry_id if last else 0, since or timezone.now()])
        for row in fetch_all(cursor):
            yield EntryRow._make(row[:-1]), row[-1]


def collect_unsealed(rows: Iterable[tuple[EntryRow, int]], max_entry_id: int) -> Sealing:
    """Rows by stream and sequence. A stream is sealed up to a hole or a damaged row: nobody vouches for the rest."""
    found = Sealing(GrowingTree(), {}, max_entry_id)
    for row, sealed in rows:
        first, last = found.streams.get(row.stream, (sealed + 1, sealed))
        leaf = _find_leaf(row) if row.sequence == last + 1 else None
        if leaf is None:
            log.error("stream %s is damaged at entry %s: not sealed from there on", row.stream, last + 1)
            continue
        found.tree.add(leaf)
        found.streams[row.stream] = [first, row.sequence]
        found.max_entry_id = max(found.max_entry_id, row.id)
    return found


def _find_leaf(row: EntryRow) -> bytes | None:
    try:
        return leaf_hash(canonical_texts(row)[1])
    except (ValueError, RecursionError):
        return None  # the writer never wrote this


def make_checkpoint(last: AuditCheckpoint | None, found: Sealing, reason: str, actor: str) -> AuditCheckpoint:
    """Chained to the one before, hashed and signed; not saved."""
    made = AuditCheckpoint(
        number=last.number + 1 if last else 1,
        at=timezone.now(),
        reason=reason,
        actor=actor,
        streams=found.streams,
        entry_count=found.tree.count,
        max_entry_id=found.max_entry_id,
        root=found.tree.root().hex(),
        previous_hash=last.hash if last else GENESIS,
        key_id=key_id_of(public_key()),
    )
    made.hash = checkpoint_hash(sealed_fields(made))
    made.signature = sign(made.hash)
    return made


def _remember_heads(streams: Mapping[str, list[int]]) -> None:
    heads = [AuditStreamHead(stream=stream, sequence=last) for stream, (_first, last) in streams.items()]
    AuditStreamHead.objects.bulk_create(
        heads, batch_size=5000, update_conflicts=True, update_fields=["sequence"], unique_fields=["stream"]
    )


def why_seal() -> str:
    """The reason for a checkpoint now; empty if there is none. One query on the newest entries."""
    last = AuditCheckpoint.objects.order_by("-number").values_list("max_entry_id", flat=True).first()
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [list(URGENT), last or 0, SEAL_ENTRIES])
        count, oldest, urgent = cursor.fetchone()
    if not count:
        return ""
    if urgent:
        return "control"
    if count >= SEAL_ENTRIES:
        return "entries"
    return "age" if oldest <= timezone.now() - SEAL_AGE else ""


def seal_if_due(*, actor: Actor) -> AuditCheckpoint | None:
    """For everybody who looks around: cheap when nothing is due, safe to call from anywhere at any time."""
    reason = why_seal()
    return seal(reason, actor=actor) if reason else None
