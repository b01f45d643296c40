"""The page of approvals: what waits, what exactly, approve or refuse; and where else one sees that something waits."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.admin.the_door import ask_for_release
from tests.authenticators import Authenticator
from tests.sign_in.browsers import Browser
from trading.domain.actors import Actor, ActorKind
from trading.models import ApprovalRequest, AuditEntry, HaltState, SecondFactor

ANNA = Actor(ActorKind.OPERATOR, "anna")


@pytest.fixture
def waiting(day, settings) -> ApprovalRequest:
    row = ask_for_release(ANNA)
    settings.LEVI_MODE = "production"
    return row


@pytest.fixture
def ben(people) -> Browser:
    return Browser(people["risk"]).confirm()


def state() -> str:
    return HaltState.objects.get(target="SOL/USDT").state


def test_the_whole_way_of_a_release_in_production_with_two_browsers(day, people, settings, ben):
    HaltState.objects.filter(target="SOL/USDT").update(state="halted", reason="odd")
    settings.LEVI_MODE = "production"
    people["super"].is_superuser = False
    people["super"].save()
    people["super"].groups.set(people["risk"].groups.all())
    anna = Browser(people["super"]).confirm()
    page = anna.get("haltstate_changelist").content.decode()
    assert "another operator with the role risk" in page
    given = {"scope": "instrument", "target": "SOL/USDT", "reason": "cause found"}
    epoch = page.split('name="seen_epoch" value="')[1].split('"')[0]
    page = anna.post("haltstate_release", follow=True, seen_epoch=epoch, **given).content.decode()
    assert "stays halted until a second person approves" in page and state() == "halted"
    assert "Waits for a second person" in page and "1 waiting for a second person" in page
    row = ApprovalRequest.objects.get()
    anna.post("approvalrequest_approve", row.pk)
    assert state() == "halted"
    shown = ben.get("approvalrequest_change", row.pk).content.decode()
    for text in ("Release instrument SOL/USDT", "cause found", "operator:root", row.payload_hash):
        assert text in shown
    ben.post("approvalrequest_approve", row.pk)
    assert state() == "active"
    assert AuditEntry.objects.get(kind="halt.released").data["approved_by"] == "operator:risk-person"


def test_what_waits_stands_first_and_says_until_when(waiting, ben):
    page = ben.get("approvalrequest_changelist").content.decode()
    assert page.index("Waiting for a second person") < page.index(waiting.subject)
    assert "Valid until" in page and "operator:anna" in page


def test_approving_asks_for_a_fresh_code_and_goes_on(waiting, people):
    ben = Browser(people["risk"]).confirm(minutes_ago=6)
    asked = ben.post("approvalrequest_approve", waiting.pk)
    assert state() == "halted"
    ben.go_on(asked, ben.fresh_code())
    assert state() == "active"


def test_refusing_takes_a_reason_and_leaves_everything_as_it_is(waiting, ben):
    ben.post("approvalrequest_refuse", waiting.pk)
    assert ApprovalRequest.objects.get().state == "pending"
    ben.post("approvalrequest_refuse", waiting.pk, reason="cause not found")
    row = ApprovalRequest.objects.get()
    assert (row.state, row.answer, row.decided_by) == ("refused", "cause not found", "operator:risk-person")
    assert state() == "halted"


@pytest.mark.parametrize("role", ["viewer", "trader", "admin"])
def test_others_look_and_decide_nothing(waiting, people, role):
    other = Browser(people[role]).confirm()
    page = other.get("approvalrequest_change", waiting.pk).content.decode()
    assert waiting.subject in page and "Approve and do it" not in page
    assert other.post("approvalrequest_approve", waiting.pk).status_code == 403
    assert other.post("approvalrequest_refuse", waiting.pk, reason="x").status_code == 403
    assert ApprovalRequest.objects.get().state == "pending" and state() == "halted"


def test_a_lost_phone_is_removed_by_another_administrator(day, people, settings):
    Authenticator.of(people["trader"])
    trader = Browser(people["trader"])
    settings.LEVI_MODE = "testnet"
    boss = Browser(people["admin"]).confirm()
    page = boss.get("secondfactor_changelist").content.decode()
    assert "Of all operators" in page and "trader-person" in page
    boss.post("secondfactor_remove", people["trader"].pk, reason="lost, called back")
    assert not SecondFactor.objects.filter(pk=people["trader"].pk).exists()
    assert trader.get("/admin/")["Location"].startswith("/admin/login/")
    answer = boss.post("secondfactor_remove", people["admin"].pk, reason="mine", follow=True)
    assert "Nobody removes their own" in answer.content.decode()
    assert boss.post("secondfactor_remove", people["super"].pk, reason="x").status_code == 403
    assert SecondFactor.objects.filter(pk=people["admin"].pk).exists()


def test_nobody_else_sees_whose_phone_is_enrolled(day, people):
    Authenticator.of(people["trader"])
    viewer = Browser(people["viewer"])
    assert "Of all operators" not in viewer.get("secondfactor_changelist").content.decode()
    answer = viewer.get("secondfactor_change", people["trader"].pk)
    assert answer["Location"] == reverse("admin:trading_secondfactor_changelist")
