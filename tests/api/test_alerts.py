"""Alerts over the API: read, acknowledge, and channels whose addresses go in and never come out."""

from __future__ import annotations

import pytest
from django.utils import timezone

from trading.domain.actors import Actor, ActorKind
from trading.domain.enums import Severity
from trading.domain.errors import InvalidInput
from trading.execution.alert_channels import create_channel
from trading.execution.delivery import route_alerts
from trading.models import Alert, AlertChannel, AlertDelivery, AuditEntry
from trading.notify import notify

ALERTS, CHANNELS = "/api/v1/alerts", "/api/v1/alert-channels"
SECRET = "canary-token-5fd1"
NEW = {"name": "desk", "url": f"slack://{SECRET}A/{SECRET}B/{SECRET}C"}


def tell(subject: str, severity: Severity = Severity.CRITICAL, **more) -> Alert:
    return notify("halt.engaged", severity, subject, **more)


def test_alerts_are_listed_and_filtered_and_repeats_are_counted(world, viewer):
    tell("a note", Severity.INFO)
    for _ in range(3):
        tell("a halt", dedupe_key="k")
    route_alerts()
    rows = viewer.get(ALERTS).json()["results"]
    assert [(row["subject"], row["repeat_count"]) for row in rows] == [("a halt", 2), ("a note", 0)]
    assert len(viewer.get(f"{ALERTS}?severity=info").json()["results"]) == 1
    assert viewer.get(f"{ALERTS}?acknowledged=true").json()["results"] == []
    assert viewer.get(f"{ALERTS}?severity=loud").status_code == 400


def test_an_alert_is_acknowledged_once_by_whoever_may(world, trader, viewer):
    alert = tell("a halt")
    assert viewer.post(f"{ALERTS}/{alert.id}/acknowledge").status_code == 403
    answer = trader.post(f"{ALERTS}/{alert.id}/acknowledge")
    assert answer.status_code == 200 and answer.json()["acknowledged_by"] == "client:trader-token"
    assert trader.post(f"{ALERTS}/{alert.id}/acknowledge").status_code == 200
    assert AuditEntry.objects.filter(kind="alert.acknowledged").count() == 1
    assert viewer.get(f"{ALERTS}?acknowledged=true").json()["results"][0]["id"] == str(alert.id)


@pytest.mark.parametrize("name", ["01a2139e-9528-78d1-b0ca-06d0babcdf8a", "x"])
def test_an_alert_that_is_not_there_is_404(world, trader, name):
    assert trader.post(f"{ALERTS}/{name}/acknowledge").status_code == 404


def test_the_address_of_a_channel_is_in_no_answer(world, admin):
    made = admin.post(CHANNELS, {**NEW, "anchors": True, "events": ["halt"]})
    assert made.status_code == 201 and made.json()["url_hint"] == "slack://…"
    changed = admin.put(
        f"{CHANNELS}/desk", {"url": NEW["url"], "min_severity": "critical", "is_enabled": False}
    )
    assert (changed.json()["min_severity"], changed.json()["is_enabled"]) == ("critical", False)
    assert changed.json()["events"] == ["halt"] and changed.json()["anchors"] is True
    pages = [made, changed, *(admin.get(path) for path in (CHANNELS, f"{CHANNELS}/desk", "/api/v1/audit"))]
    assert not any(SECRET.encode() in page.content for page in pages)
    assert SECRET.encode() not in bytes(AlertChannel.objects.get().sealed_url)


def test_a_test_waits_in_the_outbox(world, admin):
    admin.post(CHANNELS, NEW)
    answer = admin.post(f"{CHANNELS}/desk/test")
    assert answer.status_code == 202 and answer.json()["state"] == "waiting"
    assert AlertDelivery.objects.filter(purpose="test").count() == 2  # with the one at the start


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "Not A Name"}, "name"),
        ({"url": "nothing"}, "url"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"url": "syslog://"}, "url"),
        ({"min_severity": "loud"}, "min_severity"),
        ({"events": ["No Such Thing!"]}, "events"),
        ({"token": "x"}, "token"),
    ],
)
def test_a_wrong_channel_is_refused_and_its_address_not_repeated(world, admin, change, field):
    answer = admin.post(CHANNELS, {**NEW, **change})
    assert answer.status_code == 400 and answer.json()["context"]["field"] == field
    assert SECRET.encode() not in answer.content and not AlertChannel.objects.exists()


def test_a_channel_into_a_private_network_is_refused_where_money_is_real(world, settings):
    settings.LEVI_MODE = "production"
    anna = Actor(ActorKind.OPERATOR, "anna", factor_at=timezone.now())
    with pytest.raises(InvalidInput, match="private network"):
        create_channel("desk", "json://192.168.0.9/hook", actor=anna)
    assert not AlertChannel.objects.exists()


@pytest.mark.parametrize("mode", ["testnet", "production"])
def test_outside_paper_mode_a_token_moves_no_alarm_elsewhere(world, admin, settings, mode):
    assert admin.post(CHANNELS, NEW).status_code == 201
    before = AlertChannel.objects.values().get()
    settings.LEVI_MODE = mode
    for answer in (
        admin.post(CHANNELS, {**NEW, "name": "another"}),
        admin.put(f"{CHANNELS}/desk", {"url": NEW["url"]}),
        admin.put(f"{CHANNELS}/desk", {"is_enabled": False}),
    ):
        assert answer.status_code == 403 and answer.json()["code"] == "second_factor_required"
        assert SECRET.encode() not in answer.content
    assert AlertChannel.objects.values().get() == before
    assert AlertDelivery.objects.count() == 1
    assert not AuditEntry.objects.filter(kind="channel.changed").exists()
    assert admin.post(f"{CHANNELS}/desk/test").status_code == 202  # a test moves nothing


def test_a_channel_that_is_not_there_is_404(world, admin):
    assert admin.get(f"{CHANNELS}/nobody").status_code == 404
    assert admin.put(f"{CHANNELS}/nobody", {"is_enabled": False}).status_code == 404
    assert admin.post(f"{CHANNELS}/nobody/test").status_code == 404
