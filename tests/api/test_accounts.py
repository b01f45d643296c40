"""Accounts: credentials go in and no answer ever holds them."""

from __future__ import annotations

import pytest
from django.utils import timezone

from tests.scripted_stream import offered, stream_row
from trading.exchanges.base import Credentials
from trading.models import AuditEntry, Credential, ExchangeAccount
from trading.vault import open_credentials

__all__ = ["offered"]
ACCOUNTS = "/api/v1/accounts"
KEY, SECRET = "canary-key-91a7c2", "canary-secret-77f0e1"
NEW = {
    "name": "second",
    "venue": "mexc",
    "environment": "simulated",
    "mode": "paper",
    "base_url": "http://127.0.0.1:9100/mexc",
}


def test_an_admin_registers_an_account(world, admin, viewer):
    answer = admin.post(ACCOUNTS, {**NEW, "rate_limit_rps": "2.5"})
    assert answer.status_code == 201, answer.json()
    assert viewer.get(f"{ACCOUNTS}/second").json()["rate_limit_rps"] == "2.5"
    assert AuditEntry.objects.filter(kind="account.created", actor="client:admin-token").count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "paper"}, "name"),
        ({"name": "Not A Name"}, "name"),
        ({"venue": "nowhere"}, "venue"),
        ({"mode": "production"}, None),
        ({"base_url": "https://evil.example/api"}, "base_url"),
        ({"base_url": "http://169.254.169.254/"}, "base_url"),
        ({"rate_limit_rps": "-1"}, "rate_limit_rps"),
        ({"is_default": True}, "is_default"),
        ({"key": "k"}, "key"),
    ],
)
def test_a_wrong_account_is_not_registered(world, admin, change, field):
    answer = admin.post(ACCOUNTS, {**NEW, **change})
    assert answer.status_code == 400, answer.json()
    assert field is None or answer.json()["context"]["field"] == field
    assert ExchangeAccount.objects.count() == 1


def test_an_account_says_how_its_private_stream_stands(world, admin, viewer, offered):
    assert viewer.get(f"{ACCOUNTS}/paper").json()["stream"]["state"] in ("no key", "never heard")
    admin.put(f"{ACCOUNTS}/paper/credentials", {"key": KEY, "secret": SECRET})
    assert "run_streams" in viewer.get(f"{ACCOUNTS}/paper").json()["stream"]["reason"]
    stream_row(world.account, state="lost", reason="closed by the venue")
    (row,) = viewer.get(ACCOUNTS).json()["results"]
    stream = row["stream"]
    assert (stream["state"], stream["reason"]) == ("lost", "closed by the venue")
    assert stream["heard_at"] < stream["since"]


def test_credentials_are_stored_sealed_and_never_shown(world, admin):
    stored = admin.put(f"{ACCOUNTS}/paper/credentials", {"key": KEY, "secret": SECRET})
    assert stored.json() == {"account": "paper", "has_credentials": True}
    assert open_credentials(world.account) == Credentials(KEY, SECRET)
    pages = [stored, *(admin.get(path) for path in (ACCOUNTS, f"{ACCOUNTS}/paper", "/api/v1/audit"))]
    for page in pages:
        assert KEY.encode() not in page.content and SECRET.encode() not in page.content
    row = admin.get(f"{ACCOUNTS}/paper").json()
    assert row["has_credentials"] is True and not {"key", "secret", "key_hint", "sealed_key"} & row.keys()


@pytest.mark.parametrize(
    "body", [{}, {"key": KEY}, {"key": "short", "secret": SECRET}, {"key": KEY, "secret": 5}]
)
def test_wrong_credentials_are_not_stored(world, admin, body):
    answer = admin.put(f"{ACCOUNTS}/paper/credentials", body)
    assert answer.status_code == 400
    assert KEY.encode() not in answer.content and SECRET.encode() not in answer.content
    assert not Credential.objects.exists()


def test_an_unknown_account_is_404(world, admin):
    assert admin.get(f"{ACCOUNTS}/nope").status_code == 404
    assert admin.put(f"{ACCOUNTS}/nope/credentials", {"key": KEY, "secret": SECRET}).status_code == 404


def test_an_account_says_how_its_key_stands(world, admin, viewer):
    admin.put(f"{ACCOUNTS}/paper/credentials", {"key": KEY, "secret": SECRET})
    state = viewer.get(f"{ACCOUNTS}/paper").json()["key_state"]
    assert (state["state"], state["faults"], state["checked_at"]) == ("not asked yet", [], None)
    rights = {"can_trade": False, "can_read": True, "dangerous": [], "rights": []}
    Credential.objects.update(rights=rights, rights_checked_at=timezone.now(), rights_error="HTTP 503")
    (row,) = viewer.get(ACCOUNTS).json()["results"]
    assert row["key_state"]["state"] == "at fault" and row["key_state"]["error"] == "HTTP 503"
    assert "may not trade" in row["key_state"]["faults"][0]
