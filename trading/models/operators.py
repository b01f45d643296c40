"""API tokens of clients. Operators are Django users; roles are the groups viewer, trader, risk and admin.

A token is stored as a hash only, carries its own roles and expiry, and is shown once, when it is made.
"""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.db import models

from .columns import new_id


class ApiToken(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=60, unique=True, help_text="Who uses it.")
    lookup = models.CharField(
        max_length=24, unique=True, editable=False, help_text="The public part, to find the row."
    )
    secret_hash = models.CharField(max_length=64, editable=False)
    roles = models.ManyToManyField(Group, related_name="api_tokens")
    addresses = models.JSONField(default=list, blank=True, help_text="Networks it may come from; empty: any.")
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name = "API token"

    def __str__(self) -> str:
        return self.name
