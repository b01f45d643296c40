"""The ledger of every asset: movements, each written once and never changed.

The sum of an asset's movements is what our books say the account holds. It equals the venue's balance, or the
difference stands in an open break. `Balance.booked` is that running sum, moved in the commit that writes the movements.
"""

from __future__ import annotations

from django.db import models

from .accounts import ExchangeAccount
from .columns import exact_field, one_of


class MovementKind(models.TextChoices):
    FILL = "fill"
    FEE = "fee"
    REBATE = "rebate"  # a fee the venue paid to us
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    OPENING = "opening"  # what was there when the books were opened
    ADJUSTMENT = "adjustment"  # a person's word on a difference nothing explains


# What comes from outside or goes there: no gain and no loss of trading.
TRANSFERS = (MovementKind.DEPOSIT, MovementKind.WITHDRAWAL)


class Movement(models.Model):
    account = models.ForeignKey(ExchangeAccount, models.PROTECT, related_name="movements")
    asset = models.CharField(max_length=30)
    kind = models.CharField(max_length=20, choices=MovementKind.choices)
    quantity = exact_field(help_text="Signed: what it adds to the asset.")
    value = exact_field(null=True, help_text="Worth in the reporting currency when booked; not of fills.")
    at = models.DateTimeField(help_text="When it happened, by the venue where the venue says so.")
    booked_at = models.DateTimeField()
    reference = models.CharField(max_length=120, help_text="The fill, transfer or break it comes from.")

    class Meta:
        ordering = ["-id"]
        default_permissions = ("view",)
        constraints = [
            one_of("kind", MovementKind, "movement_kind_known"),
            models.UniqueConstraint(fields=["account", "reference", "kind", "asset"], name="movement_once"),
        ]
        indexes = [
            models.Index(
                fields=["account", "-booked_at"],
                condition=models.Q(kind__in=["deposit", "withdrawal", "opening", "adjustment"]),
                name="movement_not_of_fills",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.quantity} {self.asset}"
