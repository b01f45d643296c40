"""What people were told, what nobody has acknowledged, and whether the channels work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, QuerySet
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
