"""What must never be seen, taken out of everything that is kept or shown.

A signed URL, an API key and a secret are worth money. Texts that may reach a log, a row or a page go through `redact`
with the exact secrets of their connection; the patterns catch what a venue or a library echoes in another form.
The HTTP libraries log whole URLs at INFO, so their loggers are shut below WARNING by a filter that no log
configuration can undo by setting a level.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable

_HIDDEN = "***"
_NAMES = (
    "signature|accessKey|apiKey|secretKey|listenKey|X-MEXC-APIKEY|X-MBX-APIKEY|X-BAPI-API-KEY|X-BAPI-SIGN"
    "|Authorization"
)
_NAMED = re.compile(rf"(?i)\b({_NAMES})(%3D|[\"']?\s*[=:]\s*[\"']?)[^&\"'\s,}}]+")
_LIBRARIES = (
    "httpx",
    "httpcore",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
    "websockets",
    "websockets.client",
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    for secret in secrets:
        if secret:
            text = text.replace(secret, _HIDDEN)
    return _NAMED.sub(rf"\1\2{_HIDDEN}", text)


def _is_worth_logging(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING


def quiet_http_loggers() -> None:
    """Idempotent: addFilter ignores a filter that is already there."""
    for name in _LIBRARIES:
        logging.getLogger(name).addFilter(_is_worth_logging)
