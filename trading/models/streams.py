"""The private stream of each account: who listens, how it stands, and what it cost so far.

One row per account, written by the one listener that has its lease. A row says how the stream stands, never what it
said: no decision about an order rests on it.
"""

from __future__ import annotations

from django.db import models

from .accounts import ExchangeAccount
from .columns import one_of


class StreamState(models.TextChoices):
    CONNECTING = "connecting", "connecting"
    SYNCING = "syncing", "syncing: the books are compared with the venue first"
    LIVE = "live", "live"
    LOST = "lost", "lost"


class AccountStream(models.Model):
    account = models.OneToOneField(
        ExchangeAccount, models.CASCADE, primary_key=True, related_name="stream", editable=False
    )
    state = models.CharField(max_length=10, choices=StreamState.choices, default=StreamState.CONNECTING)
    since = models.DateTimeField(help_text="Since when it is in this state.")
    reason = models.CharField(max_length=300, blank=True, help_text="Why it is not live, in words.")
    live_since = models.DateTimeField(
        null=True, help_text="When it was last confirmed by a sync and went live."
    )
    heard_at = models.DateTimeField(null=True, help_text="When it was last heard of while it was live.")
    created_at = models.DateTimeField(help_text="When somebody first listened.")
    events = models.BigIntegerField(default=0, help_text="Events heard.")
    losses = models.BigIntegerField(default=0, help_text="How often it was lost after it had been live.")
    gaps = models.BigIntegerField(default=0, help_text="Fills that it never announced.")
    process = models.CharField(max_length=80, blank=True, help_text="Who listens.")
    leased_until = models.DateTimeField(null=True, help_text="Until then nobody else listens.")

    class Meta:
        default_permissions = ()
        ordering = ["account"]
        constraints = [one_of("state", StreamState, "stream_state_known")]

    def __str__(self) -> str:
        return f"stream of {self.account_id} {self.state}"
