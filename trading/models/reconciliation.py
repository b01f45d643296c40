"""What portfolio syncs found: each run, and every difference between the venue and our books as a break record."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import Q

from trading.domain.money import ZERO, add

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
    balances = models.CharField(max_length=12, blank=True, help_text="What comparing them came to.")

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


class BreakResolution(models.TextChoices):
    GONE = "gone"  # a complete look no longer sees it
    EXPLAINED = "explained"  # a deposit or withdrawal of the venue accounts for it
    ADJUSTED = "adjusted"  # our books were moved to the venue's number, by a person, with a reason
    ACCEPTED = "accepted"  # a person took it as it is; nothing was moved


class BalanceVerdict(models.TextChoices):
    """What comparing balances came to. `moving`: nothing can be said, because something moved meanwhile."""

    EQUAL = "equal"
    DIFFERENT = "different"
    MOVING = "moving"
    OPENED = "opened"


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
    resolution = models.CharField(max_length=20, blank=True, choices=BreakResolution.choices)
    reason = models.CharField(max_length=300, blank=True, help_text="The owner's words.")
    seen_count = models.IntegerField(default=1)
    symbol = models.CharField(max_length=40, blank=True, help_text="The instrument, where it is about one.")
    value = exact_field(
        null=True, help_text="The difference in the reporting currency; empty: no price for it."
    )
    is_beyond = models.BooleanField(default=False, help_text="Larger than the tolerance of its kind.")
    taken_at_difference = exact_field(null=True, help_text="What its owner acknowledged; growth acts again.")

    @property
    def difference(self) -> Decimal:
        """Signed, in its own unit; what one side does not have at all counts as nothing."""
        return add(self.theirs or ZERO, -(self.ours or ZERO))

    class Meta:
        ordering = ["-since"]
        permissions = [
            ("acknowledge_break", "Can acknowledge a break"),
            ("adjust_break", "Can adjust the books to close a break"),
        ]
        constraints = [
            one_of("kind", BreakKind, "break_kind_known"),
            models.UniqueConstraint(
                fields=["account", "kind", "subject"], condition=~Q(state="resolved"), name="break_open_once"
            ),
        ]


class DailyReport(models.Model):
    """One day of the books as it was reported, and who signed it. The content is never changed after the signature."""

    day = models.DateField(primary_key=True)
    created_at = models.DateTimeField()
    content = models.JSONField(default=dict)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the content's canonical JSON.")
    signed_by = models.CharField(max_length=150, blank=True)
    signed_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-day"]
        default_permissions = ("view",)
        permissions = [("sign_report", "Can sign a daily report")]

    def __str__(self) -> str:
        return f"report of {self.day}"


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
    identity = models.CharField(
        max_length=60,
        blank=True,
        default="",
        db_default="",  # processes of the build before, which do not know it, go on during an upgrade
        help_text="Which process of that name it is; empty: its host does not say.",
    )
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField()

    class Meta:
        ordering = ["role", "process"]
