"""Algos: the list of parents, and the address of everything that can be done with one.

A child is an ordinary order with a page of its own. How far each parent is comes by one query for the whole page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST
from unfold.decorators import display

from trading.domain.algo_states import LIVING
from trading.domain.enums import AlgoKind, AlgoState, Side
from trading.execution.algos import cancel_algo, pause_algo, resume_algo
from trading.models import Algo
from trading.queries.algos import read_progress
from trading.queries.finding import algo_by_id

from . import cells
from .acting import actor_of, attempt, go
from .algo_cells import kind_word, progress_cell, slippage_cell, state_badge
from .algo_page import describe_algo
from .algo_ticket import AlgoTicketPages
from .algo_words import START, STOP
from .filters import by, by_account, by_strategy, by_symbol, by_time, words
from .kill_words import MAX_REASON
from .lists import KeysetChangeList
from .page import Detail, Page, PanelAdmin, demand


class AlgoChangeList(KeysetChangeList):
    """Each row comes with its progress."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        found = read_progress(self.result_list, timezone.now())
        for row in self.result_list:
            row.progress = found[row.pk]


class StateFilter(by("state", "state", "state", words(AlgoState))):  # type: ignore[misc]
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("living", "living"), *super().lookups(request, model_admin)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "living":
            return queryset.filter(state__in=sorted(LIVING))
        narrowed: QuerySet[Any] = super().queryset(request, queryset)
        return narrowed


@admin.register(Algo)
class AlgoScreen(AlgoTicketPages, PanelAdmin):
    list_display = (
        "since_cell",
        "kind_cell",
        "symbol_cell",
        "side_cell",
        "state_cell",
        "far_cell",
        "average_cell",
        "slippage_cell",
        "account_cell",
    )
    list_display_links = ("kind_cell",)
    list_select_related = ("account", "instrument", "strategy")
    list_filter = (
        StateFilter,
        by("kind", "kind", "kind", words(AlgoKind)),
        by("side", "side", "side", words(Side)),
        by_symbol(),
        by_account(),
        by_strategy(),
        by_time("created_at"),
    )
    search_fields = ("id",)
    search_help_text = "The id of an algo, or of an order that it made"
    ordering = ("-created_at", "-id")
    keyset = ("-created_at", "-id")
    topics = ("algos", "orders", "fills")
    empty_words = (
        "No algo yet. One splits a quantity that is too large for one order: evenly over time (TWAP), as the market "
        "trades (VWAP), or a little at a time in the book (iceberg). “New algo” shows its plan before anything is sent."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Algo]:
        return super().get_queryset(request).select_related("account", "instrument", "strategy")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return AlgoChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        return (queryset.filter(algo_by_id(term)) if term else queryset), False

    def list_buttons(self, request: HttpRequest) -> Sequence[Any]:
        may_start = request.user.has_perm(START)
        return [{"title": "New algo", "url": cells.page_url("algo", "ticket")}] if may_start else ()

    def pages(self) -> Sequence[Page]:
        return [
            *super().pages(),
            ("<uuid:algo_id>/pause/", "pause", self.pause_view),
            ("<uuid:algo_id>/resume/", "resume", self.resume_view),
            ("<uuid:algo_id>/cancel/", "cancel", self.cancel_view),
        ]

    def describe(self, request: HttpRequest, row: Algo) -> Detail:
        return describe_algo(request, row)

    @method_decorator(require_POST)
    def pause_view(self, request: HttpRequest, algo_id: UUID) -> HttpResponse:
        said = "Paused: no new child is made, and what it has in the book is being taken out."
        return self._steer(request, algo_id, STOP, pause_algo, said)

    @method_decorator(require_POST)
    def resume_view(self, request: HttpRequest, algo_id: UUID) -> HttpResponse:
        return self._steer(request, algo_id, START, resume_algo, "Resumed: it goes on where it stopped.")

    @method_decorator(require_POST)
    def cancel_view(self, request: HttpRequest, algo_id: UUID) -> HttpResponse:
        said = "Canceled: no new child is made. It ends when the venue has ended what is alive."
        return self._steer(request, algo_id, STOP, cancel_algo, said)

    def _steer(
        self, request: HttpRequest, algo_id: UUID, right: str, verb: Callable[..., Algo], said: str
    ) -> HttpResponse:
        demand(request, right)
        if not Algo.objects.filter(pk=algo_id).exists():
            raise Http404(f"There is no algo {algo_id}.")
        reason = request.POST.get("reason", "").strip()[:MAX_REASON]
        if attempt(request, lambda: verb(algo_id, reason=reason, actor=actor_of(request))) is not None:
            messages.success(request, said)
        return go("algo", "change", algo_id)

    @display(description="since")
    def since_cell(self, row: Algo) -> Any:
        return cells.age(row.created_at)

    @display(description="kind")
    def kind_cell(self, row: Algo) -> Any:
        return kind_word(row)

    @display(description="symbol")
    def symbol_cell(self, row: Algo) -> Any:
        return row.instrument.symbol

    @display(description="side")
    def side_cell(self, row: Algo) -> Any:
        return cells.badge(row.side)

    @display(description="state")
    def state_cell(self, row: Algo) -> Any:
        return state_badge(row)

    @display(description="how far")
    def far_cell(self, row: Any) -> Any:
        return progress_cell(row, row.progress)

    @display(description="average price")
    def average_cell(self, row: Any) -> Any:
        return cells.average(row.progress.average_price)

    @display(description="slippage")
    def slippage_cell(self, row: Any) -> Any:
        return slippage_cell(row.progress.slippage_bps)

    @display(description="account, strategy, by")
    def account_cell(self, row: Algo) -> Any:
        strategy = [row.strategy.name] if row.strategy else []
        return cells.stack([row.account.name, *strategy, row.actor])
