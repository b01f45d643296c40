"""The OpenAPI document: valid, complete, and true: generated requests never meet a 500 or an undocumented answer."""

from __future__ import annotations

import io

import pytest
import schemathesis
from django.conf import settings
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from levi_site.wsgi import application
from trading.api.throttles import forget_callers

from .addresses import path_of, views
from .rows import add_fill, add_history, fill_the_books, place, set_status
from .world import Caller, make_token, make_world

EXAMPLES = 12


def test_the_document_is_valid_and_without_warnings(tmp_path):
    errors = io.StringIO()
    call_command(
        "spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yml"), stderr=errors
    )
    assert errors.getvalue() == ""


def document() -> dict:
    return Client().get("/api/schema/", {"format": "json"}).json()


def test_every_address_is_in_it_once():
    written = document()
    assert written["openapi"].startswith("3.1")
    expected = {
        path_of(route).replace("/paper", "/{name}")
        for route, view in views()
        if not route.startswith("^")
        and not route.endswith("/")
        and "schema" not in route
        and "docs" not in route
    }
    assert set(written["paths"]) == expected


def test_every_operation_tells_its_errors_and_its_doors():
    for path, methods in document()["paths"].items():
        for method in ("get", "post", "put"):
            if method in methods:
                assert {"400", "401", "403", "429", "503"} <= set(methods[method]["responses"]), path
                assert methods[method]["summary"], path
                known_otherwise = "healthz" in path or "webhooks" in path  # by nobody, and by a secret
                assert methods[method].get("security") or known_otherwise, path


def test_the_page_loads_its_scripts_from_here_only():
    page = Client().get("/api/docs/")
    text = page.content.decode()
    assert page.status_code == 200 and "swagger-ui" in text
    assert "https://" not in text and "<script>" not in text.replace(" ", "") and "<style" not in text
    assert (
        "'unsafe-inline'"
        not in page.headers["Content-Security-Policy"].partition("script-src")[2].partition(";")[0]
    )
    script = Client().get("/api/docs/", {"script": ""})
    assert script.headers["Content-Type"].startswith("application/javascript")


@pytest.fixture(scope="module")
def loaded():
    loaded = schemathesis.openapi.from_dict(document())
    loaded.app = application
    return loaded


@pytest.fixture
def token(db, loaded):
    """A world with something in every list, and a token with all roles."""
    world = make_world()
    token = make_token("viewer", "trader", "risk", "admin", name="all")
    order = place(Caller(token), "a", strategy="momentum")
    set_status(order, "submitting", "open")
    add_history(order)
    add_fill(world, order)
    fill_the_books(world)
    # The test runs in one transaction on one connection, which a request's end must not close.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield token
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
    settings.STOP_FLAG.unlink(missing_ok=True)


CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
OPERATIONS = [
    (method.upper(), path_of(route).replace("/paper", "/{name}"))
    for route, view in views()
    for method in ("get", "post", "put")
    if hasattr(view, method)
    and not route.startswith(("^", "api/schema", "api/docs"))
    and not route.endswith("/")
]


@pytest.mark.slow
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_generated_requests_get_documented_answers(method, path, loaded, token):
    """Right and wrong requests, generated from the document, through the whole stack."""
    operation = loaded[path][method]
    takes_nothing = method == "GET" and not operation.definition.raw.get("parameters")
    modes = [GenerationMode.POSITIVE] if takes_nothing else list(GenerationMode)

    @hypothesis_settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(case=st.one_of([operation.as_strategy(generation_mode=mode) for mode in modes]))
    def ask(case) -> None:
        forget_callers()
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=CHECKS)

    ask()
