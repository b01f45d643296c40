"""MEXC's signature: HMAC-SHA256 in lower-case hex over exactly the query string that is sent. Pure functions."""

from __future__ import annotations

from ..endpoint import Pairs
from ..query_string import encode_query, sign


def signed_query(secret: str, pairs: Pairs, *, timestamp_ms: int, window_ms: int) -> str:
    """The whole query string with its signature last: send it unchanged."""
    query = encode_query([*pairs, ("recvWindow", str(window_ms)), ("timestamp", str(timestamp_ms))])
    return f"{query}&signature={sign(secret, query)}"
