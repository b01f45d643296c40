"""Webhooks: addresses at which alerts of other programs become signals of one strategy.

The secret is stored as a hash only, and is shown once, when it is made. The address is no secret: it stands in logs.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from .accounts import ExchangeAccount
from .columns import exact_field, new_id
from .strategies import Strategy


class Webhook(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=60, unique=True, help_text="Who sends to it.")
    slug = models.CharField(max_length=24, unique=True, editable=False, help_text="In its address.")
    secret_hash = models.CharField(max_length=64, editable=False)
    strategy = models.ForeignKey(Strategy, models.PROTECT, related_name="webhooks")
    account = models.ForeignKey(
        ExchangeAccount, models.PROTECT, null=True, related_name="webhooks", help_text="Empty: the default."
    )
    quantity = exact_field(null=True, help_text="Base units of an alert that names no quantity.")
    addresses = models.JSONField(default=list, help_text="Networks it may come from; empty: any.")
    is_enabled = models.BooleanField(default=True)
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["name"]
        default_permissions = ("view", "add", "change")
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__isnull=True) | Q(quantity__gt=0), name="webhook_quantity_positive"
            ),
        ]

    def __str__(self) -> str:
        return self.name
