"""MEXC's request checks: API key, timestamp window, signature, rights, content type.

The signature is lower-case hex HMAC-SHA256 over the query string followed directly by the body, without the signature
itself. Percent escapes are compared in upper case and a blank is %20: a client that signed anything else is refused.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import parse_qsl

from simulator.core.accounts import SimUser
from simulator.http.messages import HttpRequest
from simulator.mexc.errors import MexcWireRefusal, missing

DEFAULT_WINDOW_MS = 5_000
LONGEST_WINDOW_MS = 60_000
AHEAD_MS = 1_000
_SIGNATURE = re.compile(r"(?:^|&)signature=[^&]*")
_ESCAPE = re.compile(r"%[0-9a-fA-F]{2}")
CONTENT_TYPES = ("application/json", "application/x-www-form-urlencoded")


def read_parameters(request: HttpRequest) -> dict[str, str]:
    """Query and body together; a name in both takes the query's content."""
    return _body_parameters(request.body) | request.query_pairs()


def _body_parameters(body: bytes) -> dict[str, str]:
    if not body:
        return {}
    text = body.decode("utf-8", errors="replace")
    if not text.lstrip().startswith("{"):
        return dict(parse_qsl(text, keep_blank_values=True))
    try:
        document = json.loads(text, parse_float=str, parse_int=str)
    except ValueError as error:
        raise MexcWireRefusal(400, 33333, "Parameter error: body") from error
    return {name: held if isinstance(held, str) else json.dumps(held) for name, held in document.items()}


def signed_text(query: str, body: str) -> str:
    """What the signature covers, in the venue's canonical escapes."""
    text = _SIGNATURE.sub("", query).removeprefix("&") + _SIGNATURE.sub("", body).removeprefix("&")
    return _ESCAPE.sub(lambda escape: escape.group().upper(), text).replace("+", "%20")


def sign(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), sha256).hexdigest()


def check_content_type(request: HttpRequest) -> None:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_needed = request.method in ("POST", "PUT")
    if given not in CONTENT_TYPES and (given or is_needed):
        raise MexcWireRefusal(400, 700013, "Invalid content Type.")


def find_caller(request: HttpRequest, users: Mapping[str, SimUser]) -> SimUser:
    key = request.headers.get("x-mexc-apikey", "")
    if not key:
        raise MexcWireRefusal(400, 400, "api key required")
    user = users.get(key)
    if user is None:
        raise MexcWireRefusal(400, 10072, "Api key info invalid")
    return user


def check_signature(request: HttpRequest, user: SimUser, parameters: Mapping[str, str], now_ms: int) -> None:
    if not parameters.get("signature"):
        raise missing("signature")
    _check_window(parameters, now_ms)
    expected = sign(user.secret, signed_text(request.query, request.body.decode("utf-8", errors="replace")))
    if not hmac.compare_digest(expected.encode(), parameters["signature"].encode()):
        raise MexcWireRefusal(400, 700002, "Signature for this request is not valid.")


def _check_window(parameters: Mapping[str, str], now_ms: int) -> None:
    stamp, window = parameters.get("timestamp", ""), parameters.get("recvWindow", str(DEFAULT_WINDOW_MS))
    if not stamp.isascii() or not stamp.isdigit():
        raise missing("timestamp")
    if not window.isascii() or not window.isdigit():
        raise missing("recvWindow")
    if int(window) > LONGEST_WINDOW_MS:
        raise MexcWireRefusal(400, 700005, "recvWindow must less than 60000")
    sent_ms = int(stamp)
    if not (sent_ms < now_ms + AHEAD_MS and now_ms - sent_ms <= int(window)):
        raise MexcWireRefusal(400, 700003, "Timestamp for this request is outside of the recvWindow.")


def check_right(user: SimUser, right: str) -> None:
    if right not in user.permissions:
        raise MexcWireRefusal(403, 700007, "No permission to access the endpoint.")
