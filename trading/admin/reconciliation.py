"""Sync runs and breaks: how often we looked at the venue, and every difference that was found."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from trading.domain.money import exact_arithmetic
from trading.models import Break, BreakKind, BreakState, SyncRun

from . import cells
from .filters import by, by_account, by_time, words
from .page import Detail, Facts, PanelAdmin
from .signals import pretty


def run_state(row: SyncRun) -> Any:
    if row.finished_at is None:
        return cells.badge("running")
    return cells.badge("complete") if row.is_complete else cells.badge("incomplete", "bad")


def run_seconds(row: SyncRun) -> float | None:
    return (row.finished_at - row.started_at).total_seconds() if row.finished_at else None


@admin.register(SyncRun)
class SyncRunScreen(PanelAdmin):
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


@admin.register(Break)
class BreakScreen(PanelAdmin):
    list_display = (
        "since_cell",
        "state_cell",
        "kind",
        "subject",
        "ours_cell",
        "theirs_cell",
        "difference_cell",
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
                ("First seen", cells.when(row.since)),
                ("Last seen", cells.when(row.last_seen_at)),
                ("Seen", f"{row.seen_count} times"),
                ("Resolved", cells.when(row.resolved_at)),
                ("Owner", row.owner or cells.NOTHING),
                ("Account", cells.row_link("exchangeaccount", row.account_id, row.account.name)),
            ],
            note="Stays open until a complete sync no longer sees the difference. Nothing is repaired silently.",
        )
        detail = [Facts("Details", [("", pretty(row.detail))])] if row.detail else []
        return Detail(title=f"{row.kind} {row.subject}", badges=[state_badge(row)], sections=[facts, *detail])

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

    @display(description="account")
    def account_cell(self, row: Break) -> Any:
        return row.account.name

    @display(description="last seen")
    def seen_cell(self, row: Break) -> Any:
        return cells.age(row.last_seen_at)
