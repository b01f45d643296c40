"""Instruments as the venues describe them, and the last price of each.

Rows come from the venue's exchange information only; an instrument the venue no longer lists is kept, not tradable.
"""

from __future__ import annotations

from django.db import models

from trading.domain.enums import Environment, Side, VenueName
from trading.domain.outcomes import InstrumentReport

from .columns import choices, exact_field, one_of


class Instrument(models.Model):
    venue = models.CharField(max_length=20, choices=choices(VenueName))
    environment = models.CharField(max_length=20, choices=choices(Environment))
    symbol = models.CharField(max_length=40, help_text="BASE/QUOTE, the product's spelling.")
    venue_symbol = models.CharField(max_length=40)
    base_asset = models.CharField(max_length=30)
    quote_asset = models.CharField(max_length=30)
    is_tradable = models.BooleanField(default=False)
    tick_size = exact_field()
    lot_size = exact_field()
    min_quantity = exact_field(null=True, blank=True)
    max_quantity = exact_field(null=True, blank=True)
    min_notional = exact_field(null=True, blank=True)
    max_notional = exact_field(null=True, blank=True)
    min_notional_market = exact_field(null=True, blank=True)
    max_notional_market = exact_field(null=True, blank=True)
    price_up_factor = exact_field(null=True, blank=True)
    price_down_factor = exact_field(null=True, blank=True)
    order_types = models.JSONField(default=list)
    sides = models.JSONField(default=list)
    synced_at = models.DateTimeField()

    class Meta:
        ordering = ["venue", "symbol"]
        constraints = [
            models.UniqueConstraint(
                fields=["venue", "environment", "symbol"], name="instrument_once_per_venue"
            ),
            models.UniqueConstraint(
                fields=["venue", "environment", "venue_symbol"], name="instrument_venue_symbol_once"
            ),
            one_of("venue", VenueName, "instrument_venue_known"),
            models.CheckConstraint(
                condition=models.Q(tick_size__gt=0, lot_size__gt=0), name="instrument_steps_positive"
            ),
        ]

    def __str__(self) -> str:
        return self.symbol

    def as_report(self) -> InstrumentReport:
        """The row as the domain's frozen value."""
        return InstrumentReport(
            venue_symbol=self.venue_symbol,
            base_asset=self.base_asset,
            quote_asset=self.quote_asset,
            is_tradable=self.is_tradable,
            tick_size=self.tick_size,
            lot_size=self.lot_size,
            min_quantity=self.min_quantity,
            max_quantity=self.max_quantity,
            min_notional=self.min_notional,
            max_notional=self.max_notional,
            min_notional_market=self.min_notional_market,
            max_notional_market=self.max_notional_market,
            order_types=tuple(self.order_types),
            price_up_factor=self.price_up_factor,
            price_down_factor=self.price_down_factor,
            sides=tuple(Side(side) for side in self.sides),
        )


class Quote(models.Model):
    """Last price and top of book; only ever replaced by a newer one."""

    instrument = models.OneToOneField(Instrument, models.CASCADE, related_name="quote")
    last = exact_field()
    bid = exact_field(null=True)
    ask = exact_field(null=True)
    received_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.last}"
