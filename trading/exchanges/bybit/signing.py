"""Bybit's signature: HMAC-SHA256 over stamp, key, window and exactly the query string or body that is sent. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ..query_string import sign


def signed_headers(
    key: str, secret: str, payload: str, *, timestamp_ms: int, window_ms: int
) -> Mapping[str, str]:
    """`payload`: the query string without its question mark, or the body; send it unchanged."""
    return {
        "X-BAPI-API-KEY": key,
        "X-BAPI-TIMESTAMP": str(timestamp_ms),
        "X-BAPI-RECV-WINDOW": str(window_ms),
        "X-BAPI-SIGN": sign(secret, f"{timestamp_ms}{key}{window_ms}{payload}"),
    }


def stream_signature(secret: str, expires_ms: int) -> str:
    return sign(secret, f"GET/realtime{expires_ms}")
