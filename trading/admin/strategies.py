"""Strategies: the names signals come in under. Created and switched here; never deleted, because orders name them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST
from unfold.decorators import display

from trading.domain.errors import LeviError
from trading.execution.accounts import create_strategy, set_strategy_enabled
from trading.models import Algo, Order, Strategy

from . import cells
from .acting import actor_of, attempt, go, pass_on
from .algo_tables import algos_table, newest_of
from .forms import PanelForm
from .page import Ask, Detail, Facts, Page, PanelAdmin, Table, demand

MANAGE = "trading.change_strategy"


class StrategyForm(PanelForm):
    name = forms.CharField(
        max_length=40, help_text="Lower-case letters, digits, _ or -. It cannot be changed later."
    )
    description = forms.CharField(max_length=300, required=False)


@admin.register(Strategy)
class StrategyScreen(PanelAdmin):
    empty_words = (
        "No strategy yet. In paper mode the first signal of a new one registers it; elsewhere add it here."
    )
    list_display = ("name", "enabled_cell", "description", "created_cell")
    list_display_links = ("name",)
    search_fields = ("^name",)
    search_help_text = "A name, or how it begins"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("trading.add_strategy")

    def pages(self) -> Sequence[Page]:
        return [("add/", "add", self.create_view), ("<uuid:strategy_id>/switch/", "switch", self.switch_view)]

    def describe(self, request: HttpRequest, row: Strategy) -> Detail:
        orders = Order.objects.filter(strategy=row).select_related("instrument").order_by("-created_at")[:20]
        rows = [
            [
                cells.when(order.created_at),
                cells.row_link("order", order.pk, order.instrument.symbol),
                cells.badge(order.side),
                cells.exact(order.quantity),
                cells.badge(order.status),
            ]
            for order in orders
        ]
        url = f"{cells.page_url('order', 'changelist')}?strategy={row.name}"
        table = Table(
            "Its last orders",
            ["Time", "Symbol", "Side", "#Quantity", "Status"],
            rows,
            empty="No order yet.",
            more_url=url,
        )
        facts = Facts(
            "", [("Description", row.description or cells.NOTHING), ("Created", cells.when(row.created_at))]
        )
        return Detail(
            title=row.name,
            badges=[self.enabled_cell(row)],
            sections=[facts, *_algos(row), table],
            side=[_switch(row)] if request.user.has_perm(MANAGE) else [],
        )

    def create_view(self, request: HttpRequest) -> HttpResponse:
        demand(request, "trading.add_strategy")
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        form = StrategyForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                row = create_strategy(
                    form.cleaned_data["name"], form.cleaned_data["description"], actor=actor_of(request)
                )
            except LeviError as error:
                pass_on(error)
                form.add_error("name", str(error))
            else:
                messages.success(request, f"Strategy {row.name} is created.")
                return go("strategy", "change", row.pk)
        page = Detail(
            title="New strategy",
            lead="Its signals name it; its orders are accounted for under it, and it can be halted alone.",
        )
        status = 400 if request.method == "POST" else 200
        return self.show(
            request, "panel/form_page.html", page, status=status, form=form, button="Create the strategy"
        )

    @method_decorator(require_POST)
    def switch_view(self, request: HttpRequest, strategy_id: UUID) -> HttpResponse:
        demand(request, MANAGE)
        row = Strategy.objects.filter(pk=strategy_id).first()
        if row is None:
            raise Http404(f"There is no strategy {strategy_id}.")
        enabled = not row.is_enabled
        if attempt(request, lambda: set_strategy_enabled(row, enabled, actor=actor_of(request))):
            messages.success(request, f"{row.name} is {'enabled' if enabled else 'disabled'}.")
        return go("strategy", "change", strategy_id)

    @display(description="state")
    def enabled_cell(self, row: Strategy) -> Any:
        return cells.badge("enabled" if row.is_enabled else "disabled")

    @display(description="created")
    def created_cell(self, row: Strategy) -> Any:
        return cells.when(row.created_at)


def _algos(row: Strategy) -> list[Table]:
    rows = newest_of(Algo.objects.filter(strategy=row))
    query = f"?strategy={row.name}"
    return [algos_table("Its last algos", rows, timezone.now(), query=query)] if rows else []


def _switch(row: Strategy) -> Ask:
    word, tone = ("Disable", "quiet-bad") if row.is_enabled else ("Enable", "good")
    why = "Signals of a disabled strategy are denied. Its open orders stay."
    return Ask(f"{word} the strategy", cells.page_url("strategy", "switch", row.pk), word, None, why, tone)
