"""Commands for which a shell is not enough: outside paper mode they want an operator and a code."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User

from tests.authenticators import Authenticator
from tests.management.typing_commands import type_here
from trading.models import ApiToken, ApprovalRequest, AuditEntry, HaltState, OperatorSession, SecondFactor

RESUME = ("resume", "--reason", "books agree", "--scope", "instrument", "--target", "BTC/USDT")


@pytest.fixture
def halted(transactional_db):
    from django.utils import timezone

    HaltState.objects.create(
        scope="instrument", target="BTC/USDT", state="halted", since=timezone.now(), actor="tests"
    )


@pytest.fixture
def olga(transactional_db) -> Authenticator:
    user = User.objects.create(username="olga", is_staff=True)
    user.groups.add(Group.objects.get(name="risk"))
    return Authenticator.of(user)


def state() -> str:
    return HaltState.objects.get(target="BTC/USDT").state


def test_in_paper_mode_the_shell_is_enough(halted):
    assert type_here(*RESUME).code == 0 and state() == "active"


def test_elsewhere_it_takes_an_operator_and_a_code(halted, olga, settings):
    settings.LEVI_MODE = "testnet"
    typed = type_here(*RESUME)
    assert typed.code == 1 and "--operator NAME --code 123456" in typed.err
    assert type_here(*RESUME, "--operator", "olga", "--code", "000000").code == 1
    assert state() == "halted"
    typed = type_here(*RESUME, "--operator", "olga", "--code", olga.code())
    assert typed.code == 0 and state() == "active"
    entry = AuditEntry.objects.get(kind="halt.released")
    assert entry.actor == "operator:olga" and entry.request_id.startswith("cli-")


def test_in_production_it_waits_for_the_second_person(halted, olga, settings):
    settings.LEVI_MODE = "production"
    typed = type_here(*RESUME, "--operator", "olga", "--code", olga.code(), "--json")
    assert typed.code == 0 and ApprovalRequest.objects.get().requested_by == "operator:olga"
    assert str(ApprovalRequest.objects.get().pk) in typed.out and state() == "halted"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--operator", "olga"), "come together"),
        (("--code", "123456"), "come together"),
        (("--operator", "nobody", "--code", "123456"), "no operator nobody"),
    ],
)
def test_half_an_identity_is_wrong_use(halted, olga, options, said):
    typed = type_here(*RESUME, *options)
    assert typed.code == 2 and said in typed.err and state() == "halted"


def test_the_operators_roles_count(halted, olga, settings):
    User.objects.get().groups.set(Group.objects.filter(name="viewer"))
    typed = type_here(*RESUME, "--operator", "olga", "--code", olga.code())
    assert typed.code == 1 and "release_halt" in typed.err and state() == "halted"


def test_a_token_is_made_by_a_proven_administrator(olga, settings):
    settings.LEVI_MODE = "production"
    make = ("create_api_token", "bot", "--role", "viewer")
    assert type_here(*make).code == 1 and not ApiToken.objects.exists()
    User.objects.get().groups.add(Group.objects.get(name="admin"))
    assert type_here(*make, "--operator", "olga", "--code", olga.code()).code == 0
    assert ApiToken.objects.get().created_by == "operator:olga"


def test_a_lost_phone_is_forgotten_from_the_shell(olga):
    user = User.objects.get()
    OperatorSession.objects.create(user=user, began_at=user.date_joined, acted_at=user.date_joined)
    assert type_here("remove_second_factor", "olga", "--reason", "stood before me").code == 0
    assert not SecondFactor.objects.exists()
    assert OperatorSession.objects.get().ended_why == "second factor removed"
    assert AuditEntry.objects.get(kind="factor.removed").data["reason"] == "stood before me"
    assert type_here("remove_second_factor", "olga", "--reason", "again").code == 2
