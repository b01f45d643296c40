"""Halts: the state of every scope, the global epoch, the history, and the sweeps that follow an engagement.

A scope without a row counts as halted. Engaging any scope raises the one epoch, which makes every earlier approval
void. States are latched: nothing here expires by itself.
"""

from __future__ import annotations

from django.db import models

from trading.domain.enums import CancelScope, HaltScope, TradingState

from .columns import choices, new_id, one_of


class ControlEpoch(models.Model):
    """One row (id 1). Raised by every engagement; an approval is good for its epoch only."""

    epoch = models.BigIntegerField(default=1)
    raised_at = models.DateTimeField()
    expected_build = models.CharField(
        max_length=40, blank=True, help_text="Only this build gets permits; empty: any build."
    )

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="epoch_single_row")]


class HaltState(models.Model):
    scope = models.CharField(max_length=20, choices=choices(HaltScope))
    target = models.CharField(
        max_length=60, blank=True, help_text="Account or strategy name, or symbol; empty for everything."
    )
    state = models.CharField(max_length=10, choices=choices(TradingState))
    reason = models.CharField(max_length=300, blank=True)
    trigger = models.CharField(
        max_length=60, blank=True, help_text="manual, or the automatic trigger's name."
    )
    actor = models.CharField(max_length=150, blank=True)
    since = models.DateTimeField()
    epoch = models.BigIntegerField(default=1, help_text="The epoch of the last change of this scope.")

    class Meta:
        ordering = ["scope", "target"]
        permissions = [("engage_halt", "Can engage a halt"), ("release_halt", "Can release a halt")]
        constraints = [
            models.UniqueConstraint(fields=["scope", "target"], name="halt_state_once"),
            one_of("state", TradingState, "halt_state_known"),
            one_of("scope", HaltScope, "halt_scope_known"),
            models.CheckConstraint(
                condition=models.Q(scope="everything", target="")
                | (~models.Q(scope="everything") & ~models.Q(target="")),
                name="halt_target_named",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.target} {self.state}".replace("  ", " ")


class HaltChange(models.Model):
    """One engagement, tightening or release. Append-only."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    scope = models.CharField(max_length=20)
    target = models.CharField(max_length=60, blank=True)
    before = models.CharField(max_length=10)
    after = models.CharField(max_length=10)
    reason = models.CharField(max_length=300)
    trigger = models.CharField(max_length=60)
    actor = models.CharField(max_length=150)
    epoch = models.BigIntegerField()
    request_id = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["-at"], name="halt_change_by_time")]


class SweepVerdict(models.TextChoices):
    RUNNING = "running", "running"
    CLEAN = "clean", "clean: proven empty"
    SURVIVORS = "survivors", "not proven clean"


class Sweep(models.Model):
    """The cancelling that follows an engagement. Claimed by lease; running it twice is harmless."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    change = models.OneToOneField(HaltChange, models.PROTECT, related_name="sweep")
    cancel_scope = models.CharField(max_length=12, choices=choices(CancelScope), default=CancelScope.OURS)
    verdict = models.CharField(max_length=12, choices=SweepVerdict.choices, default=SweepVerdict.RUNNING)
    engaged_at = models.DateTimeField()
    drained_at = models.DateTimeField(null=True)
    first_cancel_at = models.DateTimeField(null=True)
    emptied_at = models.DateTimeField(
        null=True, help_text="Since when every look found nothing; a proof waits for the last acceptance."
    )
    finished_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    leased_by = models.CharField(max_length=80, blank=True)
    rounds = models.IntegerField(default=0)
    cancels_sent = models.IntegerField(default=0)
    report = models.JSONField(
        default=dict, help_text="Per account: what is open, in doubt, or could not be asked."
    )

    class Meta:
        ordering = ["-engaged_at"]
        constraints = [one_of("cancel_scope", CancelScope, "sweep_scope_known")]
