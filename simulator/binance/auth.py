"""Binance's request checks: API key, timestamp window, signature, rights, parameters that nobody reads.

The signature is a hex HMAC-SHA256, in either case, over the query string followed directly by the form body, without
the signature itself and exactly as sent: a client that signs before it percent-encodes is refused.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from decimal import Decimal
from hashlib import sha256
from urllib.parse import parse_qsl

from simulator.binance.errors import BinanceWireRefusal, illegal, missing
from simulator.core.accounts import SimUser
from simulator.http.messages import HttpRequest

DEFAULT_WINDOW_MS = Decimal(5_000)
LONGEST_WINDOW_MS = 60_000
AHEAD_MS = 1_000
FIRST_MICROSECONDS = 10**14  # a time with more digits than milliseconds have is one in microseconds
READING, TRADING = "enableReading", "enableSpotAndMarginTrading"
RIGHTS = (READING, TRADING)
SECURITY = frozenset({"timestamp", "recvWindow", "signature"})
_SIGNATURE = re.compile(r"(?:^|&)signature=[^&]*")
_WINDOW = re.compile(r"\d{1,5}(?:\.\d{1,3})?")


def read_parameters(request: HttpRequest) -> dict[str, str]:
    """Query and form body together; a name in both takes the query's content. JSON bodies are not read."""
    query = _read_pairs(request.query)
    body = request.body.decode("utf-8", errors="replace")
    return _read_pairs("" if body.lstrip().startswith(("{", "[")) else body) | query


def _read_pairs(text: str) -> dict[str, str]:
    pairs = parse_qsl(text, keep_blank_values=True)
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BinanceWireRefusal(400, -1101, "Duplicate values for a parameter detected.")
    return found


def check_names(parameters: Mapping[str, str], known: frozenset[str], *, is_signed: bool) -> None:
    """A parameter that the endpoint does not read is refused, and so is an empty one."""
    read = known | SECURITY if is_signed else known
    unread = [name for name in parameters if name not in read]
    if unread and is_signed:
        counts = f"read '{len(parameters) - len(unread)}' parameter(s) but was sent '{len(parameters)}'."
        raise BinanceWireRefusal(400, -1104, f"Not all sent parameters were read; {counts}")
    if unread:
        counts = f"expected '{len(parameters) - len(unread)}' and received '{len(parameters)}'."
        raise BinanceWireRefusal(400, -1101, f"Too many parameters; {counts}")
    for name, content in parameters.items():
        if not content and name not in SECURITY:
            raise BinanceWireRefusal(400, -1105, f"Parameter '{name}' was empty.")


def signed_text(query: str, body: str) -> str:
    return _SIGNATURE.sub("", query).removeprefix("&") + _SIGNATURE.sub("", body).removeprefix("&")


def socket_text(parameters: Mapping[str, str]) -> str:
    """What is signed on the WebSocket: names in alphabetical order, contents as they are."""
    return "&".join(f"{name}={parameters[name]}" for name in sorted(parameters) if name != "signature")


def sign(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), sha256).hexdigest()


def find_caller(key: str, users: Mapping[str, SimUser]) -> SimUser:
    if not key:
        raise BinanceWireRefusal(401, -2014, "API-key format invalid.")
    user = users.get(key)
    if user is None:
        raise not_allowed()
    return user


def not_allowed() -> BinanceWireRefusal:
    return BinanceWireRefusal(401, -2015, "Invalid API-key, IP, or permissions for action.")


def check_signature(parameters: Mapping[str, str], text: str, user: SimUser, now_ms: int) -> None:
    if not parameters.get("signature"):
        raise missing("signature")
    check_window(parameters, now_ms)
    if not hmac.compare_digest(sign(user.secret, text).encode(), parameters["signature"].lower().encode()):
        raise BinanceWireRefusal(400, -1022, "Signature for this request is not valid.")


def check_window(parameters: Mapping[str, str], now_ms: int) -> None:
    stamp, window = parameters.get("timestamp", ""), parameters.get("recvWindow", str(DEFAULT_WINDOW_MS))
    if not stamp:
        raise missing("timestamp")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 20):
        raise illegal("timestamp", "^[0-9]{1,20}$")
    if not _WINDOW.fullmatch(window):
        raise illegal("recvWindow", r"^\d{1,5}(?:\.\d{1,3})?$")
    if Decimal(window) > LONGEST_WINDOW_MS:
        reason = f"'recvWindow' contains unexpected value. Cannot be greater than {LONGEST_WINDOW_MS}."
        raise BinanceWireRefusal(400, -1102, reason)
    sent_ms = as_milliseconds(int(stamp))
    if sent_ms >= now_ms + AHEAD_MS:
        reason = "Timestamp for this request was 1000ms ahead of the server's time."
        raise BinanceWireRefusal(400, -1021, reason)
    if now_ms - sent_ms > Decimal(window):
        raise BinanceWireRefusal(400, -1021, "Timestamp for this request is outside of the recvWindow.")


def as_milliseconds(stamp: int) -> int:
    return stamp // 1_000 if stamp >= FIRST_MICROSECONDS else stamp


def check_right(user: SimUser, right: str) -> None:
    if right not in user.permissions:
        raise not_allowed()
