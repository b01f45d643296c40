"""Signals: what came in, from whom, and the answer that was given.

One row per (source, key): the row is the deduplication. The stored answer is what a repeat gets.
"""

from __future__ import annotations

from django.db import models

from .columns import new_id
from .strategies import Strategy


class Signal(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    source = models.CharField(
        max_length=150, help_text="Who sent it: the token or operator whose keys these are."
    )
    key = models.CharField(max_length=200, help_text="Idempotency key, unique per source.")
    body_hash = models.CharField(max_length=64)
    body = models.JSONField()
    strategy = models.ForeignKey(Strategy, models.PROTECT, null=True, blank=True)
    actor = models.CharField(max_length=150)
    request_id = models.CharField(max_length=64, blank=True)
    answer = models.JSONField(null=True)
    received_at = models.DateTimeField()

    class Meta:
        ordering = ["-received_at"]
        constraints = [models.UniqueConstraint(fields=["source", "key"], name="signal_once_per_key")]
        indexes = [
            models.Index(fields=["-received_at"], name="signal_by_time"),
            models.Index(fields=["key"], name="signal_by_key"),
        ]

    def __str__(self) -> str:
        return f"signal {self.key}"
