"""Two ways in: `Authorization: Bearer <token>`, and the panel's session with its CSRF token.

A token travels in the header only, never in a URL. A request that shows an Authorization header is judged by it alone:
a wrong token is never papered over by a cookie. Wrong tokens are throttled per address, right ones from the same
address are not.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import Throttled
from rest_framework.request import Request

from trading.domain.errors import NotAllowed
from trading.execution.tokens import authenticate_token

from .principals import Client
from .throttles import take_token

log = logging.getLogger(__name__)
SCHEME = "Bearer"
_TOKEN = re.compile(r"[\x21-\x7e]{1,200}")
_REMEDY = "Send `Authorization: Bearer <token>`; `manage.py create_api_token` makes one."


def client_address(request: HttpRequest) -> str:
    """Where the request came from. A proxy's word counts only where the operator said that there is one."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    if settings.SECURE_PROXY_SSL_HEADER and forwarded:
        # The last entry is what our own proxy saw; everything before it was written by the caller.
        return str(forwarded.rpartition(",")[2].strip())
    return str(request.META.get("REMOTE_ADDR", ""))


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
            raise
        return Client(token), token

    def authenticate_header(self, request: Request) -> str:
        return f'{SCHEME} realm="levi"'


class PanelSession(SessionAuthentication):
    """The panel's own pages. Everything that is not GET or HEAD needs the CSRF token."""
