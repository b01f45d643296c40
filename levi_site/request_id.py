"""Gives every HTTP request an id that the answer, the logs and the audit trail carry too.

A client may send its own in X-Request-ID; anything but a short plain word is replaced, so that nobody writes
line breaks or markup into logs.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

HEADER = "X-Request-ID"
PLAIN_WORD = re.compile(r"[A-Za-z0-9._-]{1,64}")

request_id: ContextVar[str] = ContextVar("request_id", default="")


def get_request_id() -> str:
    """The id of the request (or task) being handled; empty outside of one."""
    return request_id.get()


class RequestIdMiddleware:
    """First in the list, so that every later line of log carries the id."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(HEADER, "")
        token = request_id.set(given if PLAIN_WORD.fullmatch(given) else uuid.uuid4().hex)
        request.request_id = request_id.get()  # type: ignore[attr-defined]
        try:
            response = self.get_response(request)
            response[HEADER] = request_id.get()
            return response
        finally:
            request_id.reset(token)
