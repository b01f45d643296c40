"""What a person or a program gets instead of a page: 403, 404, a form that came too late, 500, and no database.

Programs (/api/, /live/) get the API's own JSON. People of the panel get the panel's frame, with its strip and STOP, as
long as they are signed in and the database answers; everybody else, and every case of doubt, gets a plain page that
needs no database at all. Each names what happened, what it means, where to go, and the request id. Changes nothing.
"""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.urls import Resolver404

from levi_site.request_id import get_request_id
from trading.admin.page import page_context
from trading.api.errors import Problem, describe
from trading.sign_in.not_done import PANEL_PREFIX, page_before

log = logging.getLogger(__name__)
FOR_PROGRAMS = ("/api/", "/live/", "/healthz/", "/metrics")
NO_DATABASE = (OperationalError, InterfaceError)


@dataclass(frozen=True, slots=True)
class ErrorWords:
    """`happened` is one sentence; `means` what follows from it, for money above all."""

    status: int
    title: str
    happened: str
    means: str
    is_safe_to_ask: bool = True  # False: who is signed in may not even be asked


FORBIDDEN = ErrorWords(
    403,
    "Your roles do not allow this",
    "Nothing was changed.",
    "An administrator gives roles under Operators: viewer looks, trader places orders, risk releases halts and sets "
    "limits, admin manages accounts and people.",
)
MISSING = ErrorWords(
    404,
    "There is nothing at this address",
    "No page has this address.",
    "The row may belong to another installation, or the address is incomplete. Any id can be looked up with Find.",
)
MALFORMED = ErrorWords(
    400,
    "The request is malformed",
    "The browser sent something that no page of the panel sends.",
    "Nothing was changed.",
)
TOO_LATE = ErrorWords(
    403,
    "This form is no longer valid",
    "What was sent did not carry the token of a page that was opened in this sign-in, so nothing was done with it.",
    "It was opened before you signed in, in another sign-in, or the browser keeps no cookies. Open the page again and "
    "repeat it there. If it was STOP, nothing is stopped yet: press it again.",
)
BROKEN = ErrorWords(
    500,
    "Something failed that should not",
    "The panel could not finish this; the log has the reason under the request id.",
    "It is not certain whether anything changed: look before you repeat it. Orders, halts and sweeps are followed by "
    "other processes and go on.",
)
AWAY = ErrorWords(
    503,
    "The database does not answer",
    "The panel cannot read or write anything, so it is not certain whether anything changed.",
    "Nothing new is sent while it is away, because every permit is a row. Open orders rest at the venue. To stop and "
    "cancel without it: manage.py break_glass on the host.",
    is_safe_to_ask=False,
)


def forbidden(request: HttpRequest, exception: PermissionDenied | None = None) -> HttpResponse:
    return answer(request, FORBIDDEN, exception or PermissionDenied(), _said(exception))


def missing(request: HttpRequest, exception: Http404 | None = None) -> HttpResponse:
    said = "" if isinstance(exception, Resolver404) else _said(exception)
    return answer(request, MISSING, exception or Http404(), said)


def malformed(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return answer(request, MALFORMED, exception or SuspiciousOperation())


def broken(request: HttpRequest) -> HttpResponse:
    """Django calls it while it handles the exception, which it does not hand over."""
    error = sys.exc_info()[1]
    problem = error if isinstance(error, Exception) else RuntimeError("no exception is being handled")
    return answer(request, AWAY if isinstance(error, NO_DATABASE) else BROKEN, problem)


def too_late(request: HttpRequest, reason: str = "") -> HttpResponse:
    """settings.CSRF_FAILURE_VIEW."""
    if request.path_info.startswith(FOR_PROGRAMS):
        return _json(Problem(403, "csrf_failed", f"{TOO_LATE.happened} {reason}".strip()))
    return answer(request, TOO_LATE, PermissionDenied())


def answer(request: HttpRequest, words: ErrorWords, error: Exception, said: str = "") -> HttpResponse:
    if request.path_info.startswith(FOR_PROGRAMS):
        return _json(describe(error))
    context: dict[str, Any] = {
        "title": words.title,
        "words": words,
        "happened": said or words.happened,
        "request_id": get_request_id(),
        "back": page_before(request),
    }
    page = _framed(request, context) if words.is_safe_to_ask else None
    response = HttpResponse(page if page is not None else _plain(request, context), status=words.status)
    response["Cache-Control"] = "no-store"
    return response


def _framed(request: HttpRequest, context: dict[str, Any]) -> str | None:
    """In the panel's frame; None for strangers, and where the frame itself cannot be drawn."""
    if not request.path_info.startswith(PANEL_PREFIX):
        return None
    try:
        user = getattr(request, "user", None)
        if user is None or not (user.is_active and user.is_staff):
            return None
        return render_to_string("panel/error.html", {**page_context(request), **context}, request)
    except Exception:  # whatever broke the page may break its frame; the plain page needs none of it
        log.warning("an error page could not be drawn in the panel's frame", exc_info=True)
        return None


def _plain(request: HttpRequest, context: dict[str, Any]) -> str:
    """STOP is offered to whoever has a sign-in's cookie; the address judges it itself."""
    may_stop = request.path_info.startswith(PANEL_PREFIX) and settings.SESSION_COOKIE_NAME in request.COOKIES
    return render_to_string(
        "error.html", {**context, "may_stop": may_stop, "csrf_token": get_token(request) if may_stop else ""}
    )


def _said(error: Exception | None) -> str:
    """The words of whoever raised it; exceptions of the framework may carry other things."""
    return str(error.args[0]) if error is not None and error.args and isinstance(error.args[0], str) else ""


def _json(problem: Problem) -> HttpResponse:
    body = {
        "code": problem.code,
        "message": problem.message,
        "context": {**problem.context, "request_id": get_request_id()},
    }
    return JsonResponse(body, status=problem.status, headers=dict(problem.headers))
