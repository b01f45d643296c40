"""The door in a real browser: a new operator joins, enrols, is asked for a code, and two people release."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User

from tests.admin.the_door import ask_for_release
from tests.admin.trading_day import ANNA
from tests.authenticators import Authenticator
from tests.e2e.conftest import DESKTOP, PHONE, SMALL_PHONE
from trading.execution.operators import invite
from trading.models import HaltState, SecondFactor

WORDS = "a long and quiet evening"


def fresh_code(user: User, phone: Authenticator) -> str:
    SecondFactor.objects.filter(pk=user.pk).update(last_step=0)
    return phone.code()


def confirm(tab, user: User, phone: Authenticator) -> None:
    tab.page.fill("#id_code", fresh_code(user, phone))
    tab.page.click("button:has-text('Sign in')")
    tab.page.wait_for_url(tab.base + "/admin/")


def test_a_new_operator_joins_enrols_and_stops_meanwhile(day, settings, visit):
    _row, secret = invite("carla", ["trader", "risk"], actor=ANNA)
    settings.LEVI_MODE = "testnet"
    with visit(size=PHONE) as tab:
        tab.open(f"/admin/trading/invitation/join/{secret}/")
        tab.shoot("door-join-phone")
        tab.page.fill("#id_password", WORDS)
        tab.page.fill("#id_again", WORDS)
        tab.page.click("button:has-text('Join')")
        tab.page.fill("#id_username", "carla")
        tab.page.fill("#id_password", WORDS)
        tab.page.click("button[type=submit]")
        tab.page.wait_for_url("**/enrol/")
        assert tab.overflow() == 0
        tab.shoot("door-enrol-begin-phone")
        tab.page.click("button:has-text('Show my key')")
        tab.sees(".lv-qr")
        assert tab.page.locator(".lv-qr").evaluate("image => image.complete && image.naturalWidth > 0")
        tab.shoot("door-enrol-phone")
        assert tab.overflow() == 0
        tab.page.click("button.lv-stop")
        tab.sees("text=gate is closed")
        assert HaltState.objects.get(scope="everything").state == "halted"
        tab.page.goto(tab.base + "/admin/trading/secondfactor/enrol/")
        key = tab.sees("#key").inner_text().replace(" ", "")
        tab.page.fill("#id_code", Authenticator(key).code())
        tab.page.click("button:has-text('Put it into force')")
        assert len(tab.sees("#codes").inner_text().split()) == 10
        tab.shoot("door-codes-phone")
        tab.page.click("text=I have kept them")
        tab.page.wait_for_url(tab.base + "/admin/")


def test_two_people_release_and_the_form_survives_the_code(day, people, settings, visit):
    HaltState.objects.filter(target="SOL/USDT").update(state="halted", reason="odd prices")
    second = User.objects.create(username="ben", is_staff=True)
    second.groups.add(Group.objects.get(name="risk"))
    phones = {user: Authenticator.of(user) for user in (people["risk"], second)}
    settings.LEVI_MODE = "production"
    with visit(people["risk"]) as anna, visit(second, size=SMALL_PHONE, theme="dark") as ben:
        for tab, user in ((anna, people["risk"]), (ben, second)):
            tab.open("/admin/")
            tab.shoot(f"door-confirm-{user.username}")
            confirm(tab, user, phones[user])
        anna.open("/admin/trading/haltstate/")
        form = anna.page.locator("details:has-text('SOL/USDT') form")
        form.locator("input[name=reason]").fill("books agree, <cause> found")
        anna.shoot("door-release-asks")
        form.locator("button:has-text('Release')").click()
        anna.sees("text=stays halted until a second person")
        anna.shoot("door-release-waits")
        ben.open("/admin/trading/approvalrequest/")
        ben.shoot("door-approvals-phone-dark")
        ben.page.click("text=Release instrument SOL/USDT >> nth=0")
        ben.sees("button:has-text('Approve and do it')")
        ben.sees("text=books agree, <cause> found")
        ben.shoot("door-approval-phone-dark")
        assert ben.overflow() == 0
        ben.page.click("button:has-text('Approve and do it')")
        ben.sees("text=Approved and done")
        assert HaltState.objects.get(target="SOL/USDT").state == "active"


def test_a_code_is_asked_for_in_the_middle_and_nothing_typed_is_lost(day, people, settings, visit):
    boss = people["admin"]
    phone = Authenticator.of(boss)
    settings.LEVI_MODE = "testnet"
    # The event stream that is refused meanwhile stands in the browser's console.
    with visit(boss, size=DESKTOP, may_complain=True) as tab:
        tab.open("/admin/")
        confirm(tab, boss, phone)
        with pytest.MonkeyPatch.context() as patch:  # every proof is too old at once
            patch.setattr("trading.execution.authority.FACTOR_LIFE", timedelta(seconds=0))
            tab.open("/admin/trading/apitoken/add/")
            tab.page.fill("#id_name", "bot-9")
            tab.page.click("button:has-text('Make the token')")
            tab.sees("text=Confirm that it is you")
            tab.shoot("door-step-up")
        tab.page.fill("#id_code", fresh_code(boss, phone))
        tab.page.click("button:has-text('Confirm and go on')")
        tab.sees("#token")
        tab.open("/admin/trading/secondfactor/")
        tab.shoot("door-my-factor")
        tab.open("/admin/trading/operatorsession/")
        tab.shoot("door-sessions")
        tab.open("/admin/trading/invitation/add/")
        tab.shoot("door-invite")


DOOR = {
    "approvals": "/admin/trading/approvalrequest/",
    "sessions": "/admin/trading/operatorsession/",
    "factor": "/admin/trading/secondfactor/",
    "enrol": "/admin/trading/secondfactor/enrol/",
    "invitations": "/admin/trading/invitation/",
    "invite": "/admin/trading/invitation/add/",
    "password": "/admin/password_change/",
}


@pytest.mark.parametrize(
    ("theme", "size"), [("dark", DESKTOP), ("light", SMALL_PHONE)], ids=["desktop", "phone"]
)
def test_everybody_can_use_the_door_in_both_themes_and_on_a_small_phone(day, people, visit, theme, size):
    row = ask_for_release(ANNA)
    Authenticator.of(people["viewer"])
    _row, secret = invite("carla", ["viewer"], actor=ANNA)
    strangers = {
        "login": "/admin/login/",
        "join": f"/admin/trading/invitation/join/{secret}/",
        "join-used": "/admin/trading/invitation/join/no-such-secret/",
    }
    pages = {**DOOR, "approval": f"/admin/trading/approvalrequest/{row.pk}/change/"}
    with (
        visit(size=size, theme=theme, may_complain=True) as stranger,
        visit(people["super"], size=size, theme=theme) as tab,
    ):
        for someone, places in ((stranger, strangers), (tab, pages)):
            for name, path in places.items():
                someone.open(path)
                someone.shoot(f"door-{name}-{theme}-{size[0]}")
                assert someone.violations() == [], name
                someone.spread_text()
                assert someone.stick_out() == [], name


def test_a_second_factor_can_be_enrolled_and_shown_by_everybody_in_both_themes(people, settings, visit):
    """The pages that only the middle of a sign-in has: the key, the code, the recovery codes."""
    viewer = people["viewer"]
    settings.LEVI_MODE = "testnet"
    for theme, size in (("light", DESKTOP), ("dark", SMALL_PHONE)):
        SecondFactor.objects.all().delete()
        with visit(viewer, size=size, theme=theme) as tab:
            tab.open("/admin/")
            tab.page.click("button:has-text('Show my key')")
            key = tab.sees("#key").inner_text().replace(" ", "")
            seen = {"key": tab.violations()}
            tab.page.fill("#id_code", Authenticator(key).code())
            tab.page.click("button:has-text('Put it into force')")
            tab.sees("#codes")
            seen |= {"codes": tab.violations()}
            tab.shoot(f"door-codes-{theme}-{size[0]}")
        with visit(viewer, size=size, theme=theme) as tab:
            tab.open("/admin/")
            tab.sees("button:has-text('Sign in')")
            tab.shoot(f"door-confirm-{theme}-{size[0]}")
            seen |= {"confirm": tab.violations()}
        assert seen == {"key": [], "codes": [], "confirm": []}
