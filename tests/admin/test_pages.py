"""Looking never changes anything, nobody sees or does more than their roles allow, and nothing can be deleted."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from tests.admin.addresses import OWN_PAGES, panel_addresses
from tests.admin.algos_of_the_day import plan_algos
from tests.admin.the_door import fill_the_door
from tests.admin.trading_day import ANNA, ROLES
from trading.domain.enums import Severity
from trading.execution.alert_channels import create_channel
from trading.execution.daily_reports import make_report
from trading.execution.tokens import create_token
from trading.execution.webhooks import create_webhook
from trading.models import Strategy
from trading.notify import notify

ACTING = {
    "stop": "engage_halt",
    "engage": "engage_halt",
    "release": "release_halt",
    "cancel_all": "cancel_order",
    "cancel": None,
    "cancel_selected": "cancel_order",
    "pause": "stop_algo",
    "resume": "start_algo",
    "resolve": "resolve_order",
    "replay": "place_order",
    "verify": "verify_audit",
    "switch": None,
    "interval": "change_exchangeaccount",
    "credentials": "change_credential",
    "test": None,
    "sync": "change_exchangeaccount",
    "flatten": "flatten_position",
    "acknowledge": None,
    "adjust": "adjust_break",
    "make": "sign_report",
    "sign": "sign_report",
    "configure": "change_alertchannel",
    "revoke": None,
    "enable": "change_webhook",
    "disable": "change_webhook",
    "secret": "change_webhook",
    "approve": "decide_approval",
    "refuse": "decide_approval",
    # Everybody's own: their factor, their sessions.
    "begin": "",
    "activate": "",
    "codes": "",
    "remove": "auth.change_user",
    "end": "",
    "end_others": "",
}
SWITCHES = {
    "order": "cancel_order",
    "algo": "stop_algo",
    "alert": "acknowledge_alert",
    "break": "acknowledge_break",
    "alertchannel": "change_alertchannel",
    "exchangeaccount": "change_exchangeaccount",
    "strategy": "change_strategy",
    "periodictask": "change_exchangeaccount",
    "apitoken": "change_apitoken",
    "webhook": "change_webhook",
    "invitation": "auth.add_user",
}
ADDING = {
    "algo": "start_algo",
    "order": "place_order",
    "limitsversion": "add_limitsversion",
    "user": "auth.add_user",
    "invitation": "auth.add_user",
}
PERSONAL = ("secondfactor", "operatorsession")
PUBLIC = ("join",)  # tests/admin/test_invitations.py
WRITES = re.compile(r"^\s*(INSERT|UPDATE|DELETE|TRUNCATE|ALTER|CREATE|DROP)", re.I)


@pytest.fixture
def full(day):
    """Every model has at least one row, so that every page can be opened."""
    every = IntervalSchedule.objects.create(every=10, period=IntervalSchedule.SECONDS)
    PeriodicTask.objects.create(name="sync accounts", task="trading.tasks.sync_accounts", interval=every)
    create_token("bot", ["trader"], days=7, actor=ANNA)
    create_webhook("chart", strategy=Strategy.objects.values_list("name", flat=True)[0], days=7, actor=ANNA)
    create_channel("desk", "jsons://alerts.example.com/levi", actor=ANNA)
    notify("halt.engaged", Severity.CRITICAL, "Everything is halted")
    plan_algos(day)
    fill_the_door(ANNA)
    make_report(timezone.now().date() - timedelta(days=1), actor=ANNA)
    return day


def right_of(address) -> str:
    """The right an address asks for, as `app.codename`; empty: none but to be an operator."""
    if address.page in ACTING:
        code = SWITCHES[address.model] if ACTING[address.page] is None else ACTING[address.page]
        return code if not code or "." in code else f"trading.{code}"
    if address.model in PERSONAL or address.page in PUBLIC:
        return ""
    if address.model == "invitation":
        return "auth.add_user"
    if address.page in ("add", "ticket"):
        code = ADDING.get(address.model, f"add_{address.model}")
        return code if "." in code else f"trading.{code}"
    if address.model == "periodictask":
        return "trading.change_exchangeaccount"
    if address.page == "password_change" or address.model in ("user", "group"):
        verb = "change" if address.page == "password_change" else "view"
        return f"auth.{verb}_{address.model}"
    return f"trading.view_{address.model}"


def may(user, address) -> bool:
    right = right_of(address)
    return not right or user.has_perm(right)


def test_every_page_opens_and_looking_writes_nothing(full, browse):
    client = browse("super")
    urls = [address.url for address in panel_addresses() if address.page not in (*ACTING, *PUBLIC)]
    for url in urls + [reverse(name) for name in OWN_PAGES]:
        for look in (client.get, client.head):
            with CaptureQueriesContext(connection) as asked:
                answer = look(url, follow=True)
            written = [query["sql"] for query in asked if WRITES.match(query["sql"])]
            assert answer.status_code == 200, url
            assert written == [], f"{url} wrote on GET or HEAD"


def test_addresses_that_act_refuse_get_and_head(full, browse):
    client = browse("super")
    acting = [address for address in panel_addresses() if address.page in ACTING]
    assert {address.page for address in acting} == set(ACTING)
    for address in acting:
        assert client.get(address.url).status_code == 405, address
        assert client.head(address.url).status_code == 405, address


@pytest.mark.parametrize("role", [*ROLES, "none"])
def test_each_role_sees_exactly_what_its_rights_say(full, browse, people, role):
    client, user = browse(role), people[role]
    for address in panel_addresses():
        if address.page not in ACTING:
            allowed = {200, 302, 404} if may(user, address) else {403}
            assert client.get(address.url).status_code in allowed, (role, address, right_of(address))


@pytest.mark.parametrize("role", [*ROLES, "none"])
def test_acting_without_the_right_is_forbidden_and_writes_nothing(full, browse, people, role):
    client, user = browse(role), people[role]
    forbidden = [a for a in panel_addresses() if a.page in ACTING and not may(user, a)]
    for address in forbidden:
        with CaptureQueriesContext(connection) as asked:
            answer = client.post(address.url, {"reason": "x", "scope": "everything", "seen_epoch": 1})
        assert answer.status_code == 403, (role, address)
        assert not [query for query in asked if WRITES.match(query["sql"])], (role, address)


def test_acting_without_a_csrf_token_is_forbidden(full, browse):
    client = browse("super", csrf=True)
    for address in panel_addresses():
        if address.page in ACTING:
            assert client.post(address.url).status_code == 403, address


def test_pages_that_only_show_refuse_post(full, browse):
    client = browse("super")
    shows = [a for a in panel_addresses() if a.page in ("changelist", "change") and a.model not in ("user",)]
    for address in shows:
        assert client.post(address.url).status_code == 405, address


def test_strangers_are_sent_to_the_sign_in(full, client):
    for address in panel_addresses():
        if address.page in PUBLIC:
            continue
        answer = client.get(address.url)
        assert answer.status_code == 302 and "/admin/login/" in answer["Location"], address


def test_nothing_can_be_deleted_and_there_are_no_bulk_actions(full, browse, rf, people):
    request = rf.get("/admin/")
    request.user = people["super"]
    for model, screen in admin.site._registry.items():
        assert not screen.has_delete_permission(request), model
        assert not screen.get_actions(request), model
        assert not [p.name for p in screen.get_urls() if p.name and p.name.endswith(("_delete", "_history"))]


def test_every_unfold_action_asks_for_a_right_and_a_dialog():
    for screen in admin.site._registry.values():
        for kind in ("actions_list", "actions_row", "actions_detail", "actions_submit_line"):
            for name in getattr(screen, kind, ()):
                action = getattr(screen, name)
                assert getattr(action, "allowed_permissions", None), (screen, name)
                assert getattr(action, "dialog", None), (screen, name)


def test_the_rights_the_pages_ask_for_exist(full):
    known = {
        f"{p.content_type.app_label}.{p.codename}" for p in Permission.objects.select_related("content_type")
    }
    assert {right_of(address) for address in panel_addresses()} - {""} <= known


def test_a_person_without_a_role_is_told_so_and_sees_no_numbers(day, browse):
    page = browse("none").get(reverse("admin:index")).content.decode()
    assert "No role yet" in page
    assert "Exposure" not in page


def test_a_refusal_says_which_right_is_missing_and_leads_back(day, browse):
    answer = browse("viewer").get(reverse("admin:trading_order_ticket"))
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "trading.place_order" in page and 'href="/admin/"' in page


def test_an_address_that_does_not_exist_leads_back(day, browse):
    answer = browse("viewer").get("/admin/trading/nothing-here/")
    assert answer.status_code == 404 and b"Back to the control room" in answer.content
