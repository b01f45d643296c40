"""Two ways in: `Authorization: Bearer <token>`, and the panel's session with its CSRF token.

A token travels in the header only, never in a URL. A request that shows an Authorization header is judged by it alone:
a wrong token is never papered over by a cookie. Wrong tokens are throttled per address, right ones from the same
address are not.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import Throttled
from rest_framework.request import Request

from trading.domain.errors import NotAllowed
from trading.execution.authority import FACTOR_REQUIRED
from trading.execution.second_factor import verify_code
from trading.execution.tokens import authenticate_token
from trading.sign_in.addresses import client_address
from trading.sign_in.gate import is_stopping
from trading.sign_in.sessions import Standing, operator_actor, prove_factor
from trading.sign_in.trail import record_refused_token

from .principals import Client
from .throttles import take_token

log = logging.getLogger(__name__)
SCHEME = "Bearer"
CODE_HEADER = "X-Levi-Code"
_TOKEN = re.compile(r"[\x21-\x7e]{1,200}")
_REMEDY = "Send `Authorization: Bearer <token>`; `manage.py create_api_token` makes one."


def find_bearer(request: HttpRequest) -> str | None:
    """The token of the header; None without a header."""
    header = request.META.get("HTTP_AUTHORIZATION", "")
    if not header:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != SCHEME.lower() or not _TOKEN.fullmatch(token.strip()):
        raise NotAllowed(
            "The Authorization header is not of the form `Bearer <token>`.",
            code="invalid_token",
            remedy=_REMEDY,
        )
    return str(token.strip())


class TokenAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Client, Any] | None:
        plain = find_bearer(request._request)
        if plain is None:
            return None
        address = client_address(request._request)
        try:
            token = authenticate_token(plain, address)
        except NotAllowed as refusal:
            wait = take_token("wrong_token", address)
            if wait > 0:
                raise Throttled(wait) from None
            log.warning("token refused: %s, from %s", refusal.code, address)
            record_refused_token(plain, refusal.code, address)
            raise
        return Client(token), token

    def authenticate_header(self, request: Request) -> str:
        return f'{SCHEME} realm="levi"'


class PanelSession(SessionAuthentication):
    """The panel's own pages. Everything that is not GET or HEAD needs the CSRF token.

    A code in X-Levi-Code proves the second factor for this session, as a page of the panel would. Whoever has not
    shown one yet may only stop trading.
    """

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        found = super().authenticate(request)
        if found is None:
            return None
        plain = request._request
        code = request.headers.get(CODE_HEADER, "")
        if code and plain.method not in ("GET", "HEAD"):
            prove_factor(plain, verify_code(found[0], code[:40], actor=operator_actor(plain)))
        elif getattr(plain, "standing", None) is Standing.HALF and not is_stopping(plain):
            raise NotAllowed(
                "This session has not shown its second factor yet.",
                remedy=f"Confirm with a code in the panel, or send it in {CODE_HEADER} with a change.",
                code=FACTOR_REQUIRED,
            )
        return found
