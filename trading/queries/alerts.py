"""What people were told, what nobody has acknowledged, and whether the channels work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Max, Q, QuerySet
from django.utils import timezone

from trading.domain.enums import Severity
from trading.models import Alert, AlertChannel, AlertDelivery, DeliveryState

# A message that waits longer than this is not being delivered by anybody, or its channel is failing.
_OVERDUE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class DeliveryFailure:
    """Alerts do not reach `channel` ("" if nobody delivers at all), since when and why."""

    channel: str
    since: datetime
    error: str

    @property
    def seconds(self) -> float:
        return (timezone.now() - self.since).total_seconds()


def last_delivery_failure() -> DeliveryFailure | None:
    """The failure that has lasted longest, of enabled channels; None while everything that was due has left."""
    enabled = AlertChannel.objects.filter(is_enabled=True)
    failing = enabled.filter(failing_since__isnull=False).order_by("failing_since").first()
    if failing is not None and failing.failing_since is not None:
        return DeliveryFailure(failing.name, failing.failing_since, failing.last_error)
    return _stuck()


def nobody_reached() -> DeliveryFailure | None:
    """Since when alerts reach nobody: the oldest that still waits and after which no channel took anything. One channel
    of two that fails is no such thing, nor is what was given up. No enabled channel at all is, from the next alert."""
    enabled = AlertChannel.objects.filter(is_enabled=True)
    last = AlertChannel.objects.aggregate(at=Max("delivered_at"))["at"]
    later = Q(created_at__gt=last) if last else Q()
    if not enabled.exists():
        alerts = Alert.objects.filter(at__gt=last) if last else Alert.objects.all()
        first = alerts.order_by("at").values_list("at", flat=True).first()
        return DeliveryFailure("", first, "no alert channel is enabled") if first else None
    waiting = AlertDelivery.objects.filter(
        later, state=DeliveryState.WAITING, channel__in=enabled, alert__isnull=False
    )
    oldest = waiting.order_by("created_at").select_related("channel").first()
    if oldest is not None and oldest.channel.last_error:
        return DeliveryFailure(oldest.channel.name, oldest.created_at, oldest.channel.last_error)
    stuck = _stuck()
    return stuck if stuck and (last is None or stuck.since > last) else None


def _stuck() -> DeliveryFailure | None:
    """Nobody delivers: the outbox is older than any delivery takes."""
    overdue = timezone.now() - _OVERDUE
    waiting = AlertDelivery.objects.filter(
        state=DeliveryState.WAITING, channel__is_enabled=True, created_at__lt=overdue
    )
    oldest = [waiting.order_by("created_at").values_list("created_at", flat=True).first()]
    if AlertChannel.objects.filter(is_enabled=True).exists():
        unrouted = Alert.objects.filter(routed_at__isnull=True, at__lt=overdue)
        oldest.append(unrouted.order_by("at").values_list("at", flat=True).first())
    since = min((at for at in oldest if at is not None), default=None)
    return DeliveryFailure("", since, "no process delivers the outbox") if since else None


def waiting_alerts() -> QuerySet[Alert]:
    """Critical, unacknowledged, and no repeat of another."""
    return Alert.objects.filter(
        severity=Severity.CRITICAL, acknowledged_at__isnull=True, repeat_of__isnull=True
    )


def list_alerts() -> QuerySet[Alert]:
    """Without repeats; what waits for a person first, then the newest."""
    first = F("acknowledged_at").desc(nulls_first=True)
    return Alert.objects.filter(repeat_of__isnull=True).order_by(first, "-at", "-id")
