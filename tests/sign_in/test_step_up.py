"""A code in the middle of something: asked for by the verbs, and nothing that was typed is lost."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import User
from django.test import override_settings
from django.urls import reverse

from tests.api.world import Caller, make_token
from tests.sign_in.browsers import Browser
from trading.models import (
    ApiToken,
    AuditEntry,
    Credential,
    ExchangeAccount,
    HaltState,
    Invitation,
    LimitsVersion,
    Order,
)
from trading.queries.halts import current_epoch

# page, arguments, form, role, and how to see that it happened
SENSITIVE = {
    "a token": (
        "apitoken_add",
        list,
        {"name": "bot", "roles": ["trader"], "days": "7", "addresses": "10.0.0.0/8"},
        "admin",
        lambda: ApiToken.objects.filter(name="bot", addresses=["10.0.0.0/8"]).exists(),
    ),
    "an invitation": (
        "invitation_add",
        list,
        {"username": "carla", "roles": ["viewer", "risk"]},
        "admin",
        lambda: Invitation.objects.filter(username="carla", roles=["risk", "viewer"]).exists(),
    ),
    "a venue's key": (
        "exchangeaccount_credentials",
        lambda: [ExchangeAccount.objects.get(name="paper").pk],
        {"key": "mx0-another-key", "secret": "another-secret-of-it"},
        "admin",
        lambda: AuditEntry.objects.filter(kind="credential.stored").exists(),
    ),
    "a release": (
        "haltstate_release",
        list,
        {
            "scope": "instrument",
            "target": "SOL/USDT",
            "seen_epoch": "0",
            "reason": 'cause <found> & "mended"',
        },
        "risk",
        lambda: HaltState.objects.get(target="SOL/USDT").state == "active",
    ),
}


@pytest.fixture
def halted(testnet) -> None:
    HaltState.objects.filter(target="SOL/USDT").update(state="halted")


@pytest.fixture(params=SENSITIVE, ids=list(SENSITIVE))
def sensitive(request, halted, monkeypatch):
    page, arguments, form, role, happened = SENSITIVE[request.param]
    monkeypatch.setitem(form, "seen_epoch", _epoch()) if "seen_epoch" in form else None
    return page, arguments(), form, role, happened


def _epoch() -> str:
    return str(current_epoch())


def test_a_code_is_asked_for_and_then_it_is_done_as_it_was_typed(sensitive, browser):
    page, arguments, form, role, happened = sensitive
    anna = browser(role).confirm(minutes_ago=6)
    asked = anna.post(page, *arguments, **form)
    assert asked.status_code == 200 and "no-store" in asked["Cache-Control"]
    assert not happened()
    wrong = anna.go_on(asked, "000000")
    assert "wrong or was used" in wrong.content.decode() and not happened()
    done = anna.go_on(wrong, anna.fresh_code())
    assert done.status_code in (200, 302) and happened(), done.content
    # From now on for five minutes nothing is asked.
    assert AuditEntry.objects.filter(kind="factor.confirmed").count() == 2


def test_a_code_of_less_than_five_minutes_ago_is_enough(sensitive, browser):
    page, arguments, form, role, happened = sensitive
    answer = browser(role).confirm(minutes_ago=4).post(page, *arguments, **form)
    assert "Confirm that it is you" not in answer.content.decode() and happened()


def test_lists_of_values_and_markup_survive_the_page_in_between(halted, browser):
    anna = browser("admin").confirm(minutes_ago=6)
    page = anna.post("invitation_add", username="carla", roles=["viewer", "trader"]).content.decode()
    assert page.count('<input type="hidden" name="roles"') == 2
    anna = browser("risk").confirm(minutes_ago=6)
    given = {"scope": "instrument", "target": "SOL/USDT", "seen_epoch": 1}
    page = anna.post("haltstate_release", reason='<script>x"</script>', **given)
    assert "<script>x" not in page.content.decode()
    assert "&lt;script&gt;x&quot;" in page.content.decode()


def test_no_code_without_the_csrf_token_is_even_looked_at(halted, people):
    anna = Browser(people["risk"]).confirm(minutes_ago=6)
    anna.client.handler.enforce_csrf_checks = True
    answer = anna.post("haltstate_release", scope="everything", levi_code=anna.fresh_code(), reason="x")
    assert answer.status_code == 403
    assert AuditEntry.objects.filter(kind="factor.confirmed").count() == 1


@pytest.mark.parametrize("role", ["admin"])
def test_changes_of_operators_ask_for_it(testnet, browser, people, role):
    boss = browser(role).confirm(minutes_ago=6)
    user = people["trader"]
    url = reverse("admin:auth_user_change", args=[user.pk])
    form = {"username": user.username, "is_active": "on"}
    asked = boss.client.post(url, form)
    user.refresh_from_db()
    assert user.is_staff and user.groups.count() == 1
    assert boss.go_on(asked, boss.fresh_code()).status_code == 302
    user.refresh_from_db()
    assert not user.is_staff
    reset = reverse("admin:auth_user_password_change", args=[people["viewer"].pk])
    boss.confirm(minutes_ago=6)
    words = "another long pass phrase"
    asked = boss.client.post(reset, {"password1": words, "password2": words, "usable_password": "true"})
    assert "Confirm that it is you" in asked.content.decode()
    assert not User.objects.get(pk=people["viewer"].pk).check_password(words)


def test_a_word_on_a_quarantined_order_asks_for_it(testnet, browser):
    anna = browser("risk").confirm(minutes_ago=6)
    order = Order.objects.get(status="quarantined")
    asked = anna.post("order_resolve", order.pk, verdict="not_accepted", reason="looked")
    assert "a word on a quarantined order" in asked.content.decode()
    assert Order.objects.get(pk=order.pk).status == "quarantined"


def test_what_needs_a_factor_is_out_of_reach_of_a_token(testnet):
    token = Caller(make_token_in_paper("viewer", "trader", "risk", "admin"))
    versions, keys = LimitsVersion.objects.count(), Credential.objects.values_list("key_hint", flat=True)
    account = ExchangeAccount.objects.get(name="paper")
    before = list(keys)
    HaltState.objects.filter(target="SOL/USDT").update(state="halted")
    body = {"scope": "instrument", "target": "SOL/USDT", "reason": "x"}
    calls = [
        token.post("/api/v1/halts/release", body),
        token.post("/api/v1/halts/release", body, X_Levi_Code="123456"),
        token.put(
            f"/api/v1/accounts/{account.name}/credentials", {"key": "mx0-123456", "secret": "1234567890"}
        ),
        token.post("/live/kill?on=false"),
    ]
    for answer in calls:
        assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_required"), answer.content
        assert "token cannot prove" in answer.json()["message"]
    assert HaltState.objects.get(target="SOL/USDT").state == "halted"
    assert LimitsVersion.objects.count() == versions and list(keys.all()) == before


def test_engaging_with_a_token_asks_for_nothing(testnet):
    token = Caller(make_token_in_paper("trader"))
    assert token.post("/live/kill?on=true").status_code == 200
    assert json.loads(token.get("/live/status").content)["kill_switch"] is True


def make_token_in_paper(*roles: str) -> str:
    with override_settings(LEVI_MODE="paper"):
        return make_token(*roles, name="bot")
