"""The pages of webhooks: made once, shown once, switched off by those who manage access."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from trading.models import Strategy, Webhook


def url_of(page: str, *args: object) -> str:
    return reverse(f"admin:trading_webhook_{page}", args=args)


@pytest.fixture
def given(db):
    Strategy.objects.get_or_create(name="momentum")
    return {"name": "chart", "strategy": "momentum", "days": "30", "quantity": "0.01"}


def test_the_secret_is_shown_on_the_answer_that_made_it_and_never_again(browse, given):
    browser = browse("admin")
    page = browser.post(url_of("add"), given)
    row = Webhook.objects.get()
    text = page.content.decode()
    assert page.status_code == 200 and f"/api/v1/webhooks/{row.slug}" in text
    secret = re.search(r"&quot;secret&quot;: &quot;([\w-]{40,})&quot;", text)
    assert secret is not None and "{{ticker}}" in text
    again = browser.get(url_of("change", row.pk)).content.decode()
    assert secret[1] not in again and row.slug in again and "0.01" in again


def test_a_mistake_stands_beside_its_field(browse, given):
    browser = browse("admin")
    for changes in ({"name": ""}, {"quantity": "-1"}, {"addresses": "nowhere"}, {"strategy": "nobody"}):
        assert browser.post(url_of("add"), {**given, **changes}).status_code == 400
    assert not Webhook.objects.exists()


def test_it_is_switched_off_and_on_given_another_secret_and_revoked(browse, given):
    browser = browse("admin")
    browser.post(url_of("add"), given)
    row = Webhook.objects.get()
    browser.post(url_of("disable", row.pk))
    assert not Webhook.objects.get().is_enabled
    browser.post(url_of("enable", row.pk))
    assert Webhook.objects.get().is_enabled
    assert browser.post(url_of("secret", row.pk)).status_code == 200
    assert Webhook.objects.get().secret_hash != row.secret_hash
    browser.post(url_of("revoke", row.pk))
    assert Webhook.objects.get().revoked_at is not None
    browser.post(url_of("enable", row.pk))
    page = browser.get(url_of("change", row.pk)).content.decode()
    assert "Switch" not in page and "revoked" in page


@pytest.mark.parametrize("role", ["viewer", "trader", "risk"])
def test_who_does_not_manage_access_neither_sees_nor_makes_one(browse, given, role):
    browser = browse(role)
    assert browser.get(url_of("changelist")).status_code == 403
    assert browser.post(url_of("add"), given).status_code == 403
    assert not Webhook.objects.exists()
