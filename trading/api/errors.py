"""The one place where exceptions become answers: {"code", "message", "context"} with the right status.

Tables, not branches: the status of a LeviError is that of the nearest class listed. What nobody expected is logged with
its traceback and answered 500 without any detail. Every context carries the request id that the logs carry too.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation, ValidationError
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions as drf
from rest_framework.fields import get_error_detail
from rest_framework.response import Response

from trading.domain import errors as levi

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    status: int
    code: str
    message: str
    context: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


STATUS_OF: dict[type[levi.LeviError], int] = {
    levi.InvalidInput: 400,
    levi.NotAllowed: 403,
    levi.RequestInProgress: 409,
    levi.StaleDecision: 409,
    levi.IllegalTransition: 409,
    levi.IdempotencyConflict: 422,
    levi.ConfigurationError: 500,
    levi.AuditFailure: 500,
    levi.VenueError: 502,
    levi.VenueUnavailable: 503,
    levi.VenueThrottled: 503,
    levi.LeviError: 500,
}
# Codes that say more than their class: the request was fine, the thing's state is not.
STATUS_OF_CODE = {
    "order_is_final": 409,
    "not_quarantined": 409,
    "not_ready": 409,
    "unknown_approval": 404,
    "unknown_alert": 404,
    "unknown_export": 404,
    "unknown_break": 404,
    "unknown_report": 404,
    "unknown_webhook": 404,
    "break_is_resolved": 409,
    "report_is_signed": 409,
    "day_not_over": 409,
}
# Refusals that say "we do not know you" rather than "you may not".
_UNKNOWN_CALLER = ("invalid_token", "expired_token", "revoked_token")
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="levi"'}
_CODE_OF: dict[type[drf.APIException], str] = {
    drf.NotAuthenticated: "not_authenticated",
    drf.AuthenticationFailed: "not_authenticated",
    drf.PermissionDenied: "not_allowed",
    drf.NotFound: "not_found",
    drf.MethodNotAllowed: "method_not_allowed",
    drf.UnsupportedMediaType: "unsupported_media_type",
    drf.ParseError: "invalid_input",
    drf.Throttled: "throttled",
}


class NotFound(levi.LeviError):
    """The path names something that does not exist."""

    code = "not_found"


STATUS_OF[NotFound] = 404


def _nearest(table: Mapping[type, Any], error: Exception, default: Any = None) -> Any:
    return next((table[kind] for kind in type(error).__mro__ if kind in table), default)


def _from_levi(error: levi.LeviError) -> Problem:
    status: int = STATUS_OF_CODE.get(error.code) or _nearest(STATUS_OF, error)
    headers: Mapping[str, str] = {}
    if error.code in _UNKNOWN_CALLER:
        status, headers = 401, _CHALLENGE
    elif isinstance(error, levi.VenueThrottled):
        headers = {"Retry-After": str(math.ceil(error.retry_after_seconds))}
    elif isinstance(error, levi.RequestInProgress):
        headers = {"Retry-After": "1"}
    return Problem(status, error.code, str(error), error.context, headers)


def _flatten(detail: Any, path: str = "") -> dict[str, list[str]]:
    """Every message of a validation error by the dotted name of its field."""
    if isinstance(detail, Mapping):
        found: dict[str, list[str]] = {}
        for key, inner in detail.items():
            name = "body" if key == "non_field_errors" else str(key)
            found |= _flatten(inner, f"{path}.{name}" if path else name)
        return found
    if isinstance(detail, list) and any(isinstance(item, (Mapping, list)) for item in detail):
        return {k: v for n, item in enumerate(detail) for k, v in _flatten(item, f"{path}.{n}").items()}
    return {path or "body": [str(item) for item in (detail if isinstance(detail, list) else [detail])]}


def _from_validation(error: drf.ValidationError) -> Problem:
    fields = _flatten(error.detail)
    message = " ".join(f"{name}: {' '.join(texts)}" for name, texts in fields.items())
    return Problem(400, "invalid_input", message, {"fields": fields, "field": next(iter(fields), "")})


def _from_drf(error: drf.APIException) -> Problem:
    headers: dict[str, str] = {}
    context: dict[str, Any] = {}
    message = str(error.detail)
    if isinstance(error, drf.Throttled):
        seconds = max(1, math.ceil(getattr(error, "wait", None) or 1))
        headers["Retry-After"] = str(seconds)
        context["retry_after_seconds"] = seconds
        message = f"Too many requests. Wait {seconds} s and ask again."
    elif isinstance(error, drf.UnsupportedMediaType):
        message = (
            "The Content-Type is missing or not one that is read here. Send `Content-Type: application/json`."
        )
    elif isinstance(error, (drf.NotAuthenticated, drf.AuthenticationFailed)):
        headers |= _CHALLENGE
        message = "Sign in to the panel, or send `Authorization: Bearer <token>`."
    code = _nearest(_CODE_OF, error, error.default_code)
    return Problem(error.status_code, code, message, context, headers)


def _from_database(error: Exception) -> Problem:
    log.error("database failure during a request", exc_info=error)
    return Problem(
        503,
        "database_unavailable",
        "The database did not answer, so it is not certain whether anything changed. Nothing new is sent while it is "
        "away; open orders stay at the venue. Ask again, with the same idempotency key.",
        headers={"Retry-After": "2"},
    )


def _from_unexpected(error: Exception) -> Problem:
    log.error("unexpected failure during a request", exc_info=error)
    return Problem(
        500, "internal_error", "Something failed that should not. The log has it under the request id."
    )


# The first row that fits wins.
_DESCRIBERS: tuple[tuple[type[Exception], Callable[[Any], Problem]], ...] = (
    (levi.LeviError, _from_levi),
    (drf.ValidationError, _from_validation),
    (ValidationError, lambda error: _from_validation(drf.ValidationError(get_error_detail(error)))),
    (drf.APIException, _from_drf),
    (Http404, lambda error: Problem(404, "not_found", "There is nothing at this address.")),
    (PermissionDenied, lambda error: Problem(403, "not_allowed", "This is not allowed.")),
    (RequestDataTooBig, lambda error: Problem(413, "body_too_large", "The body is too large.")),
    (UnreadablePostError, lambda error: Problem(400, "invalid_input", "The body ended early.")),
    (SuspiciousOperation, lambda error: Problem(400, "invalid_input", "The request is malformed.")),
    # The last net: a number or text that no column holds. Parsers and filters refuse what they can name.
    (DataError, lambda error: Problem(400, "invalid_input", "A value is out of range.")),
    (
        IntegrityError,
        lambda error: Problem(409, "conflict", "Somebody wrote the same at the same time; look again."),
    ),
    (OperationalError, _from_database),
    (InterfaceError, _from_database),
    (Exception, _from_unexpected),
)


def describe(error: Exception) -> Problem:
    return next(describer(error) for kind, describer in _DESCRIBERS if isinstance(error, kind))


def handle_exception(error: Exception, context: Mapping[str, Any]) -> Response:
    """Django REST framework's hook (settings.REST_FRAMEWORK["EXCEPTION_HANDLER"])."""
    problem = describe(error)
    body = {
        "code": problem.code,
        "message": problem.message,
        "context": {**problem.context, "request_id": getattr(context.get("request"), "request_id", "")},
    }
    headers = dict(problem.headers)
    if problem.status == 405:
        headers["Allow"] = ", ".join(context["view"].allowed_methods)
    return Response(body, status=problem.status, headers=headers)
