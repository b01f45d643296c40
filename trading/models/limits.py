"""Risk limits as versions: a change is a new row, so that every order can name the version that judged it.

The latest version whose `effective_at` has passed is in force for its scope. Rows are append-only (trigger).
"""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from trading.domain.enums import HaltScope
from trading.domain.money import ZERO

from .columns import choices, exact_field, one_of

_not_negative = [MinValueValidator(0)]


def _limit(help_text: str) -> models.DecimalField:
    return exact_field(
        null=True, blank=True, validators=_not_negative, help_text=help_text + " Empty: no limit."
    )


def _count(help_text: str) -> models.IntegerField:
    return models.IntegerField(
        null=True, blank=True, validators=_not_negative, help_text=help_text + " Empty: no limit."
    )


class LimitsVersion(models.Model):
    """Amounts in the reporting currency, percentages as percent numbers, times in seconds."""

    version = models.BigAutoField(primary_key=True)
    scope = models.CharField(
        max_length=20, choices=choices(HaltScope), default=HaltScope.EVERYTHING, editable=False
    )
    target = models.CharField(max_length=60, blank=True, editable=False)
    effective_at = models.DateTimeField()
    reason = models.CharField(max_length=300)
    actor = models.CharField(max_length=150)
    created_at = models.DateTimeField(auto_now_add=True)

    max_order_notional = _limit("The most one order may be worth.")
    price_collar_pct = _limit("How far a limit price may be from the last price, in percent.")
    max_price_age_seconds = exact_field(
        default=Decimal(30), validators=_not_negative, help_text="Older prices deny."
    )
    max_balance_age_seconds = exact_field(
        default=Decimal(60), validators=_not_negative, help_text="Older balances deny."
    )
    exposure_limit_symbol = _limit("The most one symbol may have at risk.")
    exposure_limit_total = _limit("The most all symbols together may have at risk.")
    kill_threshold_usd = _limit("Exposure above this engages the kill switch by itself.")
    max_concurrent_positions = _count("Positions open at the same time.")
    max_open_orders = _count("Orders approved, in flight or open at the same time.")
    max_orders_per_minute = _count("Orders within sixty seconds.")
    duplicate_window_seconds = exact_field(
        default=ZERO,
        validators=_not_negative,
        help_text="The same order again within this time is denied. 0: off.",
    )
    max_daily_loss_pct = exact_field(
        null=True,
        blank=True,
        validators=[*_not_negative, MaxValueValidator(100)],
        help_text="Loss of the day in percent of its first equity: denies and halts. Empty: no limit.",
    )
    allowed_symbols = models.JSONField(
        null=True, blank=True, help_text="Symbols that may be traded. Empty: all."
    )

    class Meta:
        ordering = ["-version"]
        verbose_name = "limits version"
        indexes = [models.Index(fields=["scope", "target", "-version"], name="limits_in_force")]
        constraints = [one_of("scope", HaltScope, "limits_scope_known")]

    LIMIT_FIELDS = (
        "max_order_notional",
        "price_collar_pct",
        "max_price_age_seconds",
        "max_balance_age_seconds",
        "exposure_limit_symbol",
        "exposure_limit_total",
        "kill_threshold_usd",
        "max_concurrent_positions",
        "max_open_orders",
        "max_orders_per_minute",
        "duplicate_window_seconds",
        "max_daily_loss_pct",
        "allowed_symbols",
    )

    def __str__(self) -> str:
        return f"limits v{self.version}"
