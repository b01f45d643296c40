"""Alerts, the channels they leave by, and each delivery: an outbox.

An alert is written in the transaction of what it is about, by an INSERT that waits for nobody. Whoever delivers decides
afterwards where it goes; the address of a channel is a secret and stored sealed.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from trading.domain.enums import Severity

from .accounts import name_validator
from .columns import choices, new_id, one_of


class Alert(models.Model):
    """Something a person should know. `repeat_of`: the same was said before and nobody has acknowledged it yet."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    event = models.CharField(max_length=60, help_text="What happened, such as halt.engaged.")
    severity = models.CharField(max_length=10, choices=choices(Severity))
    subject = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    dedupe_key = models.CharField(
        max_length=200, blank=True, help_text="Alerts with the same key are told once until acknowledged."
    )
    at = models.DateTimeField()
    routed_at = models.DateTimeField(null=True)
    repeat_of = models.ForeignKey("self", models.SET_NULL, null=True, related_name="repeats")
    repeat_count = models.IntegerField(default=0)
    last_at = models.DateTimeField(null=True, help_text="When it was last repeated.")
    escalations = models.IntegerField(default=0)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["-at", "-id"]
        permissions = [("acknowledge_alert", "Can acknowledge alerts")]
        constraints = [one_of("severity", Severity, "alert_severity_known")]
        indexes = [
            models.Index(fields=["-at", "-id"], name="alert_by_time"),
            models.Index(fields=["at"], condition=Q(routed_at__isnull=True), name="alert_to_route"),
            models.Index(
                fields=["dedupe_key", "-at"],
                condition=Q(acknowledged_at__isnull=True),
                name="alert_to_repeat",
            ),
            models.Index(
                fields=["severity", "-at"], condition=Q(acknowledged_at__isnull=True), name="alert_waiting"
            ),
        ]

    def __str__(self) -> str:
        return self.subject


class AlertChannel(models.Model):
    """Where alerts go: one Apprise address, sealed, and what it takes."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=40, unique=True, validators=[name_validator])
    sealed_url = models.BinaryField()
    sealed_with = models.CharField(max_length=16, help_text="Id of the encryption key.")
    url_hint = models.CharField(max_length=40, help_text="The kind of the address; the rest is never shown.")
    is_enabled = models.BooleanField(default=True)
    min_severity = models.CharField(
        max_length=10, choices=choices(Severity), default=Severity.WARNING, help_text="The least it takes."
    )
    events = models.JSONField(
        default=list, blank=True, help_text="Families of events it takes, such as halt; empty: all."
    )
    anchors = models.BooleanField(
        default=False, help_text="Also takes the anchors of the audit trail, one an hour."
    )
    anchored_number = models.BigIntegerField(default=0)
    anchored_at = models.DateTimeField(null=True, blank=True)
    failures = models.IntegerField(default=0, help_text="In a row.")
    failing_since = models.DateTimeField(null=True, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True, help_text="The last success.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [one_of("min_severity", Severity, "channel_severity_known")]

    def __str__(self) -> str:
        return self.name


class DeliveryState(models.TextChoices):
    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up", "given up"


class AlertDelivery(models.Model):
    """One message to one channel, until it was taken or given up. `alert` is empty for tests and anchors."""

    alert = models.ForeignKey(Alert, models.CASCADE, null=True, related_name="deliveries")
    channel = models.ForeignKey(AlertChannel, models.CASCADE, related_name="deliveries")
    purpose = models.CharField(max_length=30, help_text="alert, escalation n, test, or anchor n.")
    subject = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    severity = models.CharField(max_length=10, choices=choices(Severity))
    state = models.CharField(max_length=10, choices=DeliveryState.choices, default=DeliveryState.WAITING)
    attempts = models.IntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    leased_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["alert", "channel", "purpose"],
                condition=Q(alert__isnull=False),
                name="delivery_once",
            ),
            models.UniqueConstraint(
                fields=["channel", "purpose"],
                condition=Q(purpose__startswith="anchor"),
                name="anchor_delivery_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["channel", "created_at"], condition=Q(state="waiting"), name="delivery_to_send"
            ),
            models.Index(fields=["-created_at", "-id"], name="delivery_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} to {self.channel_id}"
