"""Positions: what is held, what it is worth now, and how much of its limit it uses.

A position is the sum of its fills and is not edited. Values use the last price and show its age; without a price they
are unknown, not zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import DecimalField, QuerySet, Value
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.http import require_POST
from unfold.decorators import display

from trading.domain.money import DOLLARS, divide, multiply, plain
from trading.execution.flatten import flatten_payload
from trading.execution.flatten_requests import flatten_or_propose
from trading.models import Algo, Flattening, Instrument, Position
from trading.queries.limits import limits_in_force
from trading.queries.price_story import read_price_story

from . import cells
from .acting import accept, actor_of, attempt, go
from .algo_tables import algos_table, living_of
from .filters import by_account, by_symbol
from .forms import ReasonForm
from .kill_switch import FLATTEN, describe_asked
from .page import Ask, Detail, Facts, Page, PanelAdmin, Table, demand
from .position_page import fills_table, limit_cell, price_chart


def last_price(instrument: Instrument) -> Decimal | None:
    quote = getattr(instrument, "quote", None)
    return quote.last if quote else None


def notional_now(row: Position) -> Decimal | None:
    last = last_price(row.instrument)
    return multiply(row.quantity.copy_abs(), last) if last is not None else None


def symbol_limit() -> Decimal | None:
    limits = limits_in_force()
    return limits.exposure_limit_symbol if limits else None


def share_of_limit(row: Position, limit: Decimal | None) -> Decimal | None:
    """Percent of the limit per symbol; None for quotes that are not dollars, because the limit is in dollars."""
    worth = notional_now(row)
    if worth is None or not limit or row.instrument.quote_asset not in DOLLARS:
        return None
    return divide(worth * 100, limit)


class FlattenForm(ReasonForm):
    quantity = forms.DecimalField(
        required=False,
        min_value=Decimal("1e-18"),
        max_digits=38,
        decimal_places=18,
        help_text="Empty: all of it.",
    )
    field_order = ("quantity", "reason")


def _ticket_link(row: Position) -> Any:
    side = "SELL" if row.quantity > 0 else "BUY"
    query = (
        f"?account={row.account.name}&symbol={row.instrument.symbol}&side={side}&order_type=MARKET"
        f"&quantity={plain(row.quantity.copy_abs())}&reduce_only=on"
    )
    return cells.link(cells.page_url("order", "ticket") + query, "Open the ticket, filled in")


def _split_link(row: Position) -> Any:
    side = "SELL" if row.quantity > 0 else "BUY"
    query = (
        f"?account={row.account.name}&symbol={row.instrument.symbol}&side={side}"
        f"&quantity={plain(row.quantity.copy_abs())}&reduce_only=on"
    )
    return cells.link(cells.page_url("algo", "ticket") + query, "close it by an algo")


def _ask_flatten(row: Position, ticket: Any) -> Ask:
    why = (
        "Sells what is not pending already, at the market's price, reduce-only. It works while trading is halted."
        if row.quantity > 0
        else "Buys back what is not pending already, at the market's price, reduce-only, also while halted."
    )
    url = cells.page_url("position", "flatten", row.pk)
    instead = (
        format_html("Another type, or a price of yours: {}. Little by little: {}.", ticket, _split_link(row))
        if ticket
        else ""
    )
    return Ask("Flatten", url, "Close the position", FlattenForm(), why, "bad", instead)


def _closings(row: Position) -> list[Table]:
    """What flattening made of this position lately."""
    name = f"{row.account.name} {row.instrument.symbol}"
    found = Flattening.objects.filter(report__has_key=name).order_by("-requested_at")[:5]
    lines = [
        [
            cells.when(one.requested_at),
            cells.badge(one.state),
            cells.badge(one.report[name]["state"]),
            one.report[name]["left"],
            one.report[name]["why"] or cells.NOTHING,
            one.actor,
        ]
        for one in found
    ]
    headers = ["Asked", "Flattening", "This position", "#Left", "Why", "By"]
    return [Table("Closed on purpose", headers, lines)] if lines else []


def _algos(row: Position) -> list[Table]:
    """What is being bought or sold of it little by little."""
    rows = living_of(Algo.objects.filter(account=row.account, instrument=row.instrument))
    query = f"?state=living&symbol={row.instrument.symbol}&account={row.account.name}"
    return [algos_table("Algos at work on it", rows, timezone.now(), query=query)] if rows else []


@admin.register(Position)
class PositionScreen(PanelAdmin):
    topics = ("positions", "fills", "algos")
    empty_words = "Nothing is or was held. A position begins with its first fill."
    list_display = (
        "symbol_cell",
        "quantity_cell",
        "average_cell",
        "last_cell",
        "age_cell",
        "notional_cell",
        "share_cell",
        "unrealized_cell",
        "realized_cell",
        "account_cell",
        "updated_cell",
    )
    list_display_links = ("symbol_cell",)
    list_filter = (by_symbol(), by_account())
    list_select_related = ("account", "instrument", "instrument__quote")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Position]:
        rows = super().get_queryset(request).select_related("account", "instrument", "instrument__quote")
        return rows.annotate(limit=Value(symbol_limit(), output_field=DecimalField()))

    def pages(self) -> Sequence[Page]:
        return [("<int:position_id>/flatten/", "flatten", self.flatten_view)]

    @method_decorator(require_POST)
    def flatten_view(self, request: HttpRequest, position_id: int) -> HttpResponse:
        demand(request, FLATTEN)
        row, form = self.find_row(request, str(position_id)), FlattenForm(request.POST)
        if accept(request, form):
            payload = flatten_payload(
                row.account.name, row.instrument.symbol, quantity=form.cleaned_data["quantity"]
            )
            reason = form.cleaned_data["reason"]
            done = attempt(
                request, lambda: flatten_or_propose(payload, reason=reason, actor=actor_of(request))
            )
            if done is not None:
                messages.success(request, describe_asked(done))
        return go("position", "change", position_id)

    def describe(self, request: HttpRequest, row: Position) -> Detail:
        asset, quote = row.instrument.base_asset, row.instrument.quote_asset
        last, limit = last_price(row.instrument), symbol_limit()
        story = read_price_story(row, timezone.now())
        seen = row.instrument.quote.received_at if last is not None else None
        fees = ", ".join(f"{plain(Decimal(paid))} {name}" for name, paid in row.fees.items())
        facts = Facts(
            "",
            [
                ("Quantity", cells.exact(row.quantity, asset)),
                ("Average price", cells.average(row.average_price, quote)),
                ("Last price", cells.stack([cells.exact(last, quote), cells.age(seen)])),
                ("Notional", cells.exact(notional_now(row), quote)),
                (
                    "Unrealized PnL",
                    cells.gain(row.as_state().unrealized_pnl(last) if last is not None else None),
                ),
                ("Realized PnL, before fees", cells.gain(row.realized_pnl)),
                ("Fees", fees or cells.NOTHING),
                (
                    "Share of the symbol's limit",
                    limit_cell(share_of_limit(row, limit), notional_now(row), limit),
                ),
            ],
        )
        side: list[Facts | Ask] = []
        ticket = _ticket_link(row) if request.user.has_perm("trading.place_order") else ""
        if row.quantity and request.user.has_perm(FLATTEN):
            side.append(_ask_flatten(row, ticket))
        elif row.quantity and ticket:
            side.append(Facts("Close", [("", ticket)], note="A market order for all of it, reduce-only."))
        return Detail(
            title=f"{row.instrument.symbol} on {row.account.name}",
            sections=[
                facts,
                price_chart(row, story),
                *_algos(row),
                *_closings(row),
                fills_table(row, story.fills),
            ],
            side=side,
        )

    @display(description="symbol")
    def symbol_cell(self, row: Position) -> Any:
        return row.instrument.symbol

    @display(description="quantity")
    def quantity_cell(self, row: Position) -> Any:
        return cells.exact(row.quantity, row.instrument.base_asset)

    @display(description="average price")
    def average_cell(self, row: Position) -> Any:
        return cells.average(row.average_price)

    @display(description="last price")
    def last_cell(self, row: Position) -> Any:
        return cells.exact(last_price(row.instrument))

    @display(description="price age")
    def age_cell(self, row: Position) -> Any:
        quote = getattr(row.instrument, "quote", None)
        return cells.age(quote.received_at if quote else None)

    @display(description="notional")
    def notional_cell(self, row: Position) -> Any:
        return cells.exact(notional_now(row), row.instrument.quote_asset)

    @display(description="of its limit")
    def share_cell(self, row: Any) -> Any:
        return cells.percent(share_of_limit(row, row.limit))

    @display(description="unrealized PnL")
    def unrealized_cell(self, row: Position) -> Any:
        last = last_price(row.instrument)
        return cells.gain(row.as_state().unrealized_pnl(last) if last is not None else None)

    @display(description="realized PnL")
    def realized_cell(self, row: Position) -> Any:
        return cells.gain(row.realized_pnl)

    @display(description="account")
    def account_cell(self, row: Position) -> Any:
        return row.account.name

    @display(description="updated")
    def updated_cell(self, row: Position) -> Any:
        return cells.age(row.updated_at)
