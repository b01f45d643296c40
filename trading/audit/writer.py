"""The only writer of audit entries.

One hash chain per database connection: a connection runs one transaction after the other, so entry n + 1 can only
follow a committed n, and writers never wait for each other. The head is remembered only from the commit of the newest
entry on; in every other case it is read back, because a rollback, also to a savepoint, takes entries away again. A
connection whose COMMIT was not confirmed is dropped by Django and its successor begins a new chain, so a doubtful
commit never forks an old one.
"""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from trading import live, metrics
from trading.domain.actors import Actor
from trading.domain.chain import GENESIS, bytes_of_canonical, canonical, entry_hash_of_bytes
from trading.domain.errors import AuditFailure
from trading.failpoints import failpoint
from trading.models import AuditEntry

Listener = Callable[[AuditEntry], None]
# What happened to which object: kind, object id, data.
Fact = tuple[str, object, Mapping[str, Any]]
_listeners: list[Listener] = []
_SHARED = ("stream", "at", "actor", "object_type", "request_id")
_OWN = ("sequence", "kind", "object_id", "previous_hash", "hash")
# In the order of their numbers, so that ids follow them too.
_INSERT = """
INSERT INTO trading_auditentry
       (stream, at, actor, object_type, request_id, sequence, kind, object_id, previous_hash, hash, data)
SELECT %s::uuid, %s::timestamptz, %s, %s, %s, n.sequence, n.kind, n.object_id, n.previous_hash, n.hash, n.data
  FROM ROWS FROM (unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[]), jsonb_array_elements(%s))
       AS n (sequence, kind, object_id, previous_hash, hash, data)
RETURNING id
"""


class _Chain:
    """What is known of one connection's chain. Nobody else writes to it, so that its head is what we committed last."""

    def __init__(self) -> None:
        self.stream: UUID = uuid4()
        self._newest: AuditEntry | None = None  # written, whatever became of it
        self._head: tuple[int, str] | None = (0, GENESIS)  # None: only the table knows

    def take_head(self) -> tuple[int, str]:
        head, self._head = self._head, None
        return head or self._read_head() or (0, GENESIS)

    def _read_head(self) -> tuple[int, str] | None:
        rows = AuditEntry.objects.filter(stream=self.stream).order_by("-sequence")
        return rows.values_list("sequence", "hash").first()

    def follow(self, entry: AuditEntry) -> None:
        """It was written; its commit makes it the head, unless another entry was written meanwhile."""
        self._newest = entry

        def trust() -> None:
            if self._newest is entry:
                self._head = (entry.sequence, entry.hash)

        transaction.on_commit(trust)


_chains: weakref.WeakKeyDictionary[Any, _Chain] = weakref.WeakKeyDictionary()


def subscribe(listener: Listener) -> None:
    """Called with every entry, in its transaction, once it is written. Must be quick, and must take no lock."""
    if listener not in _listeners:
        _listeners.append(listener)


def _chain() -> _Chain:
    """The chain of the connection this thread uses now."""
    connection.ensure_connection()
    found = _chains.get(connection.connection)
    if found is None:
        found = _chains[connection.connection] = _Chain()
    return found


def hashed_fields(entry: AuditEntry) -> dict[str, Any]:
    """Everything an entry's hash covers, besides the hash before it."""
    return {
        "stream": entry.stream,
        "sequence": entry.sequence,
        "at": entry.at,
        "kind": entry.kind,
        "actor": entry.actor,
        "object_type": entry.object_type,
        "object_id": entry.object_id,
        "request_id": entry.request_id,
        "data": entry.data,
    }


def record(
    kind: str,
    *,
    actor: Actor,
    object_type: str = "",
    object_id: object = "",
    data: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Append one entry to this connection's chain. Must run inside the transaction of the change it describes."""
    return record_many([(kind, object_id, data or {})], actor=actor, object_type=object_type)[0]


def record_many(facts: Sequence[Fact], *, actor: Actor, object_type: str = "") -> list[AuditEntry]:
    """One entry per fact, in this order, chained to each other and written by one statement."""
    if not facts:
        return []
    if not connection.in_atomic_block:
        raise AuditFailure(
            f"audit entry {facts[0][0]} outside a transaction", remedy="This is a defect: please report it."
        )
    failpoint("audit.before_write")
    chain = _chain()
    entries = _chained(chain, facts, actor, object_type)
    _insert(entries)
    chain.follow(entries[-1])
    failpoint("audit.after_write")
    for entry in entries:
        for listener in _listeners:
            listener(entry)
    # A function, not a partial: Django names a robust callback that failed, and a partial has no name.
    transaction.on_commit(lambda: _tell(entries), robust=True)
    return entries


def _chained(chain: _Chain, facts: Sequence[Fact], actor: Actor, object_type: str) -> list[AuditEntry]:
    sequence, previous = chain.take_head()
    key, who, at = settings.AUDIT_KEY.encode(), str(actor), timezone.now()
    texts = {"stream": str(chain.stream), "at": canonical(at)}
    entries = []
    for number, (kind, object_id, data) in enumerate(facts, start=sequence + 1):
        entry = AuditEntry(
            stream=chain.stream,
            sequence=number,
            at=at,
            kind=kind,
            actor=who,
            object_type=object_type,
            object_id=str(object_id),
            request_id=actor.request_id,
            data=canonical(data),
            previous_hash=previous,
        )
        content = bytes_of_canonical(hashed_fields(entry) | texts)
        entry.hash = previous = entry_hash_of_bytes(key, previous, content)
        entries.append(entry)
    return entries


def _insert(entries: Sequence[AuditEntry]) -> None:
    """One statement; what the entries have in common is sent once."""
    shared = [getattr(entries[0], name) for name in _SHARED]
    own = [[getattr(entry, name) for entry in entries] for name in _OWN]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [*shared, *own, json.dumps([entry.data for entry in entries])])
        for entry, (key,) in zip(entries, cursor.fetchall(), strict=True):
            entry.pk = key
            entry._state.adding = False


def _tell(entries: Sequence[AuditEntry]) -> None:
    """Counters and live hints follow the trail, so that neither knows anything that was rolled back."""
    for entry in entries:
        metrics.count(entry.kind, entry.data)
    # A watcher reads the rows: one hint per object is as good as many.
    for entry in {entry.object_id: entry for entry in entries}.values():
        live.announce(entry.pk, entry.kind, entry.object_id, entry.at, entry.data)
