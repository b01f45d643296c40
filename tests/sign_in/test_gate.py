"""How far somebody is signed in, and what that opens. Whatever it is: who may stop trading can."""

from __future__ import annotations

import json

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse

from tests.admin.addresses import panel_addresses
from tests.authenticators import Authenticator
from tests.sign_in.browsers import BACKEND, Browser, url_of
from trading.models import Alert, AuditEntry, HaltState, LimitsVersion, OperatorSession

STOP = "haltstate_stop"


def everything() -> str:
    return HaltState.objects.get(scope="everything").state


def is_at(answer, page: str) -> bool:
    return answer.status_code == 302 and answer["Location"].startswith(url_of(page))


def is_signed_out(answer) -> bool:
    return answer.status_code == 302 and "/admin/login/" in answer["Location"]


# -- who is past every role ----------------------------------------------------------------------------------------
def test_the_sign_in_of_a_superuser_is_an_alert_outside_of_paper_mode(day, browser, settings):
    browser("super")
    settings.LEVI_MODE = "testnet"
    browser("risk")
    assert not Alert.objects.filter(event="session.began").exists()
    browser("super")
    (alert,) = Alert.objects.filter(event="session.began")
    assert alert.severity == "warning" and "The superuser operator:root signed in from" in alert.subject


# -- half: the password only ---------------------------------------------------------------------------------------
def test_a_new_operator_sees_the_enrolment_first_and_nothing_else(testnet, browser):
    anna = browser("risk")
    for address in panel_addresses():
        answer = anna.client.get(address.url)
        if address.model == "secondfactor" and address.page in ("confirm", "enrol", "begin", "activate"):
            continue
        if address.page != "join":
            assert is_at(answer, "secondfactor_enrol"), address
    page = anna.get("secondfactor_enrol").content.decode()
    assert "Until then only STOP works" in page and "equity" not in page.lower()


def test_a_password_without_the_code_leads_to_the_code_and_then_to_where_one_wanted(testnet, browser):
    anna = browser("risk").enrol()
    wanted = reverse("admin:trading_order_changelist") + "?status=open"
    answer = anna.client.get(wanted)
    assert is_at(answer, "secondfactor_confirm")
    page = anna.client.get(answer["Location"]).content.decode()
    assert 'name="next" value="/admin/trading/order/?status=open"' in page
    answer = anna.post("secondfactor_confirm", code=anna.fresh_code(), next=wanted)
    assert answer.status_code == 302 and answer["Location"] == wanted
    assert anna.client.get(wanted).status_code == 200


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/api/docs", "javascript:x"]
)
def test_the_way_back_never_leads_out_of_the_panel(testnet, browser, elsewhere):
    anna = browser("risk").enrol()
    answer = anna.post("secondfactor_confirm", code=anna.fresh_code(), next=elsewhere)
    assert answer["Location"] == "/admin/"


def test_a_wrong_code_opens_nothing(testnet, browser):
    anna = browser("risk").enrol()
    page = anna.post("secondfactor_confirm", code="000000").content.decode()
    assert "wrong or was used" in page
    assert is_at(anna.get("order_changelist"), "secondfactor_confirm")


def test_the_whole_enrolment_through_the_pages(testnet, browser):
    anna = browser("trader")
    assert "Show my key" in anna.get("secondfactor_enrol").content.decode()
    page = anna.post("secondfactor_begin", follow=True).content.decode()
    assert 'src="data:image/svg+xml' in page
    key = page.split('id="key">')[1].split("<")[0].replace(" ", "")
    answer = anna.post("secondfactor_activate", code=Authenticator(key).code())
    codes = answer.content.decode().split('id="codes">')[1].split("<")[0].split()
    assert len(codes) == 10 and "no-store" in answer["Cache-Control"]
    assert anna.get("/admin/").status_code == 200
    assert not any(code in anna.get("secondfactor_changelist").content.decode() for code in codes)


@pytest.mark.parametrize("role", ["trader", "risk", "admin"])
def test_stop_works_before_any_second_factor(testnet, browser, role):
    anna = browser(role)
    page = anna.get("secondfactor_enrol").content.decode()
    assert url_of(STOP) in page
    answer = anna.post(STOP, follow=True)
    assert everything() == "halted" and django_settings.STOP_FLAG.exists()
    assert "gate is closed" in answer.content.decode()


def test_half_signed_in_neither_releases_nor_changes_anything(testnet, browser):
    anna = browser("risk")
    anna.post(STOP)
    versions = LimitsVersion.objects.count()
    anna.post("haltstate_release", scope="everything", target="", seen_epoch=1, reason="x")
    anna.post("limitsversion_add", max_open_orders="1000", reason="x", step="save")
    anna.client.post(reverse("admin:password_change"), {"new_password1": "x"})
    assert everything() == "halted" and LimitsVersion.objects.count() == versions


def test_a_viewer_cannot_stop_half_signed_in_either(testnet, browser):
    assert browser("viewer").post(STOP).status_code == 403
    assert everything() == "active"


def test_paper_mode_asks_for_nothing(day, browser):
    assert browser("risk").get("/admin/").status_code == 200


def test_who_enrolled_in_paper_mode_is_asked_there_too(day, browser):
    anna = browser("risk").enrol()
    assert is_at(anna.get("/admin/"), "secondfactor_confirm")
    assert anna.confirm().get("/admin/").status_code == 200


# -- the API with a session ---------------------------------------------------------------------------------------
def call(browser: Browser, path: str, body: object | None = None, **headers: str):
    if body is None:
        return browser.client.get(path, headers=headers)
    return browser.client.post(path, json.dumps(body), content_type="application/json", headers=headers)


def test_the_api_refuses_half_a_sign_in_but_for_stopping(testnet, browser):
    anna = browser("risk")
    refused = call(anna, "/api/v1/orders")
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_required")
    assert call(anna, "/live/kill", {"on": True}).status_code == 200
    assert everything() == "halted"
    released = call(anna, "/live/kill", {"on": False})
    assert (released.status_code, released.json()["code"]) == (403, "second_factor_required")
    assert call(anna, "/api/v1/halts/engage", {"scope": "everything", "reason": "x"}).status_code == 200
    assert everything() == "halted"


def test_a_code_in_the_header_proves_the_factor_for_the_session(testnet, browser):
    anna = browser("risk").confirm(minutes_ago=6)
    call(anna, "/live/kill", {"on": True})
    body = {"scope": "instrument", "target": "BTC/USDT", "reason": "x"}
    HaltState.objects.filter(target="BTC/USDT").update(state="halted")
    refused = call(anna, "/api/v1/halts/release", body)
    assert refused.json()["code"] == "second_factor_required" and "X-Levi-Code" in refused.json()["message"]
    wrong = call(anna, "/api/v1/halts/release", body, **{"X-Levi-Code": "000000"})
    assert (wrong.status_code, wrong.json()["code"]) == (403, "wrong_code")
    assert HaltState.objects.get(target="BTC/USDT").state == "halted"
    done = call(anna, "/api/v1/halts/release", body, **{"X-Levi-Code": anna.fresh_code()})
    assert done.status_code == 200 and HaltState.objects.get(target="BTC/USDT").state == "active"


def test_a_get_takes_no_code(testnet, browser):
    anna = browser("risk").enrol()
    answer = call(anna, "/api/v1/orders", **{"X-Levi-Code": anna.fresh_code()})
    assert answer.json()["code"] == "second_factor_required"
    assert not AuditEntry.objects.filter(kind="factor.confirmed").exists()


def test_who_is_not_signed_in_learns_nothing_by_a_code(testnet):
    answer = Client().post("/api/v1/halts/release", "{}", content_type="application/json",
                           headers={"X-Levi-Code": "123456"})  # fmt: skip
    assert answer.status_code == 401
    assert not AuditEntry.objects.filter(kind__startswith="factor.").exists()


# -- ends ---------------------------------------------------------------------------------------------------------
def test_after_half_an_hour_away_only_stopping_works(testnet, browser):
    anna = browser("risk").confirm()
    anna.age(minutes=29)
    assert anna.get("/admin/").status_code == 200
    anna.age(minutes=31)
    assert is_signed_out(anna.get("/admin/"))
    assert call(anna, "/api/v1/orders").status_code == 401
    assert is_signed_out(anna.post("haltstate_cancel_all"))
    anna.post(STOP)
    assert everything() == "halted"
    assert is_signed_out(anna.get("/admin/"))


def test_a_page_opened_begins_the_half_hour_anew_and_what_it_fetches_does_not(testnet, browser):
    anna = browser("risk").confirm()
    anna.age(minutes=20)
    fetched = anna.client.get("/admin/", headers={"Sec-Fetch-Mode": "cors"})
    assert not [name for name in fetched.cookies if name.endswith("seen")]
    opened = anna.client.get("/admin/", headers={"Sec-Fetch-Mode": "navigate"})
    assert [name for name in opened.cookies if name.endswith("seen")]
    seen = {name: cookie.value for name, cookie in anna.client.cookies.items() if name.endswith("seen")}
    anna.age(minutes=40)
    assert is_signed_out(anna.get("/admin/"))
    anna.client.cookies.load(seen)
    assert anna.get("/admin/").status_code == 200


def test_the_proof_of_presence_of_another_session_is_worth_nothing(testnet, browser, people):
    anna, ben = browser("risk").confirm(), browser("trader").confirm()
    anna.get("/admin/")
    seen = {name: cookie.value for name, cookie in anna.client.cookies.items() if name.endswith("seen")}
    assert seen
    ben.age(minutes=40)
    ben.client.cookies.load(seen)
    assert is_signed_out(ben.get("/admin/"))


def test_paper_mode_does_not_watch_the_clock_for_absence(day, browser):
    anna = browser("risk")
    anna.age(hours=3)
    assert anna.get("/admin/").status_code == 200


def test_after_twelve_hours_it_is_over_also_for_stopping_and_in_every_mode(day, browser):
    anna = browser("risk")
    anna.age(hours=12, minutes=1)
    assert is_signed_out(anna.get("/admin/")) and is_signed_out(anna.post(STOP))
    assert everything() == "active"


@pytest.mark.parametrize(
    ("page", "words"),
    [(STOP, "NOT STOPPED: your sign-in"), ("haltstate_cancel_all", "Nothing was done: your sign-in")],
)
def test_a_form_that_came_after_the_end_is_told_that_nothing_was_done(day, browser, page, words):
    anna, orders = browser("risk"), url_of("order_changelist")
    anna.age(hours=12, minutes=1)
    sent = {"follow": True, "headers": {"Referer": f"http://testserver{orders}?status=open"}}
    answer = anna.client.post(url_of(page), {}, **sent)
    assert words in answer.content.decode() and everything() == "active"
    door = answer.redirect_chain[-1][0]
    assert door == "/admin/login/?next=%2Fadmin%2Ftrading%2Forder%2F%3Fstatus%3Dopen"
    assert "your sign-in had ended" not in anna.client.get("/admin/", follow=True).content.decode()


def test_a_page_that_only_reads_itself_takes_no_words_away(day, browser):
    anna = browser("risk")
    anna.age(hours=12, minutes=1)
    anna.client.post(url_of("order_ticket"), {}, headers={"X-Levi-Fragment": "1"})
    assert "had ended" not in anna.client.get("/admin/", follow=True).content.decode()


def test_a_form_sent_before_the_factor_was_shown_is_told_so(testnet, browser):
    page = browser("risk").enrol().post("haltstate_cancel_all", follow=True).content.decode()
    assert "Nothing was done: the second factor is asked for first" in page


def test_an_ended_session_is_signed_out_at_its_next_request(testnet, browser):
    anna, other = browser("risk").confirm(), browser("admin").confirm()
    assert other.post("operatorsession_end", anna.session.pk).status_code == 302
    assert is_signed_out(anna.get("/admin/"))
    assert call(anna, "/api/v1/orders").status_code == 401
    entry = AuditEntry.objects.filter(kind="session.ended").latest("id")
    assert entry.actor == "operator:admin-person" and entry.data["username"] == "risk-person"


def test_one_ends_the_own_sessions_and_only_those(testnet, browser, people):
    anna, ben = browser("risk").confirm(), browser("trader").confirm()
    second = Browser(people["risk"], anna.phone).confirm()
    assert anna.post("operatorsession_end", ben.session.pk).status_code == 403
    page = anna.get("operatorsession_changelist").content.decode()
    assert "risk-person" in page and "trader-person" not in page
    anna.post("operatorsession_end_others")
    assert anna.get("/admin/").status_code == 200 and ben.get("/admin/").status_code == 200
    assert is_signed_out(second.get("/admin/"))


def test_a_change_of_roles_ends_every_session_of_that_person(testnet, browser, people):
    anna, boss = browser("trader").confirm(), browser("admin").confirm()
    user = people["trader"]
    url = reverse("admin:auth_user_change", args=[user.pk])
    answer = boss.client.post(url, {"username": user.username, "is_active": "on", "is_staff": "on"})
    assert answer.status_code == 302, answer.content
    assert list(user.groups.all()) == []
    assert is_signed_out(anna.get("/admin/")) and boss.get("/admin/").status_code == 200


def test_a_new_password_ends_every_session_of_that_person(testnet, browser, people):
    anna, second = browser("risk").confirm(), Browser(people["risk"])
    user = people["risk"]
    user.set_password("correct horse battery staple")
    user.save()
    assert is_signed_out(anna.get("/admin/")) and is_signed_out(second.get("/admin/"))
    assert OperatorSession.objects.filter(user=user, ended_at=None).count() == 0
    assert AuditEntry.objects.filter(kind="operator.password_changed").count() == 1


def test_signing_out_ends_the_row(testnet, browser):
    anna = browser("risk").confirm()
    row = anna.session
    anna.client.post(reverse("admin:logout"))
    row.refresh_from_db()
    assert row.ended_why == "signed out"


def test_the_key_of_the_session_changes_with_the_code(testnet, browser):
    anna = browser("risk").enrol()
    before = anna.client.session.session_key
    anna.confirm()
    assert anna.client.session.session_key != before
    old = Client()
    old.cookies[django_settings.SESSION_COOKIE_NAME] = before
    assert is_signed_out(old.get("/admin/"))


# -- lock-outs -----------------------------------------------------------------------------------------------------
def sign_in(client: Client, name: str, password: str, address: str = "10.0.0.1"):
    return client.post("/admin/login/", {"username": name, "password": password}, REMOTE_ADDR=address)


def test_guessing_locks_the_guesser_out_and_never_who_is_signed_in(testnet, browser, people):
    anna = browser("risk").confirm()
    guesser, name = Client(), people["risk"].username
    answers = [sign_in(guesser, name, "wrong", "203.0.113.9").status_code for _try in range(6)]
    assert answers[-1] == 429
    anna.post(STOP)
    assert everything() == "halted"
    assert AuditEntry.objects.filter(kind="session.refused", data__username=name).count() == 1
    assert AuditEntry.objects.filter(kind="session.locked_out").count() == 1


def test_a_guesser_elsewhere_does_not_keep_an_operator_from_signing_in(testnet, people):
    user = people["risk"]
    user.set_password("correct horse battery staple")
    user.save()
    for number in range(12):
        sign_in(Client(), user.username, "wrong", f"203.0.113.{number % 2}")
    answer = sign_in(Client(), user.username, "correct horse battery staple", "10.0.0.7")
    assert answer.status_code == 302


def test_the_name_of_nobody_is_not_written_down(testnet):
    sign_in(Client(), "my secret password typed into the wrong field", "x")
    entry = AuditEntry.objects.get(kind="session.refused")
    assert entry.actor == "operator:unknown" and "secret" not in json.dumps(entry.data)


def test_a_sign_in_is_in_the_trail_with_its_address(day, people):
    client = Client(REMOTE_ADDR="10.0.0.1")
    client.force_login(people["risk"], backend=BACKEND)
    assert AuditEntry.objects.get(kind="session.began").actor == "operator:risk-person"
