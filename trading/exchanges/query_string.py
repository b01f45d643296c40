"""Query strings that are signed exactly as they are sent. Pure functions."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import quote, urlencode

from .endpoint import Pairs


def encode_query(pairs: Pairs) -> str:
    """`k=v&k=v` in the given order; percent-encoded with upper-case digits, a blank as %20."""
    return urlencode(pairs, quote_via=quote, safe="")


def sign(secret: str, text: str) -> str:
    """HMAC-SHA256 in lower-case hex."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def signed_query(secret: str, pairs: Pairs, *, timestamp_ms: int, window_ms: int) -> str:
    """The whole query string as MEXC and Binance want it, with its signature last: send it unchanged."""
    query = encode_query([*pairs, ("recvWindow", str(window_ms)), ("timestamp", str(timestamp_ms))])
    return f"{query}&signature={sign(secret, query)}"
