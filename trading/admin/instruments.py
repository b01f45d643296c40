"""Instruments: the venue's rules per symbol, with the last price. They come from the venue and are not edited."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from trading.models import Instrument

from . import cells
from .page import Detail, Facts, PanelAdmin
from .positions import last_price


@admin.register(Instrument)
class InstrumentScreen(PanelAdmin):
    empty_words = "No instrument yet. The first sync of an account brings what its venue trades."
    list_display = (
        "symbol",
        "tradable_cell",
        "last_cell",
        "age_cell",
        "tick_cell",
        "lot_cell",
        "venue",
        "environment",
    )
    list_display_links = ("symbol",)
    list_select_related = ("quote",)
    list_filter = ("is_tradable",)
    search_fields = ("^symbol", "=venue_symbol")
    search_help_text = "A symbol, or how it begins"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Instrument]:
        return super().get_queryset(request).select_related("quote")

    def describe(self, request: HttpRequest, row: Instrument) -> Detail:
        base, quote = row.base_asset, row.quote_asset
        facts = [
            ("Last price", cells.stack([cells.exact(last_price(row), quote), self.age_cell(row)])),
            ("The venue's spelling", cells.mono(row.venue_symbol)),
            ("Price step", cells.exact(row.tick_size, quote)),
            ("Quantity step", cells.exact(row.lot_size, base)),
            ("Quantity, least", cells.exact(row.min_quantity, base)),
            ("Quantity, most", cells.exact(row.max_quantity, base)),
            ("Notional, least", cells.exact(row.min_notional, quote)),
            ("Notional, most", cells.exact(row.max_notional, quote)),
            ("Notional of a market order, least", cells.exact(row.min_notional_market, quote)),
            ("Notional of a market order, most", cells.exact(row.max_notional_market, quote)),
            ("Order types", ", ".join(row.order_types) or cells.NOTHING),
            ("Sides", ", ".join(row.sides) or cells.NOTHING),
            ("As the venue said", cells.when(row.synced_at)),
        ]
        return Detail(title=row.symbol, badges=[self.tradable_cell(row)], sections=[Facts("", facts)])

    @display(description="trading")
    def tradable_cell(self, row: Instrument) -> Any:
        return cells.badge("tradable", "good") if row.is_tradable else cells.badge("not tradable", "bad")

    @display(description="last price")
    def last_cell(self, row: Instrument) -> Any:
        return cells.exact(last_price(row))

    @display(description="price age")
    def age_cell(self, row: Instrument) -> Any:
        quote = getattr(row, "quote", None)
        return cells.age(quote.received_at if quote else None)

    @display(description="price step")
    def tick_cell(self, row: Instrument) -> Any:
        return cells.exact(row.tick_size)

    @display(description="quantity step")
    def lot_cell(self, row: Instrument) -> Any:
        return cells.exact(row.lot_size)
