"""From the outbox to the channels: where an alert goes, when it is sent again, and what a channel that fails becomes.

Everything here is rows claimed by a lease, so that two who deliver do no harm. A message may therefore arrive twice and
is never lost silently: what is given up is counted and shown. A channel that fails is left alone for a while, longer
each time, and is an alert of its own to all others. Nobody who trades waits for any of this.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from trading.alert_line import send_text
from trading.audit.anchors import anchor_line
from trading.domain.enums import Severity
from trading.metrics import ALERTS
from trading.models import Alert, AlertChannel, AlertDelivery, AuditCheckpoint, DeliveryState
from trading.notify import notify

from .alert_channels import open_address, private_allowed

log = logging.getLogger(__name__)

# The same key, unacknowledged, within this: a repeat.
REPEAT_WITHIN = timedelta(hours=1)
# Unacknowledged for so long: told again, to every channel.
ESCALATE_AFTER = (timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4))
BACK_OFF = (2, 5, 15, 60, 300)
ALARM_AFTER = 3  # failures in a row
GIVE_UP = timedelta(hours=6)
ANCHOR_EVERY = timedelta(hours=1)
_LEASE = timedelta(seconds=60)
_KEEP = timedelta(days=90)
CHANNEL_EVENT = "channel.failing"


def route_alerts(*, older_than: timedelta = timedelta(0), limit: int = 100) -> int:
    """Decide for every new alert which channels get it; returns how many were looked at."""
    waiting = Alert.objects.filter(routed_at__isnull=True, at__lte=timezone.now() - older_than).order_by("at")
    alerts = list(waiting[:limit])
    if alerts:
        channels = list(AlertChannel.objects.filter(is_enabled=True))
        for alert in alerts:
            _route(alert, channels)
    return len(alerts)


def _route(alert: Alert, channels: list[AlertChannel]) -> None:
    now = timezone.now()
    with transaction.atomic():
        if not Alert.objects.filter(pk=alert.pk, routed_at__isnull=True).update(routed_at=now):
            return
        first = _find_first(alert)
        if first is not None:
            Alert.objects.filter(pk=alert.pk).update(repeat_of=first)
            Alert.objects.filter(pk=first.pk).update(repeat_count=F("repeat_count") + 1, last_at=alert.at)
            ALERTS.labels("repeated").inc()
            return
        takers = [channel for channel in channels if takes(channel, alert)]
        _write(alert, takers, "alert", alert.subject)
    if not takers:
        ALERTS.labels("unrouted").inc()


def _find_first(alert: Alert) -> Alert | None:
    """The alert that this one repeats."""
    if not alert.dedupe_key:
        return None
    same = Alert.objects.filter(
        dedupe_key=alert.dedupe_key,
        event=alert.event,
        acknowledged_at__isnull=True,
        repeat_of__isnull=True,
        routed_at__isnull=False,
        at__gt=alert.at - REPEAT_WITHIN,
        at__lte=alert.at,
    )
    return same.exclude(pk=alert.pk).order_by("-at").first()


def _is_about(channel: AlertChannel, alert: Alert) -> bool:
    """A channel is not told of its own failure."""
    return alert.event == CHANNEL_EVENT and alert.dedupe_key == f"channel {channel.pk}|"


def takes(channel: AlertChannel, alert: Alert) -> bool:
    if _is_about(channel, alert):
        return False
    family = alert.event.partition(".")[0]
    wanted = not channel.events or family in channel.events or alert.event in channel.events
    return wanted and Severity(alert.severity).rank >= Severity(channel.min_severity).rank


def _write(alert: Alert, channels: list[AlertChannel], purpose: str, subject: str) -> None:
    rows = [
        AlertDelivery(
            alert=alert,
            channel=channel,
            purpose=purpose,
            subject=f"Levi ({settings.LEVI_MODE}): {subject}"[:200],
            text=f"{alert.text}\n{alert.severity} · {alert.event} · {alert.at:%Y-%m-%d %H:%M:%S} UTC".strip(),
            severity=alert.severity,
            created_at=timezone.now(),
        )
        for channel in channels
    ]
    AlertDelivery.objects.bulk_create(rows, ignore_conflicts=True)


def escalate_alerts() -> int:
    """Tell every channel again of what nobody has acknowledged."""
    now = timezone.now()
    escalated = 0
    for done, after in enumerate(ESCALATE_AFTER):
        due = Alert.objects.filter(
            severity=Severity.CRITICAL,
            acknowledged_at__isnull=True,
            repeat_of__isnull=True,
            routed_at__isnull=False,
            escalations=done,
            at__lte=now - after,
            at__gt=now - timedelta(days=1),
        )
        for alert in due[:50]:
            escalated += _escalate(alert, done, now)
    return escalated


def _escalate(alert: Alert, done: int, now: datetime) -> int:
    minutes = int((now - alert.at).total_seconds() // 60)
    with transaction.atomic():
        if not Alert.objects.filter(pk=alert.pk, escalations=done).update(escalations=done + 1):
            return 0
        enabled = AlertChannel.objects.filter(is_enabled=True)
        channels = [channel for channel in enabled if not _is_about(channel, alert)]
        subject = f"unacknowledged for {minutes} min: {alert.subject}"
        _write(alert, channels, f"escalation {done + 1}", subject)
    return 1


def write_anchors() -> int:
    """The newest checkpoint's line to every channel that keeps anchors and has none of the last hour."""
    now = timezone.now()
    due = Q(anchored_at__isnull=True) | Q(anchored_at__lt=now - ANCHOR_EVERY)
    channels = list(AlertChannel.objects.filter(due, is_enabled=True, anchors=True))
    made = AuditCheckpoint.objects.order_by("-number").first() if channels else None
    if made is None:
        return 0
    rows = [
        AlertDelivery(
            channel=channel,
            purpose=f"anchor {made.number}",
            subject=f"Levi ({settings.LEVI_MODE}): audit checkpoint {made.number}",
            # As in the anchor file: what an auditor hands to `verify_levi_audit.py --anchors`.
            text=anchor_line(made).decode().strip(),
            severity=Severity.INFO,
            created_at=now,
        )
        for channel in channels
        if channel.anchored_number < made.number
    ]
    with transaction.atomic():
        AlertDelivery.objects.bulk_create(rows, ignore_conflicts=True)
        taken = [row.channel_id for row in rows]
        AlertChannel.objects.filter(pk__in=taken).update(anchored_at=now, anchored_number=made.number)
    return len(rows)


def due_channels() -> list[UUID]:
    """Channels that have something to send and may be tried now."""
    now = timezone.now()
    may = Q(channel__retry_at__isnull=True) | Q(channel__retry_at__lte=now)
    free = Q(leased_until__isnull=True) | Q(leased_until__lt=now)
    waiting = AlertDelivery.objects.filter(may, free, state=DeliveryState.WAITING)
    return list(waiting.order_by().values_list("channel", flat=True).distinct())


def deliver_channel(channel_id: UUID, limit: int = 50) -> int:
    """Send what waits for this channel, the oldest first, until it fails; returns how many were taken."""
    taken = 0
    for _ in range(limit):
        delivery = _claim(channel_id)
        if delivery is None or not _deliver(delivery):
            break
        taken += 1
    return taken


def _claim(channel_id: UUID) -> AlertDelivery | None:
    now = timezone.now()
    free = Q(leased_until__isnull=True) | Q(leased_until__lt=now)
    waiting = AlertDelivery.objects.filter(free, channel=channel_id, state=DeliveryState.WAITING)
    for delivery_id in waiting.order_by("created_at", "id").values_list("id", flat=True)[:5]:
        mine = AlertDelivery.objects.filter(free, pk=delivery_id, state=DeliveryState.WAITING)
        if mine.update(leased_until=now + _LEASE, attempts=F("attempts") + 1):
            return AlertDelivery.objects.select_related("channel").get(pk=delivery_id)
    return None


def _deliver(delivery: AlertDelivery) -> bool:
    address = open_address(delivery.channel)
    if address is None:
        error = "The address cannot be opened with this LEVI_ENCRYPTION_KEY: store it again."
    else:
        error = send_text(
            address,
            subject=delivery.subject,
            text=delivery.text,
            severity=Severity(delivery.severity),
            private_allowed=private_allowed(),
        )
    if error:
        _note_failure(delivery, error)
        return False
    _note_success(delivery)
    return True


def _note_success(delivery: AlertDelivery) -> None:
    now = timezone.now()
    with transaction.atomic():
        AlertDelivery.objects.filter(pk=delivery.pk).update(
            state=DeliveryState.DELIVERED, finished_at=now, leased_until=None, error=""
        )
        AlertChannel.objects.filter(pk=delivery.channel_id).update(
            failures=0, failing_since=None, retry_at=None, last_error="", delivered_at=now
        )
        over = Alert.objects.filter(event=CHANNEL_EVENT, dedupe_key=f"channel {delivery.channel_id}|")
        over.filter(acknowledged_at__isnull=True).update(
            acknowledged_at=now, acknowledged_by="the channel works again"
        )
    ALERTS.labels("delivered").inc()


def _note_failure(delivery: AlertDelivery, error: str) -> None:
    now, channel = timezone.now(), delivery.channel
    failures = channel.failures + 1
    wait = BACK_OFF[min(failures, len(BACK_OFF)) - 1]
    ended = now - delivery.created_at > GIVE_UP
    log.warning("channel %s failed %s times: %s", channel.name, failures, error)
    with transaction.atomic():
        AlertDelivery.objects.filter(pk=delivery.pk).update(
            state=DeliveryState.GIVEN_UP if ended else DeliveryState.WAITING,
            finished_at=now if ended else None,
            leased_until=None,
            error=error[:300],
        )
        AlertChannel.objects.filter(pk=channel.pk).update(
            failures=failures,
            failing_since=channel.failing_since or now,
            retry_at=now + timedelta(seconds=wait),
            last_error=error[:300],
        )
        if failures == ALARM_AFTER:
            notify(
                CHANNEL_EVENT,
                Severity.CRITICAL,
                f"The alert channel '{channel.name}' fails",
                error,
                dedupe_key=f"channel {channel.pk}|",
            )
    ALERTS.labels("failed").inc()
    if ended:
        ALERTS.labels("given_up").inc()


def prepare_deliveries(*, older_than: timedelta = timedelta(0)) -> list[UUID]:
    """All that needs no network; returns the channels that now have something to send."""
    route_alerts(older_than=older_than)
    escalate_alerts()
    write_anchors()
    return due_channels()


def deliver_waiting(*, older_than: timedelta = timedelta(0)) -> int:
    """Everything, in this very process: for when the supervisor is gone, and for tests."""
    return sum(deliver_channel(channel_id) for channel_id in prepare_deliveries(older_than=older_than))


def forget_old_deliveries() -> int:
    ended = AlertDelivery.objects.exclude(state=DeliveryState.WAITING)
    deleted, _ = ended.filter(created_at__lt=timezone.now() - _KEEP).delete()
    return deleted
