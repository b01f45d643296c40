"""Closing positions on purpose: one request, what it covers, and what became of every position of it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from .columns import exact_field, new_id
from .controls import Sweep


class FlatteningState(models.TextChoices):
    RUNNING = "running"
    FLAT = "flat"
    REMAINS = "remains", "not all is closed"


class Flattening(models.Model):
    """All positions of an account, of a symbol, of both or of everything. Claimed by lease; twice is harmless."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.CharField(max_length=40, blank=True, help_text="Its name; empty: every account.")
    symbol = models.CharField(max_length=40, blank=True, help_text="BASE/QUOTE; empty: every symbol.")
    quantity = exact_field(null=True, help_text="At most so much of the one position; empty: all of it.")
    sweep = models.OneToOneField(
        Sweep, models.PROTECT, null=True, related_name="flattening", help_text="Of the halt it belongs to."
    )
    reason = models.CharField(max_length=300)
    actor = models.CharField(max_length=150)
    requested_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=FlatteningState.choices, default=FlatteningState.RUNNING)
    report = models.JSONField(default=dict, help_text="Per account and symbol: what is left, and why.")
    rounds = models.IntegerField(default=0)
    finished_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    leased_by = models.CharField(max_length=80, blank=True)

    class Meta:
        ordering = ["-requested_at"]
        default_permissions = ("view",)
        permissions = [("flatten_position", "Can close positions, also while halted")]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "symbol"], condition=Q(state="running"), name="flattening_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account or 'all accounts'} {self.symbol or 'all symbols'}"
