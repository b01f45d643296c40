"""The page of alerts: what waits comes first, one button says it was seen, and no page ever shows an address."""

from __future__ import annotations

from django.urls import reverse

from tests.admin.trading_day import ANNA
from tests.sign_in.browsers import Browser
from trading.domain.enums import Severity
from trading.execution.alert_channels import create_channel
from trading.models import Alert, AlertChannel, AlertDelivery
from trading.notify import notify

LIST = reverse("admin:trading_alert_changelist")
SECRET = "canary-token-77aa"
FORM = {
    "name": "desk",
    "url": f"slack://{SECRET}A/{SECRET}B/{SECRET}C",
    "min_severity": "warning",
    "events": "halt",
}


def tell(subject: str = "Everything is halted") -> Alert:
    return notify("halt.engaged", Severity.CRITICAL, subject, "prices look wrong")


def test_a_critical_alert_stands_in_the_strip_until_somebody_has_seen_it(day, browse):
    day_before = Alert.objects.filter(severity="critical").count()
    alert = tell()
    page = browse("trader").get(LIST).content.decode()
    assert "Everything is halted" in page and "prices look wrong" in page
    assert f'title="Critical and not acknowledged yet">{day_before + 1}<' in page
    browse("trader").post(reverse("admin:trading_alert_acknowledge", args=[alert.pk]))
    alert.refresh_from_db()
    assert alert.acknowledged_by == "operator:trader-person"
    page = browse("trader").get(reverse("admin:trading_alert_change", args=[alert.pk])).content.decode()
    assert "operator:trader" in page and "I have seen it" not in page


def test_a_viewer_sees_alerts_and_has_no_button(day, browse):
    tell()
    page = browse("viewer").get(LIST).content.decode()
    assert "Everything is halted" in page and "I have seen it" not in page


def test_a_channel_is_added_tested_and_changed_without_showing_its_address(day, browse):
    client = browse("admin")
    made = client.post(reverse("admin:trading_alertchannel_add"), FORM, follow=True)
    channel = AlertChannel.objects.get()
    assert (channel.name, channel.events, channel.anchors) == ("desk", ["halt"], False)
    changed = client.post(
        reverse("admin:trading_alertchannel_configure", args=[channel.pk]),
        {"min_severity": "critical", "events": "", "anchors": "on", "is_enabled": "on"},
        follow=True,
    )
    channel.refresh_from_db()
    assert (channel.min_severity, channel.events, channel.anchors) == ("critical", [], True)
    client.post(reverse("admin:trading_alertchannel_test", args=[channel.pk]))
    assert AlertDelivery.objects.filter(purpose="test").count() == 2
    for page in (
        made,
        changed,
        client.get(LIST),
        client.get(reverse("admin:trading_alertchannel_changelist")),
    ):
        assert page.status_code == 200 and SECRET not in page.content.decode()


def test_outside_paper_mode_a_channel_takes_a_fresh_factor(day, people, settings):
    settings.LEVI_MODE = "testnet"
    boss = Browser(people["admin"]).confirm(minutes_ago=6)
    asked = boss.post("alertchannel_add", **FORM)
    assert not AlertChannel.objects.exists() and not AlertDelivery.objects.exists()
    boss.go_on(asked, boss.fresh_code())
    channel = AlertChannel.objects.get()
    boss.confirm(minutes_ago=6)
    asked = boss.post("alertchannel_configure", channel.pk, min_severity="critical", events="")
    channel.refresh_from_db()
    assert (channel.min_severity, channel.is_enabled) == ("warning", True)
    boss.go_on(asked, boss.fresh_code())
    channel.refresh_from_db()
    assert (channel.min_severity, channel.is_enabled) == ("critical", False)


def test_a_wrong_address_is_refused_with_its_reason_and_not_repeated(day, browse, monkeypatch):
    monkeypatch.setattr("trading.execution.alert_channels.private_allowed", lambda: False)
    wrong = {**FORM, "url": f"json://127.0.0.1/{SECRET}"}
    answer = browse("admin").post(reverse("admin:trading_alertchannel_add"), wrong)
    assert answer.status_code == 400 and "private network" in answer.content.decode()
    assert SECRET not in answer.content.decode()
    assert not AlertChannel.objects.exists()


def test_a_failing_channel_is_shown_on_the_page(day, browse):
    channel = create_channel("desk", FORM["url"], actor=ANNA)
    page = browse("viewer").get(LIST).content.decode()
    assert "not tested yet" in page and "The channel desk fails" not in page
    AlertChannel.objects.filter(pk=channel.pk).update(
        failing_since=channel.created_at, failures=4, last_error="error=503"
    )
    page = browse("viewer").get(LIST).content.decode()
    assert "The channel desk fails" in page and "error=503" in page
