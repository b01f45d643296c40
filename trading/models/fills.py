"""Fills, and the positions they add up to.

A fill is booked exactly once: unique on account and the venue's fill id. What the venue said of it never changes; what
is derived of it, because it depends on the fills before it, follows when one of those arrives late. A position row is
the running sum of its fills in the venue's order, less fees in the base asset, updated in the same transaction;
`rebuild` can always recompute it.
"""

from __future__ import annotations

from decimal import Decimal

from django.db import models

from trading.domain.enums import Side
from trading.domain.money import ZERO, plain
from trading.domain.positions import PositionState

from .accounts import ExchangeAccount
from .columns import choices, exact_field, one_of
from .instruments import Instrument
from .orders import Order


class Fill(models.Model):
    account = models.ForeignKey(ExchangeAccount, models.PROTECT, related_name="fills")
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="fills")
    order = models.ForeignKey(Order, models.PROTECT, related_name="fills")
    venue_fill_id = models.CharField(max_length=120)
    side = models.CharField(max_length=4, choices=choices(Side))
    price = exact_field()
    quantity = exact_field()
    notional = exact_field()
    fee = exact_field()
    fee_asset = models.CharField(max_length=30, blank=True)
    is_maker = models.BooleanField(default=False)
    realized_pnl = exact_field(help_text="In quote units, before fees: what this fill closed. Derived.")
    average_after = exact_field(null=True, help_text="The position's average price after this fill. Derived.")
    filled_at = models.DateTimeField()
    booked_at = models.DateTimeField()

    class Meta:
        ordering = ["-filled_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["account", "venue_fill_id"], name="fill_once"),
            one_of("side", Side, "fill_side_known"),
            models.CheckConstraint(condition=models.Q(quantity__gt=0, price__gt=0), name="fill_positive"),
        ]
        indexes = [
            models.Index(fields=["-filled_at", "-id"], name="fill_by_time"),
            models.Index(fields=["account", "-filled_at"], name="fill_by_account"),
            models.Index(fields=["instrument", "-filled_at"], name="fill_by_instrument"),
            models.Index(fields=["order"], name="fill_by_order"),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.quantity} @ {self.price}"


class Position(models.Model):
    account = models.ForeignKey(ExchangeAccount, models.PROTECT, related_name="positions")
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="positions")
    quantity = exact_field(default=ZERO, help_text="Signed, base units: the sum of the fills.")
    average_price = exact_field(default=ZERO)
    realized_pnl = exact_field(default=ZERO)
    fees = models.JSONField(default=dict, blank=True, help_text="Fees paid, by asset.")
    newest_fill_at = models.DateTimeField(null=True, help_text="The last fill by the venue's time.")
    newest_fill = models.CharField(max_length=120, blank=True)
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["account", "instrument"]
        constraints = [models.UniqueConstraint(fields=["account", "instrument"], name="position_once")]

    def __str__(self) -> str:
        return f"{self.quantity} {self.instrument}"

    def as_state(self) -> PositionState:
        fees = {asset: Decimal(paid) for asset, paid in self.fees.items()}
        return PositionState(self.quantity, self.average_price, self.realized_pnl, fees)

    def take_state(self, state: PositionState, newest: Fill | None) -> None:
        """In memory. `newest`: the last of its fills in the venue's order."""
        self.quantity = state.quantity
        self.average_price = state.average_price
        self.realized_pnl = state.realized_pnl
        self.fees = {asset: plain(paid) for asset, paid in state.fees.items()}
        self.newest_fill_at = newest.filled_at if newest else None
        self.newest_fill = newest.venue_fill_id if newest else ""
