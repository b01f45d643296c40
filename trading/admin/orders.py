"""Orders: the list, and the address of everything that can be done with one.

The list finds an order by any of its ids through an index; it never scans. Orders are not edited: the only thing an
operator can do to one is to ask for its cancel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST
from unfold.decorators import display

from trading.domain.enums import OrderOrigin, OrderStatus, QuarantineVerdict, Side
from trading.domain.order_states import TERMINAL
from trading.execution.cancellation import request_cancel
from trading.execution.resolution import resolve_quarantined
from trading.models import Order
from trading.queries.finding import order_by_any_id

from . import cells
from .acting import accept, actor_of, attempt, go
from .filters import AlgoFilter, by, by_account, by_strategy, by_symbol, by_time, words
from .forms import ResolveForm
from .lists import ListPick
from .order_page import describe_order, parent_of
from .page import Detail, Page, PanelAdmin, demand
from .ticket import TicketPages


@admin.register(Order)
class OrderScreen(TicketPages, PanelAdmin):
    list_display = (
        "created_cell",
        "symbol_cell",
        "side_cell",
        "type_cell",
        "quantity_cell",
        "price_cell",
        "filled_cell",
        "status_cell",
        "account_cell",
        "id_cell",
    )
    list_display_links = ("symbol_cell",)
    list_select_related = ("account", "instrument", "strategy", "algo_child__algo__instrument")
    list_filter = (
        by("status", "status", "status", words(OrderStatus)),
        by("side", "side", "side", words(Side)),
        by_symbol(),
        by_account(),
        by_strategy(),
        by("origin", "origin", "origin", words(OrderOrigin)),
        by_time("created_at"),
        AlgoFilter,
    )
    search_fields = ("client_order_id",)
    search_help_text = "An order id, client order id, the venue's order id, a signal id or idempotency key"
    ordering = ("-created_at", "-id")
    keyset = ("-created_at", "-id")
    topics = ("orders", "fills")
    export_name = "orders"
    empty_words = "No order yet. A signal over the API makes one, or the ticket under “New order”."
    detail_template = "panel/order.html"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        return (queryset.filter(order_by_any_id(term)) if term else queryset), False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        """With an algo's child comes its place: a page tells where an order is from."""
        related = ("account", "instrument", "strategy", "signal", "algo_child__algo__instrument")
        return super().get_queryset(request).select_related(*related)

    def pages(self) -> Sequence[Page]:
        return [
            *super().pages(),
            ("cancel-selected/", "cancel_selected", self.cancel_selected_view),
            ("<uuid:order_id>/cancel/", "cancel", self.cancel_view),
            ("<uuid:order_id>/resolve/", "resolve", self.resolve_view),
        ]

    def describe(self, request: HttpRequest, row: Order) -> Detail:
        return describe_order(request, row)

    @method_decorator(require_POST)
    def cancel_view(self, request: HttpRequest, order_id: UUID) -> HttpResponse:
        demand(request, "trading.cancel_order")
        if not Order.objects.filter(pk=order_id).exists():
            raise Http404(f"There is no order {order_id}.")
        order = attempt(request, lambda: request_cancel(order_id, actor=actor_of(request)))
        if order is not None and order.status in TERMINAL:
            messages.success(request, "The order was never sent; it has lapsed and will not be.")
        elif order is not None:
            messages.success(
                request, "Cancel requested. The order keeps its status until the venue shows its end."
            )
        return go("order", "change", order_id)

    def list_pick(self, request: HttpRequest) -> ListPick | None:
        if not request.user.has_perm("trading.cancel_order"):
            return None
        return ListPick(
            cells.page_url("order", "cancel_selected"), "Cancel the chosen orders", _name_to_cancel
        )

    @method_decorator(require_POST)
    def cancel_selected_view(self, request: HttpRequest) -> HttpResponse:
        """Each order by itself: what cannot be canceled any more keeps none of the others."""
        demand(request, "trading.cancel_order")
        chosen = request.POST.getlist("chosen")[: self.list_per_page]
        requested = sum(self._cancel_chosen(request, key) for key in dict.fromkeys(chosen))
        if not chosen:
            messages.error(request, "Choose an order first: nothing was canceled.")
        elif requested:
            words = "1 order" if requested == 1 else f"{requested} orders"
            messages.success(
                request, f"Cancel requested for {words}. Each keeps its status until the venue shows its end."
            )
        query = QueryDict(request.POST.get("query", "")[:2000]).urlencode()
        return HttpResponseRedirect(cells.page_url("order", "changelist") + (f"?{query}" if query else ""))

    def _cancel_chosen(self, request: HttpRequest, key: str) -> bool:
        try:
            order_id = UUID(key)
        except ValueError:
            messages.error(request, f"“{key[:40]}” is no order's id.")
            return False
        return attempt(request, lambda: request_cancel(order_id, actor=actor_of(request))) is not None

    @method_decorator(require_POST)
    def resolve_view(self, request: HttpRequest, order_id: UUID) -> HttpResponse:
        demand(request, "trading.resolve_order")
        if not Order.objects.filter(pk=order_id).exists():
            raise Http404(f"There is no order {order_id}.")
        form = ResolveForm(request.POST)
        if accept(request, form):
            given = form.cleaned_data
            order = attempt(
                request,
                lambda: resolve_quarantined(
                    order_id,
                    QuarantineVerdict(given["verdict"]),
                    reason=given["reason"],
                    exchange_order_id=given["exchange_order_id"],
                    actor=actor_of(request),
                ),
            )
            if order is not None:
                messages.success(request, f"Resolved: the order is {order.status.replace('_', ' ')}.")
        return go("order", "change", order_id)

    @display(description="created")
    def created_cell(self, row: Order) -> Any:
        return cells.when(row.created_at)

    @display(description="symbol")
    def symbol_cell(self, row: Order) -> Any:
        return row.instrument.symbol

    @display(description="side")
    def side_cell(self, row: Order) -> Any:
        return cells.badge(row.side)

    @display(description="type")
    def type_cell(self, row: Order) -> Any:
        extra = [row.time_in_force] if row.time_in_force != "GTC" else []
        extra += ["reduce-only"] if row.reduce_only else []
        return " · ".join([row.order_type, *extra])

    @display(description="quantity")
    def quantity_cell(self, row: Order) -> Any:
        if row.quantity is None:
            return cells.exact(row.quote_quantity, row.instrument.quote_asset)
        return cells.exact(row.quantity)

    @display(description="price")
    def price_cell(self, row: Order) -> Any:
        return cells.exact(row.price) if row.price is not None else cells.muted("market")

    @display(description="filled")
    def filled_cell(self, row: Order) -> Any:
        return cells.exact(row.filled_quantity) if row.filled_quantity else cells.NOTHING

    @display(description="status")
    def status_cell(self, row: Order) -> Any:
        return status_of(row)

    @display(description="account, strategy")
    def account_cell(self, row: Order) -> Any:
        strategy = [row.strategy.name] if row.strategy else []
        parts = [row.account.name, *strategy, *parent_of(row)]
        return cells.stack(parts) if len(parts) > 1 else row.account.name

    @display(description="client id")
    def id_cell(self, row: Order) -> Any:
        return cells.mono(f"…{row.client_order_id[-8:]}")


def status_of(row: Order) -> Any:
    """The status; beside it the cancel's own state while one is under way."""
    if row.cancel_state == "none" or row.status in TERMINAL:
        return cells.badge(row.status)
    return cells.stack([cells.badge(row.status), f"cancel {row.cancel_state.replace('_', ' ')}"])


def _name_to_cancel(row: Order) -> str:
    return "" if row.status in TERMINAL else f"{row.side} {row.instrument.symbol} …{row.client_order_id[-8:]}"
