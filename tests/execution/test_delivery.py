"""Alerts reach their channels once, again if nobody looks, and a channel that fails is an alert itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.alert_receiver import AlertReceiver, alert_receiver
from tests.making import PERSON
from trading import audit
from trading.audit.anchors import parse_anchor
from trading.domain.enums import Severity
from trading.execution import delivery
from trading.execution.alert_channels import change_channel, create_channel
from trading.execution.alert_channels import test_channel as try_channel
from trading.execution.alerting import acknowledge_alert
from trading.execution.delivery import deliver_waiting, due_channels
from trading.metrics import ALERTS
from trading.models import Alert, AlertChannel, AlertDelivery, AuditEntry
from trading.notify import notify
from trading.queries.alerts import last_delivery_failure, list_alerts, waiting_alerts

pytestmark = pytest.mark.django_db


@pytest.fixture
def receiver():
    with alert_receiver() as running:
        yield running


def open_channel(receiver: AlertReceiver, name: str = "phone", **more: Any) -> AlertChannel:
    """A channel that has been tested already."""
    channel = create_channel(name, receiver.url, actor=PERSON, **more)
    deliver_waiting()
    receiver.messages.clear()
    return channel


def tell(
    subject: str = "Everything is halted", *, severity: Severity = Severity.CRITICAL, **more: Any
) -> Alert:
    return notify("halt.engaged", severity, subject, **more)


def counted(outcome: str) -> float:
    return ALERTS.labels(outcome)._value.get()


def let_time_pass(span: timedelta) -> None:
    for alert in Alert.objects.all():
        Alert.objects.filter(pk=alert.pk).update(at=alert.at - span)
    for row in AlertDelivery.objects.all():
        AlertDelivery.objects.filter(pk=row.pk).update(created_at=row.created_at - span)
    for channel in AlertChannel.objects.all():
        moved = {
            name: value - span
            for name in ("retry_at", "failing_since", "anchored_at")
            if (value := getattr(channel, name)) is not None
        }
        AlertChannel.objects.filter(pk=channel.pk).update(**moved)


def test_an_alert_arrives_once_with_mode_and_severity(receiver):
    open_channel(receiver)
    tell(text="By olga.")
    deliver_waiting()
    deliver_waiting()
    assert receiver.subjects == ["Levi (paper): Everything is halted"]
    assert "By olga." in receiver.messages[0]["message"] and "critical" in receiver.messages[0]["message"]
    row = AlertDelivery.objects.get(purpose="alert")
    assert (row.state, row.attempts, row.error) == ("delivered", 1, "")
    assert last_delivery_failure() is None


def test_a_new_channel_is_tested_at_once_and_by_hand(receiver):
    channel = create_channel("phone", receiver.url, actor=PERSON)
    deliver_waiting()
    try_channel(channel, actor=PERSON)
    deliver_waiting()
    assert receiver.subjects == ["Levi (paper): a test"] * 2
    assert AuditEntry.objects.filter(kind="channel.tested").count() == 1


def test_the_address_is_stored_sealed_and_told_to_nobody(receiver):
    channel = open_channel(receiver)
    change_channel(channel, min_severity=Severity.INFO, actor=PERSON)
    row = AlertChannel.objects.get()
    assert b"a-secret-path" not in bytes(row.sealed_url) and row.url_hint == "json://…"
    entries = [str(entry.data) for entry in AuditEntry.objects.filter(kind__startswith="channel.")]
    assert len(entries) == 2 and not any("secret-path" in text or "127.0.0.1" in text for text in entries)


def test_channels_take_what_reaches_their_severity_and_their_events(receiver):
    channel = open_channel(receiver, min_severity=Severity.WARNING, events=["halt", "break.opened"])
    tell("a whisper", severity=Severity.INFO)
    notify("order.quarantined", Severity.CRITICAL, "another family")
    notify("break.closed", Severity.CRITICAL, "another event")
    notify("break.opened", Severity.WARNING, "a break")
    tell("a halt")
    deliver_waiting()
    assert receiver.subjects == ["Levi (paper): a break", "Levi (paper): a halt"]
    change_channel(channel, is_enabled=False, actor=PERSON)
    before = counted("unrouted")
    tell("nobody is listening")
    deliver_waiting()
    assert len(receiver.messages) == 2 and counted("unrouted") == before + 1


def test_what_is_said_again_before_anybody_looked_is_counted_and_not_told(receiver):
    open_channel(receiver)
    first = tell(dedupe_key="halt everything|5")
    for _ in range(3):
        tell(dedupe_key="halt everything|5")
    deliver_waiting()
    assert len(receiver.messages) == 1
    first.refresh_from_db()
    assert first.repeat_count == 3 and list(list_alerts()) == [first]
    acknowledge_alert(first.id, actor=PERSON)
    assert not Alert.objects.filter(acknowledged_at__isnull=True).exists()
    tell(dedupe_key="halt everything|5")
    deliver_waiting()
    assert len(receiver.messages) == 2


def test_an_old_alert_does_not_swallow_a_new_one(receiver):
    open_channel(receiver)
    tell(dedupe_key="k")
    deliver_waiting()
    let_time_pass(timedelta(hours=2))
    tell(dedupe_key="k")
    deliver_waiting()
    assert receiver.subjects.count("Levi (paper): Everything is halted") == 2


def test_a_critical_alert_that_nobody_acknowledges_is_told_again_to_every_channel(receiver):
    open_channel(receiver)
    with alert_receiver() as other:
        open_channel(other, "quiet", events=["drill"])
        alert = tell()
        tell("a warning", severity=Severity.WARNING)
        deliver_waiting()
        assert len(receiver.messages) == 2 and other.messages == []
        let_time_pass(timedelta(minutes=6))
        deliver_waiting()
        deliver_waiting()
        assert other.subjects == ["Levi (paper): unacknowledged for 6 min: Everything is halted"]
        assert len(receiver.messages) == 3
        acknowledge_alert(alert.id, actor=PERSON)
        let_time_pass(timedelta(minutes=20))
        deliver_waiting()
        assert len(other.messages) == 1 and len(receiver.messages) == 3


def test_a_failed_message_is_sent_again_later_and_not_before(receiver):
    open_channel(receiver)
    receiver.status = 503
    tell()
    deliver_waiting()
    deliver_waiting()
    assert len(receiver.messages) == 1 and due_channels() == []
    failure = last_delivery_failure()
    assert failure is not None and failure.channel == "phone" and "503" in failure.error
    receiver.status = 200
    let_time_pass(timedelta(seconds=3))
    deliver_waiting()
    assert AlertDelivery.objects.get(purpose="alert").state == "delivered"
    assert last_delivery_failure() is None


def test_a_channel_that_fails_is_an_alert_to_the_others_and_over_when_it_works_again(receiver):
    open_channel(receiver)
    with alert_receiver() as other:
        open_channel(other, "mail")
        receiver.status = 500
        tell()
        for _ in range(4):
            deliver_waiting()
            let_time_pass(timedelta(seconds=30))
        assert other.subjects[1:] == ["Levi (paper): The alert channel 'phone' fails"]
        assert [alert.event for alert in waiting_alerts()].count("channel.failing") == 1
        receiver.status = 200
        let_time_pass(timedelta(minutes=2))
        deliver_waiting()
        assert [alert.event for alert in waiting_alerts()] == ["halt.engaged"]
        assert not any("phone" in subject for subject in receiver.subjects)


def test_what_cannot_be_delivered_for_hours_is_given_up_and_counted(receiver):
    open_channel(receiver)
    receiver.status = 500
    tell()
    deliver_waiting()
    let_time_pass(timedelta(hours=7))
    before = counted("given_up")
    deliver_waiting()
    assert counted("given_up") == before + 1
    row = AlertDelivery.objects.get(purpose="alert")
    assert row.state == "given_up" and "500" in row.error


def test_an_outbox_that_nobody_empties_is_a_failure_too(receiver):
    open_channel(receiver)
    tell()
    assert last_delivery_failure() is None
    let_time_pass(timedelta(minutes=2))
    failure = last_delivery_failure()
    assert failure is not None and failure.channel == "" and failure.seconds > 100


def test_two_who_deliver_at_once_send_one_message(receiver):
    open_channel(receiver)
    tell()
    channels = delivery.prepare_deliveries()
    first = delivery._claim(channels[0])
    assert first is not None and delivery._claim(channels[0]) is None
    assert deliver_waiting() == 0 and receiver.messages == []
    AlertDelivery.objects.filter(pk=first.pk).update(leased_until=timezone.now() - timedelta(seconds=1))
    assert deliver_waiting() == 1  # the first died with its lease


def test_an_address_sealed_with_another_key_says_so(receiver, settings):
    open_channel(receiver)
    settings.ENCRYPTION_KEY = "another key of the installation, thirty-two"
    tell()
    deliver_waiting()
    assert receiver.messages == []
    assert "LEVI_ENCRYPTION_KEY" in AlertChannel.objects.get().last_error


def test_a_channel_that_asked_for_anchors_gets_the_newest_checkpoint_once_an_hour(receiver):
    open_channel(receiver, min_severity=Severity.CRITICAL, anchors=True)
    made = audit.seal("test", actor=PERSON)
    deliver_waiting()
    (message,) = receiver.messages
    line = parse_anchor(message["message"].encode())
    assert line is not None and (line.number, line.hash) == (made.number, made.hash)
    let_time_pass(timedelta(minutes=2))
    change_channel(AlertChannel.objects.get(), min_severity=Severity.INFO, actor=PERSON)
    second = audit.seal("test", actor=PERSON)
    deliver_waiting()
    assert len(receiver.messages) == 1
    let_time_pass(timedelta(hours=1))
    deliver_waiting()
    assert parse_anchor(receiver.messages[1]["message"].encode()).number == second.number
