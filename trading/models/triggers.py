"""What automatic halts and warnings remember between two looks: verdicts, bands, and the equity they measure from.

None of it is needed to be safe: a lost row costs a confirmation or repeats a warning. Never holds a halt itself.
"""

from __future__ import annotations

from django.db import models

from .accounts import ExchangeAccount
from .columns import exact_field


class LimitBand(models.Model):
    """How much of one limit is in use, as a band (0, 50, 75, 90, 100 percent), so that a warning is given once."""

    limit = models.CharField(max_length=40)
    scope = models.CharField(max_length=20)
    target = models.CharField(max_length=60, blank=True)
    band = models.IntegerField(default=0)
    share_pct = exact_field(help_text="In use when it was last looked at, in percent.")
    since = models.DateTimeField()
    looked_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["limit", "scope", "target"], name="limit_band_once"),
        ]


class EquityPeak(models.Model):
    """An account's highest equity of a day that three snapshots in a row confirmed: drawdown is measured from it."""

    account = models.ForeignKey(ExchangeAccount, models.PROTECT, related_name="peaks")
    day = models.DateField()
    equity = exact_field()
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["account", "day"], name="equity_peak_once_a_day")]


class TriggerState(models.Model):
    """What an automatic halt last saw of one scope: its last verdicts, when it looked, when it fired.

    `is_armed`: the value was seen back on the safe side since it fired. `resting_until`: the cool-down. Neither ever
    releases a halt.
    """

    trigger = models.CharField(max_length=40)
    scope = models.CharField(max_length=20)
    target = models.CharField(max_length=60, blank=True)
    looks = models.JSONField(default=list, help_text="The last verdicts, the newest last.")
    observed = models.CharField(max_length=300, blank=True)
    limit = models.CharField(max_length=60, blank=True)
    evaluated_at = models.DateTimeField()
    fired_at = models.DateTimeField(null=True)
    is_armed = models.BooleanField(default=True)
    resting_until = models.DateTimeField(null=True)
    blind_since = models.DateTimeField(null=True, help_text="Since when nothing could be told.")

    class Meta:
        default_permissions = ()
        ordering = ["trigger", "scope", "target"]
        constraints = [
            models.UniqueConstraint(fields=["trigger", "scope", "target"], name="trigger_state_once"),
        ]

    def __str__(self) -> str:
        return f"{self.trigger} {self.scope} {self.target}".strip()
