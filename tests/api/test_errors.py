"""Errors have one shape, the right status, a request id, and give nothing away."""

from __future__ import annotations

import pytest
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from rest_framework import exceptions as drf

from trading.api import errors
from trading.api.health import AliveView
from trading.domain import errors as levi

from .world import Caller

SECRET = "db-password-canary"


@pytest.fixture
def failing(monkeypatch):
    """`failing(error)` makes an endpoint raise it and returns the answer."""

    def fail(error: Exception):
        def get(self, request):
            raise error

        monkeypatch.setattr(AliveView, "get", get)
        return Caller().get("/healthz/live")

    return fail


EXPECTED = [
    (levi.InvalidInput("x", field="f"), 400, "invalid_input"),
    (levi.UnknownName("x"), 400, "unknown_name"),
    (levi.InvalidMoney("x"), 400, "invalid_number"),
    (errors.NotFound("x"), 404, "not_found"),
    (levi.NotAllowed("x"), 403, "not_allowed"),
    (levi.IdempotencyConflict("x"), 422, "idempotency_conflict"),
    (levi.RequestInProgress("x"), 409, "request_in_progress"),
    (levi.StaleDecision("x"), 409, "stale_decision"),
    (levi.IllegalTransition("x"), 409, "illegal_transition"),
    (levi.ConfigurationError("x"), 500, "configuration_error"),
    (levi.AuditFailure("x"), 500, "audit_failure"),
    (levi.VenueUnavailable("x"), 503, "venue_unavailable"),
    (levi.VenueThrottled("x", retry_after_seconds=2.5), 503, "venue_throttled"),
    (levi.VenueRefused("x", venue_code="30004"), 502, "venue_refused"),
    (levi.MalformedAnswer("x"), 502, "malformed_answer"),
    (drf.ValidationError({"a": [{"b": ["wrong"]}]}), 400, "invalid_input"),
    (drf.Throttled(1.2), 429, "throttled"),
    (OperationalError(SECRET), 503, "database_unavailable"),
    (InterfaceError(SECRET), 503, "database_unavailable"),
    (DataError(SECRET), 400, "invalid_input"),
    (IntegrityError(SECRET), 409, "conflict"),
    (RuntimeError(SECRET), 500, "internal_error"),
    (KeyError(SECRET), 500, "internal_error"),
]


@pytest.mark.parametrize(
    ("error", "status", "code"), EXPECTED, ids=[type(row[0]).__name__ for row in EXPECTED]
)
def test_every_exception_becomes_its_answer(failing, error, status, code):
    answer = failing(error)
    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, code)
    assert set(body) == {"code", "message", "context"} and body["message"]
    assert body["context"]["request_id"] == answer.headers["X-Request-ID"]
    assert SECRET.encode() not in answer.content and b"Traceback" not in answer.content


def test_the_message_carries_the_remedy(failing):
    body = failing(levi.InvalidInput("Wrong.", remedy="Do it right.", field="side")).json()
    assert body["message"] == "Wrong. Do it right." and body["context"]["field"] == "side"


def test_retry_after_is_given_in_whole_seconds(failing):
    assert failing(levi.VenueThrottled("x", retry_after_seconds=2.5)).headers["Retry-After"] == "3"
    assert failing(drf.Throttled(0.01)).headers["Retry-After"] == "1"


def test_a_database_that_is_away_says_what_that_means(failing):
    message = failing(OperationalError("gone")).json()["message"]
    assert "Nothing new is sent" in message and "same idempotency key" in message


def test_every_error_of_the_tree_has_a_status():
    def below(kind):
        return {kind}.union(*(below(child) for child in kind.__subclasses__()))

    for kind in below(levi.LeviError):
        assert errors.describe(kind("x")).status >= 400


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/v1/nothing", "/api/v2/orders", "/live", "/live/kill/now"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_an_unknown_address_answers_json_404(db, path, method):
    answer = Caller().send(method, path)
    assert answer.status_code == 404 and answer.json()["code"] == "not_found"


def test_a_given_request_id_comes_back_and_a_strange_one_does_not(db):
    caller = Caller()
    assert caller.send("GET", "/healthz/live", X_Request_ID="abc-1").headers["X-Request-ID"] == "abc-1"
    assert caller.send("GET", "/healthz/live", X_Request_ID="<b>").headers["X-Request-ID"] != "<b>"


def test_any_accept_header_is_answered_with_json(viewer):
    for accept in ("text/html", "application/xml", "nonsense", ""):
        answer = viewer.send("GET", "/live/status", None, Accept=accept)
        assert answer.status_code == 200 and answer.headers["Content-Type"] == "application/json"


def test_a_chunked_body_is_refused_instead_of_ignored(world, trader):
    answer = trader.client.generic(
        "POST", "/live/kill", headers={**trader.headers, "Transfer-Encoding": "chunked"}
    )
    assert answer.status_code == 411


def test_a_huge_declared_body_is_refused_unread(world, trader):
    answer = trader.client.generic(
        "PUT",
        "/api/v1/limits",
        b"{}",
        content_type="application/json",
        headers=trader.headers,
        CONTENT_LENGTH="9" * 30,
    )
    assert answer.status_code == 413
