"""The trail as the database has it: checkpoints with the entries they seal, and the entries no checkpoint seals.

Streams through server-side cursors; many small checkpoints share a query. What is asked for comes from the checkpoints
alone, never from the sealer's cache.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import DataError, connection, transaction

from trading.models import AuditCheckpoint

from .inspection import Head, read_spans
from .rows import COLUMNS, EntryRow, fetch_all

_number, _entry = itemgetter(0), itemgetter(slice(1, None))  # of a row of _SEALED
_BATCH_ENTRIES, _BATCH_CHECKPOINTS = 5_000, 500
_SEALED = f"""
SELECT r.number, {COLUMNS}
FROM unnest(%s::bigint[], %s::uuid[], %s::bigint[], %s::bigint[]) AS r (number, stream, low, high)
JOIN trading_auditentry e ON e.stream = r.stream AND e.sequence BETWEEN r.low AND r.high
ORDER BY r.number, e.stream, e.sequence"""
_REST = f"""
SELECT {COLUMNS} FROM trading_auditentry e
LEFT JOIN unnest(%s::uuid[], %s::bigint[]) AS h (stream, sealed) ON h.stream = e.stream
WHERE (e.sequence > COALESCE(h.sealed, 0) OR e.sequence < 1) AND (%s::timestamptz IS NULL OR e.at <= %s)
ORDER BY e.stream, e.sequence"""
_HEADS = """
SELECT h.stream, h.sealed, COALESCE(e.hash, '') FROM (
    SELECT s.key AS stream, max((s.value ->> 1)::bigint) AS sealed
    FROM trading_auditcheckpoint c, jsonb_each(c.streams) s WHERE c.number <= %s GROUP BY s.key) h
LEFT JOIN trading_auditentry e ON e.stream = h.stream::uuid AND e.sequence = h.sealed"""


@contextmanager
def long_reading() -> Iterator[None]:
    """One transaction in which a statement may take as long as a whole table takes."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL work_mem = '32MB'")
        yield


def find_checkpoint(number: int) -> AuditCheckpoint | None:
    return AuditCheckpoint.objects.filter(number=number).first()


def newest_checkpoint() -> AuditCheckpoint | None:
    return AuditCheckpoint.objects.order_by("-number").first()


def read_sealed(
    *, after: int = 0, until: datetime | None = None
) -> Iterator[tuple[AuditCheckpoint, list[EntryRow] | Iterator[EntryRow]]]:
    """Each checkpoint, by number, with the entries that are there of those it seals. Inside `long_reading`."""
    rows = AuditCheckpoint.objects.filter(number__gt=after).order_by("number")
    if until is not None:
        rows = rows.filter(at__lte=until)
    for batch in _batches(rows.iterator(chunk_size=_BATCH_CHECKPOINTS)):
        with closing(_read_batch(batch)) as found:
            groups = groupby(found, key=_number)
            waiting = next(groups, None)
            for checkpoint in batch:
                if waiting is None or waiting[0] != checkpoint.number:
                    yield checkpoint, []
                    continue
                yield checkpoint, map(EntryRow._make, map(_entry, waiting[1]))
                waiting = next(groups, None)


def _batches(checkpoints: Iterable[AuditCheckpoint]) -> Iterator[list[AuditCheckpoint]]:
    batch: list[AuditCheckpoint] = []
    entries = 0
    for checkpoint in checkpoints:
        batch.append(checkpoint)
        entries += checkpoint.entry_count
        if entries >= _BATCH_ENTRIES or len(batch) >= _BATCH_CHECKPOINTS:
            yield batch
            batch, entries = [], 0
    if batch:
        yield batch


def _read_batch(batch: list[AuditCheckpoint]) -> Generator[tuple[Any, ...], None, None]:
    spans = [
        (checkpoint.number, stream, first, last)
        for checkpoint in batch
        for stream, (first, last) in read_spans(checkpoint.streams).items()
    ]
    columns = [list(column) for column in zip(*spans, strict=True)] or [[], [], [], []]
    with closing(connection.chunked_cursor()) as cursor:
        cursor.execute(_SEALED, columns)
        yield from fetch_all(cursor)


def read_rest(heads: dict[str, Head], until: datetime | None = None) -> Iterator[EntryRow]:
    """Entries beyond these heads, by stream and sequence. Inside `long_reading`."""
    with closing(connection.chunked_cursor()) as cursor:
        cursor.execute(_REST, [list(heads), [sealed for sealed, _hash in heads.values()], until, until])
        yield from map(EntryRow._make, fetch_all(cursor))


def find_heads(number: int) -> dict[str, Head] | None:
    """Where every stream stood at this checkpoint, from the checkpoints up to it. None if they are no such thing."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_HEADS, [number])
            return {stream: (sealed, digest) for stream, sealed, digest in cursor.fetchall()}
    except DataError:
        return None


def read_leaves(checkpoint: AuditCheckpoint) -> Iterator[EntryRow]:
    """The entries that one checkpoint seals, in the order of its leaves. Inside `long_reading`."""
    for row in _read_batch([checkpoint]):
        yield EntryRow._make(row[1:])
