"""Audit entries as plain rows, and the two canonical texts of each: what its hash covers, and its leaf.

The leaf is one line of canonical JSON with every column, `id` and both hashes included. An export writes exactly these
lines, so that a checkpoint's root can be checked from an exported file by hashing its lines as they are. Equal to
`domain.chain.canonical_bytes` of the same fields, but without a detour over models: a verification reads millions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from json.encoder import (
    c_make_encoder,
    encode_basestring,
)  # escapes what must be, leaves other letters as they are
from typing import Any, NamedTuple

FETCH = 2000
_decode = json.JSONDecoder().scan_once

# In the order of EntryRow. The time as `domain.chain` writes it; uuid and jsonb as text.
COLUMNS = """e.id, e.stream::text, e.sequence, to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
e.kind, e.actor, e.object_type, e.object_id, e.request_id, e.data::text, e.previous_hash, e.hash"""


class EntryRow(NamedTuple):
    id: int
    stream: str
    sequence: int
    at: str
    kind: str
    actor: str
    object_type: str
    object_id: str
    request_id: str
    data: str  # JSON
    previous_hash: str
    hash: str


def _make_encode() -> Callable[[Any], str]:
    """`JSONEncoder.encode` builds its inner encoder anew for each value, which costs as much as a small value does."""
    if c_make_encoder is None:
        return json.JSONEncoder(
            sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        ).encode
    # In order: no search for cycles, what to do with other types, keys sorted, none skipped, no NaN.
    parts = c_make_encoder(None, _refuse, encode_basestring, None, ":", ",", True, False, False)
    join = "".join
    return lambda value: join(parts(value, 0))


def _refuse(value: object) -> Any:
    raise ValueError(f"{type(value).__name__} is no JSON")


_encode = _make_encode()


def _canonical_data(data: str) -> str:
    try:
        return _encode(_decode(data, 0)[0])  # jsonb: nothing stands behind it
    except StopIteration:
        raise ValueError("no JSON") from None


def canonical_texts(row: EntryRow) -> tuple[bytes, bytes]:
    """(what the hash covers, the leaf). Raises ValueError for data that is no storable JSON."""
    (
        entry_id,
        stream,
        sequence,
        at,
        kind,
        actor,
        object_type,
        object_id,
        request_id,
        data,
        previous,
        digest,
    ) = row
    head = f'{{"actor":{encode_basestring(actor)},"at":"{at}","data":'
    head += "{}" if data == "{}" else _canonical_data(data)
    middle = f'"kind":{encode_basestring(kind)},"object_id":{encode_basestring(object_id)},'
    middle += f'"object_type":{encode_basestring(object_type)},'
    end = f'"request_id":{encode_basestring(request_id)},"sequence":{sequence},"stream":"{stream}"}}'
    leaf = f'{head},"hash":{encode_basestring(digest)},"id":{entry_id},{middle}'
    leaf += f'"previous_hash":{encode_basestring(previous)},{end}'
    return f"{head},{middle}{end}".encode(), leaf.encode()


def fetch_all(cursor: Any) -> Iterator[tuple[Any, ...]]:
    while rows := cursor.fetchmany(FETCH):
        yield from rows
