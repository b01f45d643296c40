"""Who gets in: tokens that are right, unexpired, unrevoked and at home; sessions with their CSRF token."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from trading.api.throttles import RATES, Rate
from trading.execution.tokens import revoke_token
from trading.models import ApiToken, HaltState

from .world import MAKER, Caller, make_token

STATUS = "/live/status"


def refusal(caller: Caller) -> tuple[int, str]:
    answer = caller.get(STATUS)
    return answer.status_code, answer.json()["code"]


def test_nobody_is_told_how_to_come_in(db):
    answer = Caller().get(STATUS)
    assert answer.status_code == 401 and answer.json()["code"] == "not_authenticated"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "Authorization: Bearer" in answer.json()["message"]


@pytest.mark.parametrize("token", ["nonsense", "levi.abc.def", "levi.\xff.x", "a b", "x" * 500])
def test_a_wrong_token_is_401(db, token):
    assert refusal(Caller(token)) == (401, "invalid_token")


@pytest.mark.parametrize("header", ["Basic dXNlcjpwYXNz", "Token abc", "Bearer", "Bearer "])
def test_another_scheme_is_401(db, header):
    assert refusal(Caller(authorization=header)) == (401, "invalid_token")


def test_a_right_lookup_with_a_wrong_secret_is_401(db):
    lookup = make_token("viewer").rpartition(".")[0]
    assert refusal(Caller(f"{lookup}.wrong")) == (401, "invalid_token")


def test_an_expired_token_is_401(db):
    caller = Caller(make_token("viewer"))
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert refusal(caller) == (401, "expired_token")


def test_a_revoked_token_is_401(db):
    caller = Caller(make_token("viewer"))
    revoke_token(ApiToken.objects.get().pk, actor=MAKER)
    assert refusal(caller) == (401, "revoked_token")


def test_a_token_away_from_its_addresses_is_403(db):
    assert refusal(Caller(make_token("viewer", addresses=["10.1.2.0/24"]))) == (403, "address_not_allowed")


def test_a_forwarded_address_counts_only_behind_a_declared_proxy(db, settings):
    caller = Caller(make_token("viewer", addresses=["10.1.2.0/24"]), x_forwarded_for="10.1.2.3")
    caller.headers["X-Forwarded-For"] = caller.headers.pop("x_forwarded_for")
    assert caller.get(STATUS).status_code == 403
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert caller.get(STATUS).status_code == 200


def test_what_the_caller_wrote_before_the_proxys_entry_is_not_believed(db, settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    caller = Caller(make_token("viewer", addresses=["10.1.2.0/24"]))
    caller.headers["X-Forwarded-For"] = "10.1.2.3, 192.0.2.9"
    assert caller.get(STATUS).status_code == 403


def test_a_token_in_the_address_is_not_looked_at(db):
    assert Caller().get("/api/v1/orders", token=make_token("viewer")).status_code == 401


def test_a_role_that_was_taken_away_is_gone_at_the_next_request(db):
    caller = Caller(make_token("viewer"))
    assert caller.get(STATUS).status_code == 200
    ApiToken.objects.get().roles.clear()
    assert caller.get(STATUS).status_code == 403


def test_a_token_opens_no_panel(db):
    answer = Caller(make_token("admin")).get("/admin/")
    assert answer.status_code == 302 and "login" in answer.headers["Location"]


def test_wrong_tokens_are_slowed_down_and_right_ones_are_not(db, monkeypatch):
    monkeypatch.setitem(RATES, "wrong_token", Rate(0.001, 5))
    right = Caller(make_token("viewer"))
    wrong = Caller("nonsense")
    codes = [wrong.get(STATUS).status_code for _ in range(7)]
    assert codes[0] == 401 and codes[-1] == 429
    assert right.get(STATUS).status_code == 200


@pytest.fixture
def operator(db) -> User:
    user = User.objects.create_user("anna", password="a-long-enough-password", is_staff=True)
    user.groups.add(Group.objects.get(name="risk"))
    return user


def test_the_panels_session_may_read(operator):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(operator, "django.contrib.auth.backends.ModelBackend")
    assert browser.get(STATUS).status_code == 200


def test_the_panels_session_needs_the_csrf_token_to_change_anything(operator):
    browser = Client(enforce_csrf_checks=True, raise_request_exception=False)
    browser.force_login(operator, "django.contrib.auth.backends.ModelBackend")
    answer = browser.post("/live/kill?on=true")
    assert answer.status_code == 403 and answer.json()["code"] == "not_allowed"
    assert HaltState.objects.get(scope="everything").state == "active"


def test_a_cookie_does_not_paper_over_a_wrong_token(operator):
    browser = Client()
    browser.force_login(operator, "django.contrib.auth.backends.ModelBackend")
    assert browser.get(STATUS, headers={"authorization": "Bearer nonsense"}).status_code == 401
