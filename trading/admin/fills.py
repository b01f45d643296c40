"""Fills: what really happened. Written by settlement only, found by the venue's own id."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from trading.domain.enums import Side
from trading.models import Fill
from trading.queries.finding import fill_by_any_id

from . import cells
from .filters import by, by_account, by_symbol, by_time, words
from .page import Detail, Facts, PanelAdmin


@admin.register(Fill)
class FillScreen(PanelAdmin):
    list_display = (
        "time_cell",
        "symbol_cell",
        "side_cell",
        "quantity_cell",
        "price_cell",
        "notional_cell",
        "fee_cell",
        "pnl_cell",
        "order_cell",
        "account_cell",
        "venue_fill_id",
    )
    list_display_links = ("symbol_cell",)
    list_select_related = ("account", "instrument", "order")
    list_filter = (by("side", "side", "side", words(Side)), by_symbol(), by_account(), by_time("filled_at"))
    search_fields = ("venue_fill_id",)
    search_help_text = "The venue's fill id, or a client order id"
    ordering = ("-filled_at", "-id")
    keyset = ("-filled_at", "-id")
    topics = ("fills",)
    export_name = "fills"
    empty_words = "No fill yet. Fills appear here within a second of the venue's answer."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Fill]:
        return super().get_queryset(request).select_related("account", "instrument", "order")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        return queryset.filter(fill_by_any_id(term)), False

    def describe(self, request: HttpRequest, row: Fill) -> Detail:
        base, quote = row.instrument.base_asset, row.instrument.quote_asset
        facts = [
            ("Side", cells.badge(row.side)),
            ("Quantity", cells.exact(row.quantity, base)),
            ("Price", cells.exact(row.price, quote)),
            ("Notional", cells.exact(row.notional, quote)),
            ("Fee", cells.exact(row.fee, row.fee_asset)),
            ("Realized PnL, before fees", cells.exact(row.realized_pnl, quote)),
            ("Role", "maker" if row.is_maker else "taker"),
            ("Order", cells.row_link("order", row.order_id, cells.mono(row.order.client_order_id))),
            ("Account", cells.row_link("exchangeaccount", row.account_id, row.account.name)),
            ("Filled at the venue", cells.when(row.filled_at)),
            ("Booked here", cells.when(row.booked_at)),
            ("The venue's fill id", cells.mono(row.venue_fill_id)),
        ]
        return Detail(title=f"Fill: {row.side} {row.instrument.symbol}", sections=[Facts("", facts)])

    @display(description="filled")
    def time_cell(self, row: Fill) -> Any:
        return cells.when(row.filled_at)

    @display(description="symbol")
    def symbol_cell(self, row: Fill) -> Any:
        return row.instrument.symbol

    @display(description="side")
    def side_cell(self, row: Fill) -> Any:
        return cells.badge(row.side)

    @display(description="quantity")
    def quantity_cell(self, row: Fill) -> Any:
        return cells.exact(row.quantity)

    @display(description="price")
    def price_cell(self, row: Fill) -> Any:
        return cells.exact(row.price)

    @display(description="notional")
    def notional_cell(self, row: Fill) -> Any:
        return cells.exact(row.notional, row.instrument.quote_asset)

    @display(description="fee")
    def fee_cell(self, row: Fill) -> Any:
        return cells.exact(row.fee, row.fee_asset)

    @display(description="realized PnL")
    def pnl_cell(self, row: Fill) -> Any:
        return cells.gain(row.realized_pnl) if row.realized_pnl else cells.NOTHING

    @display(description="order")
    def order_cell(self, row: Fill) -> Any:
        return cells.row_link("order", row.order_id, f"…{row.order.client_order_id[-8:]}")

    @display(description="account")
    def account_cell(self, row: Fill) -> Any:
        return row.account.name
