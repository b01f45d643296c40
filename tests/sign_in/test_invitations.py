"""Inviting: a link that opens once, within a day, and lets its person alone know the password."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from tests.making import run_together
from trading.domain.actors import Actor, ActorKind
from trading.domain.errors import InvalidInput, LeviError
from trading.execution.operators import accept_invitation, invite
from trading.models import AuditEntry, Invitation

BOSS = Actor(ActorKind.OPERATOR, "boss")
WORDS = "a long and quiet evening"


def make_link(browser) -> str:
    answer = browser("admin").post("invitation_add", username="carla", roles=["viewer", "risk"])
    assert "no-store" in answer["Cache-Control"]
    return answer.content.decode().split('id="link">')[1].split("<")[0].removeprefix("http://testserver")


def test_the_person_sets_a_password_and_signs_in(day, browser):
    link, stranger = make_link(browser), Client()
    page = stranger.get(link).content.decode()
    assert "Welcome, carla" in page and "viewer" in page and "at least 15" in page
    done = stranger.post(link, {"password": WORDS, "again": WORDS}, follow=True)
    assert done.redirect_chain[-1][0] == "/admin/login/"
    carla = User.objects.get(username="carla")
    assert carla.check_password(WORDS) and carla.is_staff
    assert sorted(carla.groups.values_list("name", flat=True)) == ["risk", "viewer"]
    created = AuditEntry.objects.get(kind="operator.created")
    assert created.data["invited_by"] == "operator:admin-person"
    assert WORDS not in str(list(AuditEntry.objects.values_list("data", flat=True)))


def test_looking_at_the_link_uses_nothing_up(day, browser):
    link = make_link(browser)
    for _look in range(3):
        assert Client().get(link).status_code == 200
        assert Client().head(link).status_code == 200
    assert Invitation.objects.get().used_at is None


def test_it_opens_once(day, browser):
    link = make_link(browser)
    Client().post(link, {"password": WORDS, "again": WORDS})
    again = Client().post(link, {"password": "another long pass phrase", "again": "another long pass phrase"})
    assert again.status_code == 404 and "opens nothing" in again.content.decode()
    assert User.objects.get(username="carla").check_password(WORDS)


@pytest.mark.parametrize("change", [{"expires_at": timedelta(0)}, {"revoked_at": timedelta(0)}])
def test_an_old_or_revoked_link_opens_nothing(day, browser, change):
    link = make_link(browser)
    Invitation.objects.update(**{name: timezone.now() - span for name, span in change.items()})
    assert Client().get(link).status_code == 404
    assert Client().post(link, {"password": WORDS, "again": WORDS}).status_code == 404
    assert not User.objects.filter(username="carla").exists()


@pytest.mark.parametrize(
    ("password", "again", "said"),
    [("short", "short", "too short"), (WORDS, WORDS + "!", "differ"), ("", "", "required")],
)
def test_a_weak_password_is_refused_and_the_link_stays_good(day, browser, password, again, said):
    link = make_link(browser)
    answer = Client().post(link, {"password": password, "again": again})
    assert answer.status_code == 400 and said in answer.content.decode()
    assert Invitation.objects.get().used_at is None and not User.objects.filter(username="carla").exists()


def test_revoking_in_the_panel(day, browser):
    link, boss = make_link(browser), browser("admin")
    assert boss.post("invitation_revoke", Invitation.objects.get().pk).status_code == 302
    assert Client().get(link).status_code == 404


@pytest.mark.parametrize("role", ["viewer", "trader", "risk"])
def test_only_administrators_invite(day, browser, role):
    assert browser(role).post("invitation_add", username="carla", roles=["risk"]).status_code == 403
    assert not Invitation.objects.exists()


@pytest.mark.parametrize(
    ("name", "roles", "field"),
    [("", ["viewer"], "username"), ("car la", ["viewer"], "username"), ("ROOT", ["viewer"], "username"),
     ("carla", [], "roles"), ("carla", ["king"], "roles")],
)  # fmt: skip
def test_a_wrong_name_or_role_is_named(people, name, roles, field):
    with pytest.raises(InvalidInput) as refused:
        invite(name, roles, actor=BOSS)
    assert refused.value.context["field"] == field and not Invitation.objects.exists()


def test_the_link_is_nowhere_in_the_database(day, browser):
    secret = make_link(browser).rstrip("/").rpartition("/")[2]
    row = Invitation.objects.values().get()
    assert secret not in str(row) and secret not in str(
        list(AuditEntry.objects.values_list("data", flat=True))
    )


def test_ten_who_accept_at_once_make_one_operator(transactional_db):
    _row, secret = invite("carla", ["viewer"], actor=BOSS)
    done = run_together(*[lambda: accept_invitation(secret, WORDS)] * 10)
    assert len([user for user in done if isinstance(user, User)]) == 1
    assert all(isinstance(answer, User | LeviError) for answer in done), done
    assert User.objects.filter(username="carla").count() == 1
