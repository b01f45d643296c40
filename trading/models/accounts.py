"""Exchange accounts and their credentials.

An account is one set of balances at one venue. Credentials are stored encrypted only (see trading/vault.py) in a row
of their own, so that reading an account never touches them. An account trades only in the mode it belongs to.
"""

from __future__ import annotations

from datetime import UTC, datetime

from django.core.validators import RegexValidator
from django.db import models

from trading.domain.enums import Environment, TradingMode, VenueName
from trading.domain.money import ZERO

from .columns import choices, exact_field, new_id, one_of

name_validator = RegexValidator(
    r"^[a-z0-9][a-z0-9_-]{0,39}$",
    "Use 1 to 40 lower-case letters, digits, _ or -, starting with a letter or digit.",
)


class ExchangeAccount(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=40, unique=True, validators=[name_validator])
    venue = models.CharField(max_length=20, choices=choices(VenueName))
    environment = models.CharField(max_length=20, choices=choices(Environment))
    mode = models.CharField(max_length=20, choices=choices(TradingMode))
    base_url = models.CharField(
        max_length=200, help_text="Where the venue is reached; checked against the allow-list."
    )
    is_enabled = models.BooleanField(
        default=True, help_text="A disabled account sends no new order; cancels still work."
    )
    is_default = models.BooleanField(default=False, help_text="Used when a signal names no account.")
    rate_limit_rps = models.DecimalField(
        max_digits=8,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="Orders per second; empty: as configured.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    synced_at = models.DateTimeField(null=True, blank=True, editable=False)
    fills_cursor_at = models.DateTimeField(null=True, blank=True, editable=False)
    sync_error = models.CharField(max_length=500, blank=True, editable=False)
    clock_offset_seconds = models.DecimalField(
        max_digits=12,
        decimal_places=3,
        null=True,
        blank=True,
        editable=False,
        help_text="The venue's clock less this host's, at the last sync.",
    )
    clock_measured_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When the venue was asked for its clock."
    )
    books_opened_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When the opening balances were taken over."
    )
    opening_transfers = models.JSONField(
        null=True,
        blank=True,
        editable=False,
        help_text="Ids of the deposits and withdrawals that the opening balances contain; empty: not known.",
    )

    class Meta:
        ordering = ["name"]
        verbose_name = "exchange account"
        constraints = [
            one_of("venue", VenueName, "account_venue_known"),
            one_of("environment", Environment, "account_environment_known"),
            one_of("mode", TradingMode, "account_mode_known"),
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="account_one_default"
            ),
            # Play money and real money never share an account row.
            models.CheckConstraint(
                condition=~models.Q(mode="production") | models.Q(environment="live"),
                name="account_production_is_live",
            ),
            models.CheckConstraint(
                condition=~models.Q(mode="testnet") | ~models.Q(environment="live"),
                name="account_testnet_is_not_live",
            ),
            models.CheckConstraint(
                condition=~models.Q(mode="paper") | models.Q(environment="simulated"),
                name="account_paper_is_simulated",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Credential(models.Model):
    """One API key, encrypted. Written through the panel or the API, never shown again."""

    account = models.OneToOneField(ExchangeAccount, models.CASCADE, related_name="credential")
    sealed_key = models.BinaryField()
    sealed_secret = models.BinaryField()
    sealed_with = models.CharField(max_length=16, help_text="Id of the encryption key.")
    key_hint = models.CharField(
        max_length=12, help_text="The last characters of the key, to tell keys apart."
    )
    rights = models.JSONField(default=dict, blank=True)
    rights_checked_at = models.DateTimeField(
        null=True, blank=True, help_text="When the venue last said them."
    )
    rights_asked_at = models.DateTimeField(
        null=True, blank=True, help_text="When the venue was last asked, whatever it answered."
    )
    rights_error = models.CharField(
        max_length=500,
        blank=True,
        default="",
        db_default="",  # processes of the build before, which do not know it, go on during an upgrade
        help_text="Why the venue did not say them when it was last asked.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    replaced_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"key …{self.key_hint} of {self.account_id}"


# Of a balance that was not confirmed by the venue yet: fills came before the first quiet look.
NEVER_OBSERVED = datetime(1970, 1, 1, tzinfo=UTC)


class Balance(models.Model):
    """One asset. free + locked = booked + drift: what our movements add up to, and the difference a break names."""

    account = models.ForeignKey(ExchangeAccount, models.PROTECT, related_name="balances")
    asset = models.CharField(max_length=30)
    free = exact_field()
    locked = exact_field()
    booked = exact_field(default=ZERO, help_text="The sum of all movements of this asset.")
    drift = exact_field(
        default=ZERO, help_text="What the venue had more than booked when nothing moved: an open break."
    )
    observed_at = models.DateTimeField(help_text="When the venue was asked.")

    class Meta:
        ordering = ["account", "asset"]
        constraints = [models.UniqueConstraint(fields=["account", "asset"], name="balance_once_per_asset")]

    def __str__(self) -> str:
        return f"{self.asset} on {self.account_id}"


class EquitySnapshot(models.Model):
    """The account valued in the reporting currency at one instant; daily PnL is measured against the day's first."""

    account = models.ForeignKey(ExchangeAccount, models.PROTECT, related_name="equity")
    at = models.DateTimeField()
    equity = exact_field()
    cash = exact_field(help_text="Quote assets at face.")
    positions_value = exact_field(help_text="Everything else at its last price.")
    exposure = exact_field()
    daily_pnl = exact_field(null=True)
    transfers = exact_field(
        default=ZERO,
        help_text="Worth of all deposits less withdrawals up to here, what is unexplained included.",
    )
    unexplained = exact_field(
        default=ZERO,
        db_default=ZERO,  # processes of the build before, which do not know it, go on during an upgrade
        help_text="Worth of what came in and nothing explains yet: no gain until somebody says so.",
    )
    peak = exact_field(null=True, help_text="The highest equity less transfers up to here.")
    unpriced = models.JSONField(default=list, blank=True, help_text="Assets no price is known for.")

    class Meta:
        ordering = ["-at"]
        constraints = [models.UniqueConstraint(fields=["account", "at"], name="equity_once_per_instant")]
        indexes = [models.Index(fields=["-at", "-id"], name="equity_by_time")]
