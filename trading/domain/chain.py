"""Canonical bytes and hashes of the audit trail.

Pure functions shared by the writer, the verifier and the exporter. Canonical JSON (sorted keys, no blanks, decimals and
times as strings) and length-prefixed, domain-separated hashing: two different entries can never serialise to the same
bytes. The hash is an HMAC whose key lives outside the database, so that somebody who can write the table cannot
recompute a chain.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from .money import plain

GENESIS = "0" * 64
_DOMAIN = b"levi.audit.entry.v1"
_CHECKPOINT_DOMAIN = b"levi.audit.checkpoint.v1"


def _canonical_value(value: Any) -> Any:
    if type(value) is str:  # most are
        return value
    if isinstance(value, float):
        raise TypeError("floats have no canonical form: use Decimal or str")
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError(
                "a naive datetime has no canonical form: it means another instant on each machine"
            )
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Mapping):
        named = {str(key): _canonical_value(item) for key, item in value.items()}
        if len(named) != len(value):
            raise TypeError("two keys have the same text: one of them would be lost")
        return named
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [_canonical_value(item) for item in value]
        return sorted(items, key=str) if isinstance(value, (set, frozenset)) else items
    return value


def canonical(value: Any) -> Any:
    """`value` as plain JSON types, the same on every machine."""
    return _canonical_value(value)


def canonical_bytes(value: Any) -> bytes:
    return bytes_of_canonical(_canonical_value(value))


def bytes_of_canonical(value: Any) -> bytes:
    """The same for what `canonical` has made already: the second pass over it is half of an entry's cost."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def _prefixed(part: bytes) -> bytes:
    return len(part).to_bytes(8, "big") + part


_PREFIX = _prefixed(_DOMAIN)


def entry_hash(key: bytes, previous: str, entry: Mapping[str, Any]) -> str:
    """HMAC-SHA256 over domain, previous hash and the canonical entry, each length-prefixed; 64 hex digits."""
    return entry_hash_of_bytes(key, previous, canonical_bytes(entry))


def entry_hash_of_bytes(key: bytes, previous: str, canonical_entry: bytes) -> str:
    """The same for an entry that is canonical bytes already: what a verification of millions can afford."""
    message = _PREFIX + _prefixed(previous.encode()) + _prefixed(canonical_entry)
    return hmac.digest(key, message, "sha256").hex()


class EntryHasher:
    """`entry_hash_of_bytes` with one key for millions: the key enters both halves of the HMAC once (RFC 2104)."""

    def __init__(self, key: bytes) -> None:
        block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\x00")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block) + _PREFIX)
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def hash(self, previous: str, canonical_entry: bytes) -> str:
        inner, outer, before = self._inner.copy(), self._outer.copy(), previous.encode()
        sizes = len(before).to_bytes(8, "big"), len(canonical_entry).to_bytes(8, "big")
        inner.update(sizes[0] + before + sizes[1] + canonical_entry)
        outer.update(inner.digest())
        return outer.hexdigest()


def checkpoint_hash(checkpoint: Mapping[str, Any]) -> str:
    """SHA-256 without a key, so that anybody can check it; the signature over it is what nobody else can make."""
    message = _prefixed(_CHECKPOINT_DOMAIN) + _prefixed(canonical_bytes(checkpoint))
    return hashlib.sha256(message).hexdigest()


def signed_bytes(checkpoint_digest: str) -> bytes:
    """What a checkpoint's signature covers: its hash, in a domain of its own."""
    return _prefixed(_CHECKPOINT_DOMAIN + b".signature") + bytes.fromhex(checkpoint_digest)
