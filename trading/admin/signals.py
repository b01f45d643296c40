"""Signals: what came in, from whom, and the answer that was given and is given again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.http import require_POST
from unfold.decorators import display

from trading.execution.intake import preview
from trading.models import Order, Signal
from trading.queries.finding import signal_by_any_id

from . import cells
from .acting import actor_of, attempt, go
from .filters import by_strategy, by_time
from .order_page import check_rows
from .page import Ask, Detail, Facts, Page, PanelAdmin, Table, demand

CHECK_HEADERS = ("Check", "Verdict", "#Observed", "#Limit", "Note")
# What belongs to the moment a signal was sent, not to what it asked for.
_OF_THE_MOMENT = ("sent_at", "source_id", "last_price")


def _ask_again(row: Signal) -> Ask:
    return Ask(
        title="Ask again",
        url=cells.page_url("signal", "replay", row.pk),
        button="What would be decided now?",
        why="A dry run of every check. Nothing is written or sent.",
    )


def pretty(data: Any) -> Any:
    text = json.dumps(data, indent=2, ensure_ascii=False, sort_keys=True)
    return format_html('<pre class="lv-code">{}</pre>', text)


@admin.register(Signal)
class SignalScreen(PanelAdmin):
    list_display = (
        "received_cell",
        "symbol_cell",
        "side_cell",
        "quantity_cell",
        "decision_cell",
        "source_cell",
        "key_cell",
    )
    list_display_links = ("symbol_cell",)
    list_select_related = ("strategy",)
    list_filter = (by_strategy(), by_time("received_at"))
    search_fields = ("key",)
    search_help_text = "A signal id or an idempotency key"
    ordering = ("-received_at", "-id")
    keyset = ("-received_at", "-id")
    topics = ("orders",)
    empty_words = (
        "No signal yet. Programs post them to /api/v1/signals with a token; the control room shows how."
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        return queryset.filter(signal_by_any_id(term)), False

    def pages(self) -> Sequence[Page]:
        return [("<uuid:signal_id>/replay/", "replay", self.replay_view)]

    @method_decorator(require_POST)
    def replay_view(self, request: HttpRequest, signal_id: UUID) -> HttpResponse:
        """What every rule would say now. A dry run: writes no order, no signal and no audit entry."""
        demand(request, "trading.place_order")
        row = self.find_row(request, str(signal_id))
        body = {name: value for name, value in row.body.items() if name not in _OF_THE_MOMENT}
        answer = attempt(request, lambda: preview(body, actor=actor_of(request)))
        if answer is None:
            return go("signal", "change", row.pk)
        word = "would be sent" if answer["decision"] == "approved" else "would be denied"
        table = Table("What every rule says now", CHECK_HEADERS, check_rows(answer["checks"]))
        lead = "A dry run of the same request under today's limits, prices and halts. Nothing was written."
        badges = [cells.badge(word, _tone(answer))]
        page = Detail(title="Signal, asked again", badges=badges, lead=lead, sections=[table])
        return self.show(request, self.detail_template, page)

    def describe(self, request: HttpRequest, row: Signal) -> Detail:
        order, answer = Order.objects.filter(signal=row).first(), row.answer or {}
        facts = Facts(
            "",
            [
                ("Received", cells.when(row.received_at)),
                ("Source", row.source),
                ("Idempotency key", cells.mono(row.key)),
                ("Strategy", row.strategy or cells.NOTHING),
                (
                    "Order",
                    cells.row_link("order", order.pk, cells.mono(order.client_order_id))
                    if order
                    else cells.NOTHING,
                ),
                ("Order status", cells.badge(order.status) if order else cells.NOTHING),
                ("Signal id", cells.mono(row.pk)),
                ("Request id", cells.mono(row.request_id)),
            ],
        )
        checks = Table(
            "What the answer said",
            CHECK_HEADERS,
            check_rows(answer.get("checks", [])),
            empty="No check was made." if answer else "No answer yet: it is not decided.",
        )
        body = Facts("What came in", [("", pretty(row.body))])
        return Detail(
            title=f"Signal {row.body.get('side', '')} {row.body.get('symbol', '')}",
            badges=[cells.badge(str(answer.get("decision", "no answer yet")), _tone(answer))],
            sections=[facts, body, checks],
            side=[_ask_again(row)] if request.user.has_perm("trading.place_order") else [],
        )

    @display(description="received")
    def received_cell(self, row: Signal) -> Any:
        return cells.when(row.received_at)

    @display(description="symbol")
    def symbol_cell(self, row: Signal) -> Any:
        return str(row.body.get("symbol", "—"))

    @display(description="side")
    def side_cell(self, row: Signal) -> Any:
        return cells.badge(str(row.body.get("side", "")).upper())

    @display(description="quantity")
    def quantity_cell(self, row: Signal) -> Any:
        given = row.body.get("quantity") or row.body.get("quote_quantity")
        return format_html('<span class="lv-num">{}</span>', given) if given else cells.NOTHING

    @display(description="decision")
    def decision_cell(self, row: Signal) -> Any:
        answer = row.answer or {}
        codes = ", ".join(answer.get("codes", [])).replace("_", " ")
        word = cells.badge(str(answer.get("decision", "no answer yet")), _tone(answer))
        return cells.stack([word, codes]) if codes else word

    @display(description="key")
    def key_cell(self, row: Signal) -> Any:
        return cells.mono(row.key[:36])

    @display(description="source, strategy")
    def source_cell(self, row: Signal) -> Any:
        return cells.stack([row.source, row.strategy.name]) if row.strategy else row.source


def _tone(answer: dict[str, Any]) -> str:
    return {"approved": "good", "denied": "bad"}.get(str(answer.get("decision")), "calm")
