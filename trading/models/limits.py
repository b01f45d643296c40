"""Risk limits as versions: a change is a new row, so that every order can name the versions that judged it.

Of the rows of one scope whose time has come and has not run out, the newest is in force. A row with `expires_at` is an
override: when it has run out the one before holds again, without anybody's doing. Rows are append-only (trigger).
What each limit means stands in `trading.risk.limit_fields`.
"""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from trading.domain.enums import HaltScope
from trading.domain.money import ZERO
from trading.risk.limit_fields import ALWAYS_SET, FIELDS

from .columns import choices, exact_field, one_of

_not_negative = [MinValueValidator(0)]


def _limit(name: str) -> models.DecimalField:
    return exact_field(
        null=True, blank=True, validators=_not_negative, help_text=FIELDS[name].meaning + " Empty: no limit."
    )


def _count(name: str) -> models.IntegerField:
    return models.IntegerField(
        null=True, blank=True, validators=_not_negative, help_text=FIELDS[name].meaning + " Empty: no limit."
    )


def _always(name: str, default: Decimal) -> models.DecimalField:
    return exact_field(
        null=True, blank=True, default=default, validators=_not_negative, help_text=FIELDS[name].meaning
    )


def _percent(name: str) -> models.DecimalField:
    return exact_field(
        null=True,
        blank=True,
        validators=[*_not_negative, MaxValueValidator(100)],
        help_text=FIELDS[name].meaning + " Empty: no limit.",
    )


class LimitsVersion(models.Model):
    """Amounts in the reporting currency, percentages as percent numbers, times in seconds."""

    version = models.BigAutoField(primary_key=True)
    scope = models.CharField(
        max_length=20, choices=choices(HaltScope), default=HaltScope.EVERYTHING, editable=False
    )
    target = models.CharField(max_length=60, blank=True, editable=False)
    effective_at = models.DateTimeField()
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text="An override holds until then; empty: until the next version."
    )
    reason = models.CharField(max_length=300)
    actor = models.CharField(max_length=150)
    approved_by = models.CharField(
        max_length=150, blank=True, help_text="The second person, where one was needed."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    max_order_notional = _limit("max_order_notional")
    max_order_quantity = _limit("max_order_quantity")
    price_collar_pct = _limit("price_collar_pct")
    max_price_gap_pct = _limit("max_price_gap_pct")
    max_price_age_seconds = _always("max_price_age_seconds", Decimal(30))
    max_balance_age_seconds = _always("max_balance_age_seconds", Decimal(60))
    exposure_limit_symbol = _limit("exposure_limit_symbol")
    exposure_limit_total = _limit("exposure_limit_total")
    kill_threshold_usd = _limit("kill_threshold_usd")
    max_concurrent_positions = _count("max_concurrent_positions")
    max_open_orders = _count("max_open_orders")
    max_orders_per_minute = _count("max_orders_per_minute")
    max_notional_per_minute = _limit("max_notional_per_minute")
    max_order_to_fill_ratio = _limit("max_order_to_fill_ratio")
    max_in_doubt_notional = _limit("max_in_doubt_notional")
    max_repeated_executions = _count("max_repeated_executions")
    duplicate_window_seconds = _always("duplicate_window_seconds", ZERO)
    max_daily_loss_pct = _percent("max_daily_loss_pct")
    max_daily_loss_usd = _limit("max_daily_loss_usd")
    max_drawdown_pct = _percent("max_drawdown_pct")
    allowed_symbols = models.JSONField(null=True, blank=True, help_text=FIELDS["allowed_symbols"].meaning)

    class Meta:
        ordering = ["-version"]
        verbose_name = "limits version"
        indexes = [models.Index(fields=["scope", "target", "-version"], name="limits_in_force")]
        constraints = [
            one_of("scope", HaltScope, "limits_scope_known"),
            models.CheckConstraint(
                condition=Q(scope="everything", target="") | (~Q(scope="everything") & ~Q(target="")),
                name="limits_target_named",
            ),
            models.CheckConstraint(
                condition=~Q(scope="everything") | Q(**{f"{name}__isnull": False for name in ALWAYS_SET}),
                name="limits_ages_set",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True) | Q(expires_at__gt=models.F("effective_at")),
                name="limits_expire_later",
            ),
        ]

    LIMIT_FIELDS = tuple(FIELDS)

    def __str__(self) -> str:
        return f"limits v{self.version}"

    @property
    def scope_name(self) -> str:
        return f"{self.scope} {self.target}".strip()
