"""Risk limits: what is in force for every scope, how much is in use, and a form that writes or proposes a version.

Versions are never edited. Review shows exactly what would change and whether a second person has to agree; Save refuses
if somebody else saved in between.
"""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.text import capfirst
from unfold.decorators import display

from trading.domain.enums import ApprovalKind, HaltScope
from trading.domain.errors import LeviError
from trading.execution.authority import needs_second_person
from trading.execution.limit_changes import LimitsChange, preview_change
from trading.execution.limit_proposals import change_or_propose
from trading.models import ApprovalRequest, LimitsVersion
from trading.queries.limits import lasting_limits, limits_in_force, newest_version

from . import cells
from .acting import actor_of, go, pass_on
from .limits_form import (
    SEPARATOR,
    LimitsForm,
    fields_for,
    label_of,
    list_scopes_to_limit,
    read_scope,
    text_of,
)
from .limits_now import sections, shown
from .page import Detail, Facts, PanelAdmin, Table, demand

FIELDS = LimitsVersion.LIMIT_FIELDS


@admin.register(LimitsVersion)
class LimitsScreen(PanelAdmin):
    topics = ("limits",)
    empty_words = "No version yet: every order is denied until the first is written."
    list_display = ("version_cell", "scope_cell", "effective_cell", "expires_cell", "actor", "reason")
    list_display_links = ("version_cell",)
    ordering = ("-version",)
    list_before_template = "panel/limits_in_force.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("trading.add_limitsversion")

    def pages(self) -> list[Any]:
        return [("change/", "add", self.edit_view)]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {
            "limits": limits_in_force(),
            "sections": sections(),
            "scope_choices": list_scopes_to_limit(),
            "may_change": self.has_add_permission(request),
        }
        return super().changelist_view(request, {**(extra_context or {}), **context})

    def describe(self, request: HttpRequest, row: LimitsVersion) -> Detail:
        before = LimitsVersion.objects.filter(
            scope=row.scope, target=row.target, version__lt=row.version
        ).first()
        in_force = limits_in_force(HaltScope(row.scope), row.target)
        is_now = in_force is not None and in_force.pk == row.pk
        head = [
            ("For", row.scope_name),
            ("In force from", cells.when(row.effective_at)),
            ("Until", cells.when(row.expires_at) if row.expires_at else "the next version"),
            ("By", row.actor),
            ("Approved by", row.approved_by or cells.NOTHING),
            ("Reason", row.reason),
        ]
        values = [(capfirst(label_of(name)), shown(name, row)) for name in fields_for(HaltScope(row.scope))]
        return Detail(
            title=f"Limits v{row.version}",
            badges=[
                cells.badge("in force", "good") if is_now else cells.badge("not in force", "calm"),
                *([cells.badge("override", "warn")] if row.expires_at else []),
            ],
            sections=[Facts("", head), diff_table(before, row), Facts("All values", values)],
        )

    def edit_view(self, request: HttpRequest) -> HttpResponse:
        demand(request, "trading.add_limitsversion")
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        given = request.POST if request.method == "POST" else request.GET
        scope, target = read_scope(given.get("scope_choice", ""))
        newest, lasting = newest_version(scope, target), lasting_limits(scope, target)
        if request.method != "POST":
            known = {name: text_of(name, lasting) for name in fields_for(scope)}
            known |= {
                "seen_version": str(newest.version if newest else 0),
                "scope_choice": f"{scope.value}{SEPARATOR}{target}",
            }
            return self._form(request, LimitsForm(scope, initial=known), target)
        form = LimitsForm(scope, request.POST)
        if not form.is_valid():
            return self._form(request, form, target, status=400)
        if form.cleaned_data["seen_version"] != (newest.version if newest else 0):
            messages.error(
                request,
                "Somebody saved other limits since this page was shown. Look at them, then decide again.",
            )
            return go("limitsversion", "add")
        base = limits_in_force(scope, target) if form.cleaned_data["expires_at"] else lasting
        wanted = form.as_change(target, base)
        if not wanted.changes:
            form.add_error(None, "Nothing differs from the version in force.")
            return self._form(request, form, target, status=400)
        # Only what was shown is saved: an edit after the review is reviewed again.
        is_reviewed = request.POST.get("reviewed") == print_of(wanted)
        if request.POST.get("step") == "save" and is_reviewed:
            return self._save(request, form, wanted)
        return self._review(request, form, base, wanted)

    def _review(
        self, request: HttpRequest, form: LimitsForm, base: LimitsVersion | None, wanted: LimitsChange
    ) -> HttpResponse:
        before = limits_in_force(wanted.scope, wanted.target) or base
        rows = [
            [capfirst(label_of(name)), shown(name, before), _proposed(name, value)]
            for name, value in wanted.changes.items()
        ]
        table = Table("What would change", ["Limit", "#Now", "#Then"], rows, note=_what_it_takes(wanted))
        return self._form(request, form, wanted.target, diff=table, reviewed=print_of(wanted))

    def _save(self, request: HttpRequest, form: LimitsForm, wanted: LimitsChange) -> HttpResponse:
        try:
            done = change_or_propose(wanted, reason=form.cleaned_data["reason"], actor=actor_of(request))
        except LeviError as error:
            pass_on(error)
            field = str(error.context.get("field", ""))
            form.add_error(field if field in form.fields else None, str(error))
            return self._form(request, form, wanted.target, status=400)
        if isinstance(done, ApprovalRequest):
            messages.success(
                request,
                f"Nothing is changed yet: a second person has to approve it by {done.expires_at:%H:%M:%S} UTC.",
            )
            return go("limitsversion")
        words = "are in force" if wanted.effective_at is None else "wait for their time"
        messages.success(request, f"Limits v{done.version} {words}.")
        return go("limitsversion", "change", done.pk)

    def _form(
        self, request: HttpRequest, form: LimitsForm, target: str, status: int = 200, **extra: Any
    ) -> HttpResponse:
        name = f"{form.scope} {target}".strip()
        lead = (
            f"For {name}. Saving writes a new version that holds for every decision from then on. "
            "Orders that are approved and not sent yet lapse; open orders are not touched."
        )
        page = Detail(title="Change the risk limits", lead=lead)
        return self.show(request, "panel/limits_form.html", page, status=status, form=form, **extra)

    @display(description="version")
    def version_cell(self, row: LimitsVersion) -> Any:
        return f"v{row.version}"

    @display(description="for")
    def scope_cell(self, row: LimitsVersion) -> Any:
        return row.scope_name

    @display(description="in force from")
    def effective_cell(self, row: LimitsVersion) -> Any:
        return cells.when(row.effective_at)

    @display(description="until")
    def expires_cell(self, row: LimitsVersion) -> Any:
        return cells.when(row.expires_at) if row.expires_at else cells.NOTHING


def _what_it_takes(wanted: LimitsChange) -> str:
    """Which of the changes loosen, and whom that needs; or why it cannot be saved as it is."""
    try:
        before, _after, loosens = preview_change(wanted)
    except LeviError as error:
        pass_on(error)
        return f"It cannot be saved like this: {error}"
    if not loosens:
        return "It only tightens."
    words = f"It loosens: {', '.join(label_of(name) for name in loosens)}."
    needs = before is not None and needs_second_person(ApprovalKind.LIMITS)
    return f"{words} A second person has to approve it." if needs else words


def print_of(wanted: LimitsChange) -> str:
    times = [at.isoformat() if at else "" for at in (wanted.effective_at, wanted.expires_at)]
    return json.dumps([dict(wanted.changes), wanted.scope, wanted.target, times], sort_keys=True)


def _proposed(name: str, value: Any) -> Any:
    if value in (None, ""):
        return cells.muted("all" if name == "allowed_symbols" else "no limit")
    return " ".join(value) if isinstance(value, list) else value


def diff_table(before: LimitsVersion | None, after: LimitsVersion) -> Table:
    changed = [name for name in FIELDS if text_of(name, before) != text_of(name, after)]
    rows = [[capfirst(label_of(name)), shown(name, before), shown(name, after)] for name in changed]
    title = f"Changed against v{before.version}" if before else "The first version"
    return Table(title, ["Limit", "#Before", "#After"], rows, empty="Nothing changed.")
