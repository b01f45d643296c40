"""Strategies: the names under which signals come in and orders are accounted for."""

from __future__ import annotations

from django.db import models

from .accounts import name_validator
from .columns import new_id


class Strategy(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=40, unique=True, validators=[name_validator])
    description = models.CharField(max_length=300, blank=True)
    is_enabled = models.BooleanField(default=True)
    enabled_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When a person last enabled it; its executions count from then.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "strategies"

    def __str__(self) -> str:
        return self.name
