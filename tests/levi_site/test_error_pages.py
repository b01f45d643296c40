"""What stands instead of a page: the panel's frame with STOP while that can be drawn, plain words otherwise."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.admin.conftest import browse, day, people
from trading.models import HaltState

__all__ = ["browse", "day", "people"]

STOP_FORM = 'action="/admin/trading/haltstate/stop/"'


def words_of(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def break_find(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """A page that fails in a way that cannot be provoked from outside."""

    def fail(term: str) -> list[Any]:
        raise error

    monkeypatch.setattr("trading.admin.finding.find_anywhere", fail)


def refuse(part: str = ""):
    """The database as it answers when it is away: every statement that contains `part` fails."""

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if part in sql:
            raise OperationalError("the connection is lost")
        return execute(sql, params, many, context)

    return connection.execute_wrapper(wrapper)


def asker(browse: Any, role: str) -> Client:
    client = browse(role)
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize(
    ("role", "address", "status", "said"),
    [
        ("trader", "/admin/trading/order/not-an-id/change/", 404, "There is no order not-an-id."),
        ("trader", "/admin/nothing-here/", 404, "No page has this address."),
        ("trader", "/admin/r/6/not-an-id/", 404, "Rows have no page outside of the panel."),
        ("trader", "/admin/r/no-type/1/", 404, "Rows have no page outside of the panel."),
        ("trader", "/admin/trading/apitoken/", 403, "Your roles do not let you look at API tokens."),
        ("trader", "/admin/auth/user/", 403, "Your roles do not let you look at Operators."),
    ],
)
def test_a_signed_in_person_gets_the_panels_frame_with_stop(day, browse, role, address, status, said):
    answer = asker(browse, role).get(address)
    page = words_of(answer)
    assert answer.status_code == status and said in page
    assert 'id="lv-strip"' in page and STOP_FORM in page and 'id="lv-nav"' in page
    assert "Back to the control room" in page and answer.headers["X-Request-ID"] in page
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_an_error_page_asks_few_questions_and_writes_nothing(day, browse):
    client = browse("trader")
    with CaptureQueriesContext(connection) as asked:
        assert client.get("/admin/trading/order/not-an-id/change/").status_code == 404
    assert len(asked) <= 10
    assert not [query["sql"] for query in asked if re.match(r"\s*(INSERT|UPDATE|DELETE)", query["sql"])]


def test_a_broken_page_says_so_in_the_frame(day, browse, monkeypatch):
    break_find(monkeypatch, RuntimeError("a secret of the inside"))
    answer = asker(browse, "trader").get("/admin/find/?q=x")
    page = words_of(answer)
    assert answer.status_code == 500 and "Something failed that should not" in page
    assert STOP_FORM in page and answer.headers["X-Request-ID"] in page
    assert "a secret of the inside" not in page


def test_a_broken_page_whose_frame_is_broken_too_is_plain_and_still_offers_stop(day, browse, monkeypatch):
    break_find(monkeypatch, RuntimeError("broken"))
    client = asker(browse, "trader")
    with refuse("trading_haltstate"):
        answer = client.get("/admin/find/?q=x")
    page = words_of(answer)
    assert answer.status_code == 500 and "Something failed that should not" in page
    assert 'id="lv-strip"' not in page and STOP_FORM in page and "plain.css" in page


def test_without_a_database_the_page_asks_it_nothing_and_says_how_to_stop(day, browse):
    client = asker(browse, "trader")
    with refuse():
        answer = client.get("/admin/trading/order/")
    page = words_of(answer)
    assert answer.status_code == 503 and "The database does not answer" in page
    assert "manage.py break_glass" in page and STOP_FORM in page
    assert answer.headers["X-Request-ID"] in page


def test_stop_on_a_plain_page_works(day, browse, monkeypatch):
    client = browse("trader", csrf=True)
    client.raise_request_exception = False
    break_find(monkeypatch, RuntimeError("broken"))
    with refuse("trading_haltstate"):
        page = client.get("/admin/find/?q=x").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token is not None
    assert client.post("/admin/trading/haltstate/stop/", {"csrfmiddlewaretoken": token[1]}).status_code == 302
    assert HaltState.objects.get(scope="everything").state == "halted"


def test_a_form_without_a_valid_token_does_nothing_and_shows_stop_and_the_way_back(day, browse):
    answer = browse("trader", csrf=True).post(
        "/admin/trading/haltstate/stop/",
        headers={"referer": "http://testserver/admin/trading/order/?side=BUY"},
    )
    page = words_of(answer)
    assert answer.status_code == 403 and "This form is no longer valid" in page
    assert "press it again" in page and STOP_FORM in page
    assert 'href="/admin/trading/order/?side=BUY"' in page
    assert HaltState.objects.get(scope="everything").state == "active"


def test_the_way_back_never_leaves_the_panel(day, browse):
    answer = browse("trader", csrf=True).post(
        "/admin/trading/haltstate/stop/", headers={"referer": "https://elsewhere.example/admin/"}
    )
    assert "elsewhere.example" not in words_of(answer)


def test_a_stranger_gets_a_plain_page_without_a_number_or_a_button(db, client):
    answer = client.get("/no-such-page")
    page = words_of(answer)
    assert answer.status_code == 404 and "There is nothing at this address" in page
    assert STOP_FORM not in page and 'id="lv-strip"' not in page
    assert answer.headers["X-Request-ID"] in page


def test_a_session_cookie_outside_of_the_panel_gets_no_button(day, browse):
    client = browse("trader")
    assert settings.SESSION_COOKIE_NAME in client.cookies
    assert STOP_FORM not in words_of(client.get("/no-such-page"))


def test_a_malformed_request_is_told_so(day, browse, monkeypatch):
    break_find(monkeypatch, SuspiciousOperation("forged"))
    answer = asker(browse, "trader").get("/admin/find/?q=x")
    assert answer.status_code == 400 and "The request is malformed" in words_of(answer)


def test_programs_get_json_whatever_failed(day, browse):
    client = asker(browse, "trader")
    missing = client.get("/api/v1/nothing")
    with refuse():
        away = client.get("/api/v1/orders")
    for answer, status, code in ((missing, 404, "not_found"), (away, 503, "database_unavailable")):
        body = answer.json()
        assert (answer.status_code, body["code"]) == (status, code)
        assert body["context"]["request_id"] == answer.headers["X-Request-ID"]
