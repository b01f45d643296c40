"""Who is signed in, from where, since when; ending a session. Everybody their own, administrators everybody's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST
from unfold.decorators import display

from trading.execution.sessions import end_session, end_sessions
from trading.models import OperatorSession
from trading.sign_in.sessions import ABSOLUTE, read_sign_in

from . import cells
from .acting import actor_of, go
from .filters import by, by_time
from .page import Ask, Detail, Facts, Page, PanelAdmin

END_ALL = "trading.end_sessions"


def state_of(row: OperatorSession) -> str:
    if row.ended_at:
        return "ended"
    return "open" if row.began_at + ABSOLUTE > timezone.now() else "run out"


@admin.register(OperatorSession)
class SessionScreen(PanelAdmin):
    empty_words = "Nobody is signed in. Sessions appear with a sign-in."
    list_display = ("began_cell", "user", "state_cell", "address", "browser_cell", "acted_cell", "ended_why")
    list_display_links = ("began_cell",)
    list_select_related = ("user",)
    list_filter = (
        by("state", "state", "ended_at__isnull", lambda: [("True", "open"), ("False", "ended")]),
        by_time("began_at"),
    )
    ordering = ("-began_at", "-id")
    list_before_template = "panel/sessions_tools.html"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_active and request.user.is_staff)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True

    def get_queryset(self, request: HttpRequest) -> QuerySet[OperatorSession]:
        rows = super().get_queryset(request)
        return rows if request.user.has_perm(END_ALL) else rows.filter(user_id=request.user.pk)

    def pages(self) -> Sequence[Page]:
        return [
            ("end-others/", "end_others", self.end_others_view),
            ("<uuid:session_id>/end/", "end", self.end_view),
        ]

    def describe(self, request: HttpRequest, row: OperatorSession) -> Detail:
        sign_in = read_sign_in(request)
        is_this = sign_in is not None and sign_in.session_id == row.pk
        facts = [
            ("Operator", row.user.username),
            ("Began", cells.when(row.began_at)),
            ("Last code or change of it", cells.when(row.acted_at)),
            ("From", row.address or cells.NOTHING),
            ("Browser", row.browser or cells.NOTHING),
            ("Ended", cells.when(row.ended_at)),
            ("Why", row.ended_why or cells.NOTHING),
        ]
        badges = [cells.badge(state_of(row), "good" if state_of(row) == "open" else "calm")]
        if is_this:
            badges.append(cells.badge("this browser", "busy"))
        url = cells.page_url("operatorsession", "end", row.pk)
        why = "The browser is signed out at its next request."
        ask = Ask("End it", url, "End this session", None, why, "quiet-bad")
        return Detail(
            title=f"Session of {row.user.username}",
            badges=badges,
            sections=[Facts("", facts)],
            side=[] if row.ended_at else [ask],
        )

    @method_decorator(require_POST)
    def end_view(self, request: HttpRequest, session_id: UUID) -> HttpResponse:
        row = OperatorSession.objects.filter(pk=session_id).select_related("user").first()
        if row is None or (row.user_id != request.user.pk and not request.user.has_perm(END_ALL)):
            raise PermissionDenied("Your roles let you end your own sessions only.")
        if end_session(row.pk, why="ended in the panel", actor=actor_of(request)):
            messages.success(request, f"The session of {row.user.username} is ended.")
        return go("operatorsession")

    @method_decorator(require_POST)
    def end_others_view(self, request: HttpRequest) -> HttpResponse:
        """All of one's own, but for this one."""
        sign_in = read_sign_in(request)
        count = end_sessions(
            request.user,  # type: ignore[arg-type]
            why="ended in the panel",
            actor=actor_of(request),
            but_not=sign_in.session_id if sign_in else None,
        )
        messages.success(request, f"{count} other sessions are ended.")
        return go("operatorsession")

    @display(description="began", ordering="began_at")
    def began_cell(self, row: OperatorSession) -> Any:
        return cells.when(row.began_at)

    @display(description="state")
    def state_cell(self, row: OperatorSession) -> Any:
        state = state_of(row)
        return cells.badge(state, "good" if state == "open" else "calm")

    @display(description="browser")
    def browser_cell(self, row: OperatorSession) -> Any:
        return cells.muted(row.browser[:60]) if row.browser else cells.NOTHING

    @display(description="last act")
    def acted_cell(self, row: OperatorSession) -> Any:
        return cells.age(row.acted_at)
