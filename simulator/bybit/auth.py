"""Bybit's request checks: key, clock window, signature and rights, all from headers.

The signature is lower-case hex HMAC-SHA256 over timestamp, key, window and what was sent: the query string as it came
for GET, the body's bytes for POST. Nothing is put in order, escaped or reformatted before it is compared.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from hashlib import sha256

from simulator.bybit.errors import BybitRefusal, bad_parameter
from simulator.bybit.profile import READ_ONLY
from simulator.core.accounts import SimUser
from simulator.http.messages import HttpRequest

KEY, TIMESTAMP, SIGN, WINDOW = "x-bapi-api-key", "x-bapi-timestamp", "x-bapi-sign", "x-bapi-recv-window"
USUAL_WINDOW_MS = 5_000
AHEAD_MS = 1_000
INVALID_KEY = "API key is invalid."


def sign(secret: str, text: bytes) -> str:
    return hmac.new(secret.encode(), text, sha256).hexdigest()


def find_caller(request: HttpRequest, users: Mapping[str, SimUser]) -> SimUser:
    missing = [name for name in (KEY, TIMESTAMP, SIGN) if not request.headers.get(name)]
    if missing:
        raise BybitRefusal(401, f"authentication headers are missing: {', '.join(missing)}", status=401)
    user = users.get(request.headers[KEY])
    if user is None:
        raise BybitRefusal(10003, INVALID_KEY)
    return user


def check_signature(request: HttpRequest, user: SimUser, now_ms: int) -> None:
    given, window = request.headers, request.headers.get(WINDOW, "")
    _check_window(given[TIMESTAMP], window or str(USUAL_WINDOW_MS), now_ms)
    sent = request.query.encode("latin-1") if request.method == "GET" else request.body
    covered = f"{given[TIMESTAMP]}{user.key}{window}".encode() + sent
    if not hmac.compare_digest(sign(user.secret, covered).encode(), given[SIGN].encode()):
        origin = covered.decode("utf-8", errors="replace")
        raise BybitRefusal(
            10004, f"error sign! origin_string[{origin}], please check your signature generation algorithm."
        )


def _check_window(stamp: str, window: str, now_ms: int) -> None:
    for name, content in ((TIMESTAMP, stamp), (WINDOW, window)):
        if not content.isascii() or not content.isdigit() or len(content) > 15:
            raise bad_parameter(f"{name} is not a whole number")
    if not now_ms - int(window) <= int(stamp) < now_ms + AHEAD_MS:
        raise BybitRefusal(
            10002,
            "invalid request, please check your server timestamp or recv_window param. "
            f"req_timestamp[{stamp}],server_timestamp[{now_ms}],recv_window[{window}]",
        )


def check_right(user: SimUser, right: str | None, *, writes: bool) -> None:
    is_short = right is not None and right not in user.permissions
    if is_short or (writes and READ_ONLY in user.permissions):
        raise BybitRefusal(10005, "Permission denied, please check your API key permissions.")
