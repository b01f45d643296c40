"""Balances and equity: what the venue says is there, and what it was worth over time."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from trading.models import Balance, EquitySnapshot

from . import cells
from .filters import by_account, by_time
from .page import Detail, Facts, PanelAdmin


@admin.register(Balance)
class BalanceScreen(PanelAdmin):
    list_display = ("asset", "free_cell", "locked_cell", "total_cell", "account_cell", "observed_cell")
    list_display_links = None
    list_select_related = ("account",)
    list_filter = (by_account(),)
    search_fields = ("=asset",)
    search_help_text = "An asset"

    def describe(self, request: HttpRequest, row: Balance) -> Detail:
        facts = [
            ("Free", cells.exact(row.free, row.asset)),
            ("Locked by open orders", cells.exact(row.locked, row.asset)),
            ("Total", cells.exact(row.free + row.locked, row.asset)),
            ("The venue was asked", cells.when(row.observed_at)),
            ("Account", cells.row_link("exchangeaccount", row.account_id, row.account.name)),
        ]
        return Detail(title=f"{row.asset} on {row.account.name}", sections=[Facts("", facts)])

    @display(description="free")
    def free_cell(self, row: Balance) -> Any:
        return cells.exact(row.free)

    @display(description="locked")
    def locked_cell(self, row: Balance) -> Any:
        return cells.exact(row.locked) if row.locked else cells.NOTHING

    @display(description="total")
    def total_cell(self, row: Balance) -> Any:
        return cells.exact(row.free + row.locked)

    @display(description="account")
    def account_cell(self, row: Balance) -> Any:
        return row.account.name

    @display(description="as the venue said")
    def observed_cell(self, row: Balance) -> Any:
        return cells.when(row.observed_at)


@admin.register(EquitySnapshot)
class EquityScreen(PanelAdmin):
    list_display = (
        "at_cell",
        "account_cell",
        "equity_cell",
        "pnl_cell",
        "cash_cell",
        "positions_cell",
        "exposure_cell",
    )
    list_display_links = ("at_cell",)
    list_select_related = ("account",)
    list_filter = (by_account(), by_time("at"))
    ordering = ("-at", "-id")

    def describe(self, request: HttpRequest, row: EquitySnapshot) -> Detail:
        facts = [
            ("At", cells.when(row.at)),
            ("Equity", cells.dollars(row.equity)),
            ("PnL of the day", cells.gain(row.daily_pnl)),
            ("Cash", cells.dollars(row.cash)),
            ("Everything else at its last price", cells.dollars(row.positions_value)),
            ("Exposure", cells.dollars(row.exposure)),
            ("Assets without a price", ", ".join(row.unpriced) or cells.NOTHING),
        ]
        return Detail(title=f"Equity of {row.account.name}", sections=[Facts("", facts)])

    @display(description="at")
    def at_cell(self, row: EquitySnapshot) -> Any:
        return cells.when(row.at)

    @display(description="account")
    def account_cell(self, row: EquitySnapshot) -> Any:
        return row.account.name

    @display(description="equity")
    def equity_cell(self, row: EquitySnapshot) -> Any:
        return cells.dollars(row.equity)

    @display(description="PnL of the day")
    def pnl_cell(self, row: EquitySnapshot) -> Any:
        return cells.gain(row.daily_pnl)

    @display(description="cash")
    def cash_cell(self, row: EquitySnapshot) -> Any:
        return cells.dollars(row.cash)

    @display(description="other assets")
    def positions_cell(self, row: EquitySnapshot) -> Any:
        return cells.dollars(row.positions_value)

    @display(description="exposure")
    def exposure_cell(self, row: EquitySnapshot) -> Any:
        return cells.dollars(row.exposure)
