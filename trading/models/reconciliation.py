"""What portfolio syncs found: each run, and every difference between the venue and our books as a break record."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from .accounts import ExchangeAccount
from .columns import exact_field, new_id, one_of


class SyncRun(models.Model):
    account = models.ForeignKey(ExchangeAccount, models.PROTECT, related_name="sync_runs")
    trigger = models.CharField(max_length=40, help_text="beat, demand or start-up.")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    is_complete = models.BooleanField(default=False)
    error = models.CharField(max_length=500, blank=True)
    fills_booked = models.IntegerField(default=0)
    orders_updated = models.IntegerField(default=0)
    breaks_open = models.IntegerField(default=0)

    class Meta:
        ordering = ["-started_at"]
        indexes = [models.Index(fields=["account", "-started_at"], name="sync_run_by_account")]


class BreakKind(models.TextChoices):
    BALANCE = "balance"
    POSITION = "position"
    ORDER = "order"
    FILL = "fill"


class BreakState(models.TextChoices):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Break(models.Model):
    """One difference, from when it was first seen until it is gone. Never repaired silently."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(ExchangeAccount, models.PROTECT, related_name="breaks")
    kind = models.CharField(max_length=20, choices=BreakKind.choices)
    subject = models.CharField(
        max_length=120, help_text="The asset, symbol or order the difference is about."
    )
    ours = exact_field(null=True)
    theirs = exact_field(null=True)
    detail = models.JSONField(default=dict)
    state = models.CharField(max_length=20, choices=BreakState.choices, default=BreakState.OPEN)
    owner = models.CharField(max_length=150, blank=True)
    since = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    seen_count = models.IntegerField(default=1)

    class Meta:
        ordering = ["-since"]
        constraints = [
            one_of("kind", BreakKind, "break_kind_known"),
            models.UniqueConstraint(
                fields=["account", "kind", "subject"], condition=~Q(state="resolved"), name="break_open_once"
            ),
        ]


class JobSlot(models.Model):
    """One run of one periodic job. The unique row is what makes two schedulers harmless."""

    job = models.CharField(max_length=60)
    slot = models.BigIntegerField()
    claimed_at = models.DateTimeField()
    process = models.CharField(max_length=80)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "slot"], name="job_slot_once")]


class Heartbeat(models.Model):
    """The last sign of life of each process."""

    process = models.CharField(max_length=80, primary_key=True)
    role = models.CharField(max_length=30)
    build = models.CharField(max_length=40)
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField()

    class Meta:
        ordering = ["role", "process"]
