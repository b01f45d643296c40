"""The client order id of an intent: deterministic, one per intent for all attempts, short enough for every venue.

`lv` + four characters of the instance + 26 characters of the intent's 128-bit id in base 32: exactly 32 characters of
`[a-z0-9]`, which MEXC (32), Binance and Bybit (36) all accept. The prefix tells our orders from foreign ones and an
orphan of this instance from one of another. It is a name, not an idempotency key: no venue is trusted to deduplicate.
"""

from __future__ import annotations

import re
from uuid import UUID

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, lower case
_PRODUCT = "lv"
_INSTANCE = re.compile(r"[a-z0-9]{4}")


def prefix_of(instance_id: str) -> str:
    """The first six characters of every client order id of this instance."""
    if not _INSTANCE.fullmatch(instance_id):
        raise ValueError(f"instance id must be four characters of [a-z0-9], got {instance_id!r}")
    return _PRODUCT + instance_id


def client_order_id(instance_id: str, intent_id: UUID) -> str:
    number, letters = intent_id.int, []
    for _ in range(26):
        number, rest = divmod(number, 32)
        letters.append(_ALPHABET[rest])
    return prefix_of(instance_id) + "".join(reversed(letters))


def is_ours(candidate: str, instance_id: str) -> bool:
    return len(candidate) == 32 and candidate.startswith(prefix_of(instance_id))


def instance_of(ours: str) -> str:
    """The four characters that mark the instance, in a client order id of any of ours."""
    return ours[len(_PRODUCT) : len(_PRODUCT) + 4]
