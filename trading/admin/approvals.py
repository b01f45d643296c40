"""Approvals: what one operator wants to do and another must agree to. Pending first; refusing takes a reason."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.http import require_POST
from unfold.decorators import display

from trading.domain.enums import ApprovalKind, ApprovalState
from trading.execution.approvals import approve, refuse
from trading.execution.authority import needs_second_person
from trading.models import ApprovalRequest
from trading.queries.approvals import waiting_requests

from . import cells
from .acting import accept, actor_of, attempt, go
from .filters import by
from .forms import ReasonForm
from .page import Ask, Detail, Facts, Page, PanelAdmin, Table, demand

RIGHT = "trading.decide_approval"
_TONES = {
    ApprovalState.PENDING: "warn",
    ApprovalState.APPROVED: "good",
    ApprovalState.REFUSED: "bad",
    ApprovalState.EXPIRED: "calm",
    ApprovalState.VOID: "calm",
}


def state_of(row: ApprovalRequest) -> ApprovalState:
    """As it is now: a pending one whose time is over has expired, whether or not somebody noticed."""
    if row.state == ApprovalState.PENDING and row.expires_at <= timezone.now():
        return ApprovalState.EXPIRED
    return ApprovalState(row.state)


def state_badge(row: ApprovalRequest) -> Any:
    state = state_of(row)
    return cells.badge(state.value, _TONES[state])


@admin.register(ApprovalRequest)
class ApprovalScreen(PanelAdmin):
    empty_words = (
        "Nothing was ever asked of a second person. Releases, limits and the like ask in production mode."
    )
    list_display = (
        "subject_cell",
        "state_cell",
        "kind",
        "requested_by",
        "asked_cell",
        "valid_cell",
        "decided_by",
    )
    list_display_links = ("subject_cell",)
    list_filter = (
        by("state", "state", "state", lambda: [(state.value, state.value) for state in ApprovalState]),
        by("kind", "kind", "kind", lambda: [(kind.value, kind.value) for kind in ApprovalKind]),
    )
    ordering = ("-requested_at", "-id")

    list_before_template = "panel/approvals_waiting.html"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        rows = [
            [
                cells.row_link("approvalrequest", row.pk, row.subject),
                row.requested_by,
                row.reason,
                cells.when(row.expires_at),
            ]
            for row in waiting_requests()
        ]
        table = Table(
            "Waiting for a second person",
            ["What will happen", "Asked by", "Why", "Valid until"],
            rows,
            empty="Nothing waits."
            if self._is_needed()
            else "Nothing waits. A second person is needed in production.",
        )
        return super().changelist_view(request, {**(extra_context or {}), "section": table})

    def _is_needed(self) -> bool:
        return needs_second_person(ApprovalKind.RELEASE)

    def pages(self) -> Sequence[Page]:
        return [
            ("<uuid:approval_id>/approve/", "approve", self.approve_view),
            ("<uuid:approval_id>/refuse/", "refuse", self.refuse_view),
        ]

    def describe(self, request: HttpRequest, row: ApprovalRequest) -> Detail:
        state = state_of(row)
        facts = [
            ("What will happen", row.subject),
            ("Why", row.reason),
            ("Asked by", row.requested_by),
            ("Asked", cells.when(row.requested_at)),
            ("Valid until", cells.when(row.expires_at)),
            ("Epoch at asking", str(row.epoch)),
            ("Decided by", row.decided_by or cells.NOTHING),
            ("Decided", cells.when(row.decided_at)),
            ("Answer", row.answer or cells.NOTHING),
            ("Done", cells.when(row.used_at)),
        ]
        exactly = Facts(
            "Exactly this",
            [(name, _shown(value)) for name, value in row.payload.items()],
            note=format_html("SHA-256 of it: {}", cells.mono(row.payload_hash)),
        )
        may = state is ApprovalState.PENDING and request.user.has_perm(RIGHT)
        return Detail(
            title=row.subject,
            badges=[state_badge(row)],
            sections=[Facts("", facts), exactly],
            side=_asks(row, request) if may else [],
        )

    @method_decorator(require_POST)
    def approve_view(self, request: HttpRequest, approval_id: UUID) -> HttpResponse:
        demand(request, RIGHT)
        row = attempt(request, lambda: approve(approval_id, actor=actor_of(request)))
        if row is not None:
            messages.success(request, f"Approved and done: {row.subject}")
        return go("approvalrequest")

    @method_decorator(require_POST)
    def refuse_view(self, request: HttpRequest, approval_id: UUID) -> HttpResponse:
        demand(request, RIGHT)
        form = ReasonForm(request.POST)
        if accept(request, form):
            reason = form.cleaned_data["reason"]
            row = attempt(request, lambda: refuse(approval_id, reason=reason, actor=actor_of(request)))
            if row is not None:
                messages.success(request, "Refused. Nothing has changed.")
        return go("approvalrequest", "change", approval_id)

    @display(description="what will happen")
    def subject_cell(self, row: ApprovalRequest) -> Any:
        return row.subject

    @display(description="state")
    def state_cell(self, row: ApprovalRequest) -> Any:
        return state_badge(row)

    @display(description="asked", ordering="requested_at")
    def asked_cell(self, row: ApprovalRequest) -> Any:
        return cells.when(row.requested_at)

    @display(description="valid until")
    def valid_cell(self, row: ApprovalRequest) -> Any:
        return cells.when(row.expires_at) if state_of(row) is ApprovalState.PENDING else cells.NOTHING


def _shown(value: Any) -> Any:
    if value in (None, ""):
        return cells.NOTHING
    return cells.mono(value if isinstance(value, str | int) else json.dumps(value, ensure_ascii=False))


def _asks(row: ApprovalRequest, request: HttpRequest) -> list[Ask]:
    refuse_url = cells.page_url("approvalrequest", "refuse", row.pk)
    no = Ask("Refuse", refuse_url, "Refuse it", ReasonForm(), "Nothing will change.", "quiet-bad")
    if row.requested_by == str(actor_of(request)):
        why = "You asked for it yourself: another operator with the role risk has to approve it."
        return [Ask("Take it back", refuse_url, "Take it back", ReasonForm(), why, "quiet-bad")]
    approve_url = cells.page_url("approvalrequest", "approve", row.pk)
    yes = Ask("Approve", approve_url, "Approve and do it", None, f"At once: {row.subject}", "main")
    return [yes, no]
