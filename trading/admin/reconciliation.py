"""Sync runs and breaks: how often we looked at the venue, and every difference that was found.

Acknowledging and adjusting are POSTs with a right each; the verbs are in `execution`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST, require_safe
from unfold.decorators import display

from trading.domain.enums import ApprovalKind
from trading.domain.money import exact_arithmetic, plain
from trading.execution.adjustments import adjustment_payload, describe_adjustment, parse_numbers
from trading.execution.approvals import act_or_propose
from trading.execution.breaks import acknowledge_break, get_break
from trading.models import ApprovalRequest, Break, BreakKind, BreakState, SyncRun

from . import cells
from .acting import accept, actor_of, attempt, go
from .filters import by, by_account, by_time, words
from .forms import ReasonForm
from .page import Ask, Detail, Facts, Page, PanelAdmin, Table, demand
from .reconciliation_page import describe_reconciliation

ACKNOWLEDGE, ADJUST = "trading.acknowledge_break", "trading.adjust_break"


def run_state(row: SyncRun) -> Any:
    if row.finished_at is None:
        return cells.badge("running")
    return cells.badge("complete") if row.is_complete else cells.badge("incomplete", "bad")


def run_seconds(row: SyncRun) -> float | None:
    return (row.finished_at - row.started_at).total_seconds() if row.finished_at else None


@admin.register(SyncRun)
class SyncRunScreen(PanelAdmin):
    empty_words = (
        "No sync yet. The background process syncs every account; an account's page can ask for one now."
    )
    list_display = (
        "started_cell",
        "account_cell",
        "state_cell",
        "took_cell",
        "fills_booked",
        "orders_updated",
        "breaks_open",
        "trigger",
        "error_cell",
    )
    list_display_links = ("started_cell",)
    list_select_related = ("account",)
    list_filter = (by_account(), by_time("started_at"))
    ordering = ("-started_at", "-id")

    def describe(self, request: HttpRequest, row: SyncRun) -> Detail:
        facts = [
            ("Started", cells.when(row.started_at)),
            ("Finished", cells.when(row.finished_at)),
            ("Took", cells.duration(run_seconds(row))),
            ("Trigger", row.trigger),
            ("Fills booked", row.fills_booked),
            ("Orders woken", row.orders_updated),
            ("Breaks open after it", row.breaks_open),
            ("Balances", row.balances or cells.NOTHING),
            ("Error", row.error or cells.NOTHING),
        ]
        return Detail(
            title=f"Sync of {row.account.name}", badges=[run_state(row)], sections=[Facts("", facts)]
        )

    @display(description="started")
    def started_cell(self, row: SyncRun) -> Any:
        return cells.when(row.started_at)

    @display(description="account")
    def account_cell(self, row: SyncRun) -> Any:
        return row.account.name

    @display(description="result")
    def state_cell(self, row: SyncRun) -> Any:
        return run_state(row)

    @display(description="took")
    def took_cell(self, row: SyncRun) -> Any:
        return cells.duration(run_seconds(row))

    @display(description="error")
    def error_cell(self, row: SyncRun) -> Any:
        return cells.text_or_nothing(row.error[:80])


def state_badge(row: Break) -> Any:
    """An open break is bad news, unlike an open order."""
    return cells.badge(row.state, "bad" if row.state == BreakState.OPEN else "")


def _resolved(row: Break) -> Any:
    if row.resolved_at is None:
        return cells.NOTHING
    return cells.stack([cells.when(row.resolved_at), row.resolution])


class AdjustForm(ReasonForm):
    """With the numbers that were shown: others are refused."""

    ours = forms.CharField(required=False, widget=forms.HiddenInput)
    theirs = forms.CharField(required=False, widget=forms.HiddenInput)


_ADJUSTS = {
    BreakKind.BALANCE: "Books the difference as an adjustment: our sum becomes the venue's number.",
    BreakKind.POSITION: "Makes the stored position the sum of its fills again.",
    BreakKind.ORDER: "Ends the order in our books if the venue does not have it; else accepts the difference.",
    BreakKind.FILL: "Accepts the difference as it is. No number moves.",
}


def _adjust(request: HttpRequest, break_id: UUID, said: dict[str, Any]) -> Any:
    row = get_break(break_id)
    parse_numbers(row, said["ours"] or None, said["theirs"] or None)
    return act_or_propose(
        ApprovalKind.ADJUSTMENT,
        adjustment_payload(row),
        subject=describe_adjustment(row),
        reason=said["reason"],
        actor=actor_of(request),
    )


@admin.register(Break)
class BreakScreen(PanelAdmin):
    topics = ("breaks",)
    empty_words = "The books and the venues agree: no difference was ever found."
    list_display = (
        "since_cell",
        "state_cell",
        "kind",
        "subject",
        "ours_cell",
        "theirs_cell",
        "difference_cell",
        "value_cell",
        "owner_cell",
        "account_cell",
        "seen_cell",
    )
    list_display_links = ("subject",)
    list_select_related = ("account",)
    list_filter = (
        by("state", "state", "state", words(BreakState)),
        by("kind", "kind", "kind", words(BreakKind)),
        by_account(),
        by_time("since"),
    )
    ordering = ("-since", "-id")

    def describe(self, request: HttpRequest, row: Break) -> Detail:
        facts = Facts(
            "",
            [
                ("Ours", cells.exact(row.ours)),
                ("The venue's", cells.exact(row.theirs)),
                ("Difference", self.difference_cell(row)),
                ("Worth", self.value_cell(row)),
                ("Tolerance", "beyond it" if row.is_beyond else "within it"),
                ("First seen", cells.when(row.since)),
                ("Last seen", cells.when(row.last_seen_at)),
                ("Seen", "once" if row.seen_count == 1 else f"{row.seen_count} times"),
                ("Resolved", _resolved(row)),
                ("Owner", row.owner or cells.NOTHING),
                ("Their words", row.reason or cells.NOTHING),
                ("Account", cells.row_link("exchangeaccount", row.account_id, row.account.name)),
            ],
            note="Open until a complete sync no longer sees it, or a person closes it. Nothing is repaired silently.",
        )
        told = [(name.replace("_", " ").capitalize(), f"{value}") for name, value in row.detail.items()]
        detail = [Facts("Details", told)] if told else []
        return Detail(
            title=f"{BreakKind(row.kind).label} {row.subject}",
            badges=[state_badge(row)],
            sections=[facts, *detail],
            side=self._asks(request, row),
        )

    def _asks(self, request: HttpRequest, row: Break) -> list[Facts | Table | Ask]:
        if row.state == BreakState.RESOLVED:
            return []
        asks: list[Facts | Table | Ask] = []
        if request.user.has_perm(ACKNOWLEDGE):
            why = "You own this difference from now on. It restricts its scope again only if it grows."
            url = cells.page_url("break", "acknowledge", row.pk)
            asks.append(Ask("Acknowledge", url, "I look after it", ReasonForm(), why))
        if request.user.has_perm(ADJUST):
            url = cells.page_url("break", "adjust", row.pk)
            form = AdjustForm(initial={"ours": plain(row.ours), "theirs": plain(row.theirs)})
            asks.append(Ask("Adjust", url, "Close it", form, _ADJUSTS[BreakKind(row.kind)], "danger"))
        return asks

    def pages(self) -> Sequence[Page]:
        return [
            ("overview/", "overview", self.overview),
            ("<uuid:break_id>/acknowledge/", "acknowledge", self.acknowledge_view),
            ("<uuid:break_id>/adjust/", "adjust", self.adjust_view),
        ]

    @method_decorator(require_safe)
    def overview(self, request: HttpRequest) -> HttpResponse:
        demand(request, "trading.view_break")
        return self.show(request, self.detail_template, describe_reconciliation(request))

    @method_decorator(require_POST)
    def acknowledge_view(self, request: HttpRequest, break_id: UUID) -> HttpResponse:
        demand(request, ACKNOWLEDGE)
        form = ReasonForm(request.POST)
        if accept(request, form):
            reason = form.cleaned_data["reason"]
            if attempt(request, lambda: acknowledge_break(break_id, reason=reason, actor=actor_of(request))):
                messages.success(request, "You look after this break.")
        return go("break", "change", break_id)

    @method_decorator(require_POST)
    def adjust_view(self, request: HttpRequest, break_id: UUID) -> HttpResponse:
        demand(request, ADJUST)
        form = AdjustForm(request.POST)
        if accept(request, form):
            done = attempt(request, lambda: _adjust(request, break_id, form.cleaned_data))
            if isinstance(done, ApprovalRequest):
                messages.success(request, "Asked for: another person has to approve it within ten minutes.")
            elif done is not None:
                messages.success(request, f"Closed: {done.resolution}.")
        return go("break", "change", break_id)

    @display(description="since")
    def since_cell(self, row: Break) -> Any:
        return cells.when(row.since)

    @display(description="state")
    def state_cell(self, row: Break) -> Any:
        return state_badge(row)

    @display(description="ours")
    def ours_cell(self, row: Break) -> Any:
        return cells.exact(row.ours)

    @display(description="the venue's")
    def theirs_cell(self, row: Break) -> Any:
        return cells.exact(row.theirs)

    @display(description="difference")
    def difference_cell(self, row: Break) -> Any:
        if row.ours is None or row.theirs is None:
            return cells.NOTHING
        with exact_arithmetic():
            return cells.exact(row.theirs - row.ours)

    @display(description="worth")
    def value_cell(self, row: Break) -> Any:
        return cells.dollars(row.value)

    @display(description="owner")
    def owner_cell(self, row: Break) -> Any:
        return cells.text_or_nothing(row.owner)

    @display(description="account")
    def account_cell(self, row: Break) -> Any:
        return row.account.name

    @display(description="last seen")
    def seen_cell(self, row: Break) -> Any:
        return cells.age(row.last_seen_at)
