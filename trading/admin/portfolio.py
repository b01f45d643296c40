"""Balances and equity: what the venue says is there, and what it was worth over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST, require_safe
from unfold.decorators import display

from trading.execution.sync import sync_account
from trading.models import Balance, EquitySnapshot, ExchangeAccount, Movement

from . import cells
from .acting import attempt, go
from .filters import by_account, by_time
from .page import Detail, Facts, Page, PanelAdmin, Table, demand
from .portfolio_page import SYNC, describe_portfolio


@admin.register(Balance)
class BalanceScreen(PanelAdmin):
    empty_words = "No balance yet. Balances come with the first sync of an account."
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
            ("Sum of its movements", cells.exact(row.booked, row.asset)),
            (
                "Unexplained, named by a break",
                cells.exact(row.drift, row.asset) if row.drift else cells.NOTHING,
            ),
            ("The venue was asked", cells.when(row.observed_at)),
            ("Account", cells.row_link("exchangeaccount", row.account_id, row.account.name)),
        ]
        return Detail(
            title=f"{row.asset} on {row.account.name}", sections=[Facts("", facts), _movements(row)]
        )

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


def _movements(row: Balance) -> Table:
    moved = Movement.objects.filter(account_id=row.account_id, asset=row.asset).order_by("-id")[:30]
    lines = [
        [cells.when(one.at), cells.badge(one.kind), cells.exact(one.quantity), cells.mono(one.reference[:20])]
        for one in moved
    ]
    return Table("The last movements", ["Time", "What", "#Quantity", "Reference"], lines)


@admin.register(EquitySnapshot)
class EquityScreen(PanelAdmin):
    empty_words = "No snapshot yet. Every complete sync of an account takes one."
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
    keyset = ("-at", "-id")

    def pages(self) -> Sequence[Page]:
        return [
            ("portfolio/", "portfolio", self.portfolio_view),
            ("portfolio/<uuid:account_id>/sync/", "sync", self.sync_view),
        ]

    @method_decorator(require_safe)
    def portfolio_view(self, request: HttpRequest) -> HttpResponse:
        demand(request, "trading.view_equitysnapshot")
        return self.show(request, self.detail_template, describe_portfolio(request))

    @method_decorator(require_POST)
    def sync_view(self, request: HttpRequest, account_id: UUID) -> HttpResponse:
        demand(request, SYNC)
        if not ExchangeAccount.objects.filter(pk=account_id).exists():
            raise Http404(f"There is no account {account_id}.")
        run = attempt(request, lambda: sync_account(account_id, trigger="demand"))
        if run is not None and run.is_complete:
            messages.success(
                request, f"Synced: {run.fills_booked} fills booked, {run.breaks_open} breaks open."
            )
        elif run is not None:
            messages.error(request, f"The sync is not complete: {run.error}")
        return go("equitysnapshot", "portfolio")

    def describe(self, request: HttpRequest, row: EquitySnapshot) -> Detail:
        facts = [
            ("At", cells.when(row.at)),
            ("Equity", cells.dollars(row.equity)),
            ("PnL of the day", cells.gain(row.daily_pnl)),
            ("Cash", cells.dollars(row.cash)),
            ("Everything else at its last price", cells.dollars(row.positions_value)),
            ("Exposure", cells.dollars(row.exposure)),
            ("Deposited less withdrawn so far", cells.dollars(row.transfers - row.unexplained)),
            ("Came in and is not explained yet", cells.dollars(row.unexplained)),
            ("Peak without transfers", cells.dollars(row.peak)),
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
