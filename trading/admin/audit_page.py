"""The audit trail: search by who, what, which object and when; verify all of it. Copies are exports like any other.

Entries are never changed or deleted, here or anywhere. Verification reads everything and so is a POST with its own
right.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.http import require_POST
from unfold.decorators import display

from trading import audit
from trading.audit.state import read_audit_state
from trading.execution.audit_watch import describe as describe_damage
from trading.execution.audit_watch import verify_and_judge
from trading.models import AuditEntry
from trading.queries.finding import entry_by_any_word

from . import cells
from .acting import actor_of, attempt, go
from .filters import by, by_time
from .page import Detail, Facts, Page, PanelAdmin, Table, demand
from .signals import pretty

# The families of kinds; choosing one is a range on the index by kind.
FAMILIES = (
    "order",
    "algo",
    "fill",
    "halt",
    "sweep",
    "cancel",
    "limits",
    "account",
    "credential",
    "strategy",
    "token",
    "operator",
    "break",
    "alarm",
)
PAGES = {
    "order": "order",
    "algo": "algo",
    "account": "exchangeaccount",
    "strategy": "strategy",
    "limits": "limitsversion",
    "token": "apitoken",
    "break": "break",
    "signal": "signal",
    "fill": "fill",
}


def object_cell(entry: AuditEntry) -> Any:
    page = PAGES.get(entry.object_type)
    name = f"{entry.object_type} {entry.object_id[:13]}".strip()
    return cells.row_link(page, entry.object_id, name) if page and entry.object_id else name or cells.NOTHING


def summary(entry: AuditEntry) -> str:
    """The few words of the data that a person wants to see in a list."""
    data = entry.data
    names = ("status", "symbol", "side", "name", "scope", "target", "after", "reason", "account", "code")
    return " · ".join(
        str(data[name]) for name in names if data.get(name) and not isinstance(data[name], (dict, list))
    )[:140]


@admin.register(AuditEntry)
class AuditScreen(PanelAdmin):
    list_display = ("at_cell", "kind_cell", "actor", "object_cell", "summary_cell")
    list_display_links = ("kind_cell",)
    list_filter = (
        by("kind", "kind", "kind__startswith", lambda: [(f"{word}.", word) for word in FAMILIES]),
        by_time("at"),
    )
    search_fields = ("actor",)
    search_help_text = "Who (operator:anna), a kind (halt.engaged), an object's id, or a request id"
    ordering = ("-id",)
    keyset = ("-id",)
    topics = ("audit",)
    export_name = "audit"
    empty_words = "Nothing has happened yet."
    list_before_template = "panel/audit_tools.html"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        return queryset.filter(entry_by_any_word(term)), False

    def pages(self) -> Sequence[Page]:
        return [("verify/", "verify", self.verify_view)]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        shown = {
            "may_verify": request.user.has_perm("trading.verify_audit"),
            "audit_state": read_audit_state(),
        }
        return super().changelist_view(request, {**(extra_context or {}), **shown})

    def describe(self, request: HttpRequest, row: AuditEntry) -> Detail:
        facts = [
            ("At", cells.when(row.at)),
            ("Who", row.actor),
            ("Object", object_cell(row)),
            ("Request id", cells.mono(row.request_id)),
        ]
        chain = [
            ("Chain", cells.mono(row.stream)),
            ("Number in it", row.sequence),
            ("Hash", cells.mono(row.hash)),
            ("Hash before", cells.mono(row.previous_hash)),
        ]
        sections = [Facts("", facts), *_data(row.data), Facts("Chain", [*chain, ("Proof", _proof_cell(row))])]
        return Detail(title=row.kind, sections=sections)

    @method_decorator(require_POST)
    def verify_view(self, request: HttpRequest) -> HttpResponse:
        demand(request, "trading.verify_audit")
        report = attempt(request, lambda: verify_and_judge(actor=actor_of(request)))
        if report is not None and report.ok:
            messages.success(
                request,
                f"Intact: {report.entries} entries in {report.streams} chains under {report.checkpoints} signed "
                f"checkpoints; {report.anchors} anchors agree.",
            )
        elif report is not None:
            for damage in report.damages[:10]:
                said = f"{damage.kind}: {describe_damage(damage)}"
                messages.error(request, f"{said}. Stop trading and read the runbook, audit trail.")
        return go("auditentry")

    @display(description="time")
    def at_cell(self, row: AuditEntry) -> Any:
        return cells.when(row.at)

    @display(description="what")
    def kind_cell(self, row: AuditEntry) -> Any:
        return row.kind

    @display(description="object")
    def object_cell(self, row: AuditEntry) -> Any:
        return object_cell(row)

    @display(description="details")
    def summary_cell(self, row: AuditEntry) -> Any:
        return summary(row)


def _proof_cell(row: AuditEntry) -> Any:
    """Sealed entries have a proof that stands without Levi."""
    checkpoint = audit.find_seal(row)
    if checkpoint is None:
        return "no checkpoint yet: a minute at most"
    return format_html(
        '<a href="/api/v1/audit/{}/proof">under checkpoint {} of {}</a>',
        row.pk,
        checkpoint.number,
        cells.when(checkpoint.at),
    )


def _data(data: dict[str, Any]) -> list[Facts | Table]:
    """Before and after side by side where both are recorded; everything else as it is."""
    before, after = data.get("before"), data.get("after")
    if isinstance(before, dict) and isinstance(after, dict):
        names = sorted({*before, *after})
        rows = [
            [name.replace("_", " "), _word(before.get(name)), _word(after.get(name))]
            for name in names
            if before.get(name) != after.get(name)
        ]
        rest = {name: value for name, value in data.items() if name not in ("before", "after")}
        return [
            Table("What changed", ["", "Before", "After"], rows),
            *([Facts("Data", [("", pretty(rest))])] if rest else []),
        ]
    return [Facts("Data", [("", pretty(data))])] if data else []


def _word(value: Any) -> Any:
    return cells.NOTHING if value in (None, "") else str(value)
