"""MEXC's signature: HMAC-SHA256 in lower-case hex over exactly the query string that is sent. Pure functions."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from urllib.parse import quote, urlencode

Pairs = Sequence[tuple[str, str]]


def encode_query(pairs: Pairs) -> str:
    """`k=v&k=v` in the given order; percent-encoded with upper-case digits, a blank as %20."""
    return urlencode(pairs, quote_via=quote, safe="")


def sign(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def signed_query(secret: str, pairs: Pairs, *, timestamp_ms: int, window_ms: int) -> str:
    """The whole query string with its signature last: send it unchanged."""
    query = encode_query([*pairs, ("recvWindow", str(window_ms)), ("timestamp", str(timestamp_ms))])
    return f"{query}&signature={sign(secret, query)}"
