"""Accounts, keys, strategies, tokens, limits and people: what may be changed by whom, and what by nobody."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group, User
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from tests.admin.addresses import panel_addresses
from trading.models import (
    ApiToken,
    AuditEntry,
    Credential,
    ExchangeAccount,
    LimitsVersion,
    OperatorSession,
    SecondFactor,
    Strategy,
)
from trading.vault import open_credentials

KEY, SECRET = "mx0vglKEYKEYKEY1234", "5ecre75ecre75ecre75ecre7"


def url(model: str, page: str, *args: object) -> str:
    return reverse(f"admin:trading_{model}_{page}", args=args)


def text_of(answer) -> str:
    return " ".join(answer.content.decode().split())


def test_a_key_goes_in_and_never_comes_out(day, browse):
    client = browse("admin")
    given = {"key": KEY, "secret": SECRET}
    answer = client.post(url("exchangeaccount", "credentials", day.account.pk), given, follow=True)
    assert "stored, encrypted" in text_of(answer)
    kept = open_credentials(day.account)
    assert (kept.key, kept.secret) == (KEY, SECRET)
    for address in panel_addresses():
        page = client.get(address.url, follow=True).content.decode()
        assert KEY not in page and SECRET not in page, address
    entry = AuditEntry.objects.get(kind="credential.stored")
    assert KEY not in json.dumps(entry.data) and entry.data["key_hint"] == KEY[-4:]


def test_a_wrong_key_is_refused_without_repeating_it(day, browse):
    before = bytes(Credential.objects.get().sealed_key)
    answer = browse("admin").post(
        url("exchangeaccount", "credentials", day.account.pk), {"key": "short", "secret": SECRET}, follow=True
    )
    page = text_of(answer)
    assert "does not look like one" in page and SECRET not in page
    assert bytes(Credential.objects.get().sealed_key) == before


def test_an_account_is_switched_off_with_a_reason(day, browse):
    client, switch = browse("admin"), url("exchangeaccount", "switch", day.account.pk)
    client.post(switch, {"reason": ""})
    assert ExchangeAccount.objects.get().is_enabled, "no reason, no change"
    client.post(switch, {"reason": "venue maintenance"})
    assert not ExchangeAccount.objects.get().is_enabled
    assert AuditEntry.objects.get(kind="account.disabled").data["reason"] == "venue maintenance"


def test_an_account_is_created_once_and_its_address_is_checked(day, browse):
    client = browse("admin")
    form = {
        "name": "second",
        "venue": "mexc",
        "environment": "live",
        "mode": "production",
        "base_url": "https://evil.example",
    }
    answer = client.post(url("exchangeaccount", "add"), form)
    assert answer.status_code == 400 and ExchangeAccount.objects.count() == 1
    answer = client.post(url("exchangeaccount", "add"), {**form, "base_url": "https://api.mexc.com"})
    assert answer.status_code == 302 and ExchangeAccount.objects.get(name="second").mode == "production"


def test_connection_and_sync_ask_the_venue_and_say_what_they_found(world, browse):
    client = browse("admin")
    tested = text_of(client.post(url("exchangeaccount", "test", world.account.pk), follow=True))
    assert "The venue answers" in tested and "Rights of the key" in tested
    synced = text_of(client.post(url("exchangeaccount", "sync", world.account.pk), follow=True))
    assert "Synced:" in synced


def test_a_strategy_is_created_and_switched(day, browse):
    client = browse("admin")
    assert client.post(url("strategy", "add"), {"name": "Not a name!"}).status_code == 400
    client.post(url("strategy", "add"), {"name": "momentum", "description": "follows"})
    row = Strategy.objects.get(name="momentum")
    client.post(url("strategy", "switch", row.pk))
    row.refresh_from_db()
    assert not row.is_enabled


def test_a_token_is_shown_once_and_can_be_revoked(day, browse):
    client = browse("admin")
    answer = client.post(
        url("apitoken", "add"), {"name": "bot-1", "roles": ["trader"], "days": 30, "addresses": "10.0.0.0/24"}
    )
    token, row = answer.context["token"], ApiToken.objects.get()
    assert token in answer.content.decode() and "10.0.0.0/24" in row.addresses
    for address in panel_addresses():
        assert token not in client.get(address.url, follow=True).content.decode(), address
    assert row.secret_hash not in client.get(url("apitoken", "change", row.pk)).content.decode()
    client.post(url("apitoken", "revoke", row.pk))
    row.refresh_from_db()
    assert row.revoked_at is not None


@pytest.mark.parametrize(
    "bad", [{"days": 0}, {"days": 9999}, {"roles": []}, {"roles": ["king"]}, {"addresses": "nowhere"}]
)
def test_a_wrong_token_form_makes_no_token(day, browse, bad):
    form = {"name": "bot", "roles": ["viewer"], "days": 30, "addresses": "", **bad}
    assert browse("admin").post(url("apitoken", "add"), form).status_code == 400
    assert not ApiToken.objects.exists()


def limits_form(client) -> dict[str, object]:
    form = client.get(url("limitsversion", "add")).context["form"]
    return {**form.initial, "reason": "calmer market"}


def test_a_change_of_limits_is_reviewed_before_it_is_saved(day, browse):
    client = browse("risk")
    form = {**limits_form(client), "max_order_notional": "800"}
    count = LimitsVersion.objects.count()
    review = client.post(url("limitsversion", "add"), {**form, "step": "review"})
    assert [row[0] for row in review.context["diff"].rows] == ["Order notional, USD"]
    assert LimitsVersion.objects.count() == count
    client.post(url("limitsversion", "add"), {**form, "step": "save", "reviewed": review.context["reviewed"]})
    row = LimitsVersion.objects.first()
    assert (str(row.max_order_notional.normalize()), row.reason) == ("8E+2", "calmer market")
    assert row.max_open_orders == 50, "what was not touched stays"


def test_what_was_edited_after_the_review_is_reviewed_again(day, browse):
    client = browse("risk")
    form = {**limits_form(client), "max_order_notional": "800"}
    reviewed = client.post(url("limitsversion", "add"), {**form, "step": "review"}).context["reviewed"]
    count = LimitsVersion.objects.count()
    sneaky = {**form, "max_order_notional": "800000", "step": "save", "reviewed": reviewed}
    answer = client.post(url("limitsversion", "add"), sneaky)
    assert answer.context["diff"] is not None and LimitsVersion.objects.count() == count


def test_limits_saved_by_somebody_else_in_between_stop_the_save(day, browse):
    client = browse("risk")
    form = {**limits_form(client), "max_order_notional": "800", "seen_version": 1}
    count = LimitsVersion.objects.count()
    answer = client.post(url("limitsversion", "add"), {**form, "step": "save"}, follow=True)
    assert "Somebody saved other limits" in text_of(answer) and LimitsVersion.objects.count() == count


def test_a_senseless_limit_is_explained(day, browse):
    client = browse("risk")
    form = {**limits_form(client), "max_order_notional": "lots"}
    reviewed = client.post(url("limitsversion", "add"), {**form, "step": "review"}).context["reviewed"]
    answer = client.post(url("limitsversion", "add"), {**form, "step": "save", "reviewed": reviewed})
    assert answer.status_code == 400 and "not a number" in text_of(answer)


def user_form(user: User, **changes: object) -> dict[str, object]:
    groups = list(user.groups.values_list("pk", flat=True))
    return {"username": user.username, "is_active": "on", "is_staff": "on", "groups": groups, **changes}


def test_an_administrator_gives_roles_and_the_trail_says_so(day, browse, people):
    person = people["none"]
    change = reverse("admin:auth_user_change", args=[person.pk])
    browse("admin").post(change, user_form(person, groups=[Group.objects.get(name="viewer").pk]))
    assert list(person.groups.values_list("name", flat=True)) == ["viewer"]
    entry = AuditEntry.objects.get(kind="operator.changed")
    assert entry.data["after"]["roles"] == ["viewer"] and entry.actor == "operator:admin-person"
    assert "password" not in json.dumps(entry.data)


def test_nobody_gives_themselves_a_role_or_superuser(day, browse, people):
    person = people["admin"]
    change = reverse("admin:auth_user_change", args=[person.pk])
    every = [group.pk for group in Group.objects.all()]
    browse("admin").post(change, user_form(person, groups=every, is_superuser="on"))
    person.refresh_from_db()
    assert list(person.groups.values_list("name", flat=True)) == ["admin"] and not person.is_superuser


def test_an_administrator_makes_nobody_a_superuser(day, browse, people):
    person = people["none"]
    change = reverse("admin:auth_user_change", args=[person.pk])
    every = list(Group.objects.get(name="risk").permissions.values_list("pk", flat=True))
    browse("admin").post(change, user_form(person, is_superuser="on", user_permissions=every))
    person.refresh_from_db()
    assert not person.is_superuser and not person.user_permissions.exists()


def test_a_superusers_password_is_out_of_an_administrators_reach(day, browse, people):
    target = people["super"]
    before = User.objects.get(pk=target.pk).password
    words = {
        "password1": "a brand new long one",
        "password2": "a brand new long one",
        "usable_password": "true",
    }
    answer = browse("admin").post(reverse("admin:auth_user_password_change", args=[target.pk]), words)
    assert answer.status_code == 403
    assert User.objects.get(pk=target.pk).password == before


def test_verification_reads_the_whole_trail(day, browse):
    answer = browse("risk").post(url("auditentry", "verify"), follow=True)
    assert "Intact: 4 entries" in text_of(answer)  # with the sign-in
    assert AuditEntry.objects.filter(kind="audit.verified").count() == 1
    assert "Checkpoint 1" in text_of(answer) and "intact" in text_of(answer)


def test_a_sealed_entry_shows_where_its_proof_is(day, browse):
    entry = AuditEntry.objects.earliest("id")
    page = url("auditentry", "change", entry.pk)
    assert "no checkpoint yet" in text_of(browse("viewer").get(page))
    browse("risk").post(url("auditentry", "verify"))
    assert f'href="/api/v1/audit/{entry.pk}/proof"' in browse("viewer").get(page).content.decode()


def test_the_trail_has_one_way_to_a_copy(day, browse):
    page = browse("admin").get(url("auditentry", "changelist")).content.decode()
    assert page.count('value="ndjson"') == 1 and f'action="{reverse("panel_export")}"' in page


def test_a_schedule_is_switched_off_and_slowed_down(day, browse):
    every = IntervalSchedule.objects.create(every=10, period=IntervalSchedule.SECONDS)
    row = PeriodicTask.objects.create(
        name="sync accounts", task="trading.tasks.sync_accounts", interval=every
    )
    client = browse("admin")
    client.post(reverse("admin:django_celery_beat_periodictask_switch", args=[row.pk]))
    client.post(reverse("admin:django_celery_beat_periodictask_interval", args=[row.pk]), {"seconds": 30})
    row.refresh_from_db()
    assert not row.enabled and row.interval.every == 30
    assert AuditEntry.objects.filter(kind="schedule.changed").count() == 2


def test_an_account_says_whether_its_venue_has_a_dead_man_timer(day, browse):
    page = browse("viewer").get(reverse("admin:trading_exchangeaccount_change", args=[day.account.pk]))
    assert "Dead-man timer at the venue" in page.content.decode()
    assert "only Levi&#x27;s own dead man" in page.content.decode()


def test_an_account_says_what_its_venue_offers_and_how_far_the_clocks_are_apart(day, browse):
    url, client = reverse("admin:trading_exchangeaccount_change", args=[day.account.pk]), browse("viewer")
    ExchangeAccount.objects.update(clock_offset_seconds=Decimal("-0.125"))
    page = " ".join(client.get(url).content.decode().split())
    assert "What the venue offers" in page and "32 characters" in page
    clock = page.split("The venue&#x27;s clock less ours</dt>")[1].split("</dd>")[0]
    assert "−0.125" in clock and "ago</time>" in clock
    ExchangeAccount.objects.update(clock_offset_seconds=None, clock_measured_at=None)
    assert "not measured yet" in client.get(url).content.decode()
    ExchangeAccount.objects.update(base_url="https://elsewhere.example.com")
    assert "the account&#x27;s address cannot be used" in client.get(url).content.decode()


def test_the_list_of_operators_says_who_has_a_second_factor_and_is_signed_in(day, browse, people):
    now = timezone.now()
    SecondFactor.objects.create(user=people["risk"], sealed_key=b"sealed")
    SecondFactor.objects.create(user=people["trader"], sealed_next=b"shown, and never confirmed")
    begun = (now, now, now - timedelta(days=2))
    for began, ended in zip(begun, (None, now, None), strict=True):
        OperatorSession.objects.create(user=people["risk"], began_at=began, acted_at=began, ended_at=ended)
    page = " ".join(browse("admin").get(reverse("admin:auth_user_changelist")).content.decode().split())
    rows = {name: page.split(f">{name}-person<")[1].split("</tr>")[0] for name in ("risk", "trader")}
    assert "enrolled" in rows["risk"] and "enrolled" not in rows["trader"]
    assert re.search(r'field-sessions_cell lv-right">1<', rows["risk"]), "ended and run out ones do not count"
    assert re.search(r'field-sessions_cell lv-right"><span class="lv-none"', rows["trader"])


def test_an_account_says_what_its_key_may_do_what_is_wrong_and_how_old_that_is(day, browse):
    url, client = reverse("admin:trading_exchangeaccount_change", args=[day.account.pk]), browse("viewer")
    key = Credential.objects.filter(account=day.account)
    assert "not asked yet" in client.get(url).content.decode()
    rights = {
        "can_trade": True,
        "can_read": True,
        "dangerous": [],
        "addresses": ["203.0.113.7"],
        "days_left": None,
    }
    key.update(rights={**rights, "rights": ["SPOT_DEAL_WRITE"]}, rights_checked_at=timezone.now())
    page = client.get(url).content.decode()
    assert "203.0.113.7" in page and "lv-good" in page and "not asked yet" not in page
    key.update(rights_asked_at=timezone.now(), rights_error="HTTP 503")
    page = client.get(url).content.decode()
    assert (
        "Asked in vain" in page
        and "HTTP 503" in page
        and ">unknown<" in page.replace(" ", "").replace("\n", "")
    )
    key.update(rights={**rights, "rights": [], "dangerous": ["SPOT_WITHDRAW_WRITE"], "days_left": 3})
    page = client.get(url).content.decode()
    assert "may do what a trading key must not: SPOT_WITHDRAW_WRITE" in page and "expires in 3 days" in page
