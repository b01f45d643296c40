"""Risk limits: the version in force, all before it, and a form that writes a new one after a look at the diff.

Versions are never edited. Review shows exactly what would change; Save refuses if somebody else saved in between.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.text import capfirst
from unfold.decorators import display

from trading.domain.errors import LeviError
from trading.domain.money import plain
from trading.execution.limit_changes import change_limits
from trading.models import LimitsVersion
from trading.queries.limits import limits_in_force

from . import cells
from .acting import actor_of, go, pass_on
from .forms import PanelForm
from .kill_words import MAX_REASON
from .page import Detail, Facts, PanelAdmin, Table, demand

FIELDS = LimitsVersion.LIMIT_FIELDS
UNITS = {
    "max_order_notional": "USD",
    "price_collar_pct": "%",
    "max_price_age_seconds": "s",
    "max_balance_age_seconds": "s",
    "exposure_limit_symbol": "USD",
    "exposure_limit_total": "USD",
    "kill_threshold_usd": "USD",
    "duplicate_window_seconds": "s",
    "max_daily_loss_pct": "%",
}


def label_of(name: str) -> str:
    text = name.removesuffix("_pct").removesuffix("_usd").removesuffix("_seconds").replace("_", " ")
    unit = UNITS.get(name)
    return f"{text}, {unit}" if unit else text


def text_of(name: str, row: LimitsVersion | None) -> str:
    """The value as the form takes it back."""
    value = getattr(row, name, None)
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(value)
    return plain(value) if isinstance(value, Decimal) else str(value)


def shown(name: str, row: LimitsVersion | None) -> Any:
    text = text_of(name, row)
    if not text:
        return cells.muted("all" if name == "allowed_symbols" else "no limit")
    return cells.muted(text) if name == "allowed_symbols" else cells.exact(Decimal(text))


def help_of(name: str) -> str:
    return str(getattr(LimitsVersion._meta.get_field(name), "help_text", ""))


class LimitsForm(PanelForm):
    seen_version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    reason = forms.CharField(
        max_length=MAX_REASON,
        help_text="Stands in the audit trail beside the change.",
        label="Why this change?",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        numbers = {"class": "lv-input", "inputmode": "decimal", "autocomplete": "off"}
        for name in FIELDS:
            self.fields[name] = forms.CharField(
                required=False,
                max_length=2000,
                label=capfirst(label_of(name)),
                help_text=help_of(name),
                widget=forms.TextInput(attrs=numbers),
            )
        self.order_fields([*FIELDS, "reason", "seen_version"])

    def changes(self, before: LimitsVersion | None) -> dict[str, Any]:
        """What differs from the version in force, as change_limits takes it."""
        given = {name: self.cleaned_data[name].strip() for name in FIELDS}
        different = {name: text for name, text in given.items() if text != text_of(name, before)}
        if "allowed_symbols" in different:
            words = different["allowed_symbols"].replace(",", " ").split()
            different["allowed_symbols"] = words or None  # type: ignore[assignment]
        return different


@admin.register(LimitsVersion)
class LimitsScreen(PanelAdmin):
    list_display = ("version_cell", "effective_cell", "actor", "reason", "changed_cell")
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
        limits = limits_in_force()
        facts = Facts("", [(capfirst(label_of(name)), shown(name, limits)) for name in FIELDS])
        return super().changelist_view(request, {**(extra_context or {}), "limits": limits, "section": facts})

    def describe(self, request: HttpRequest, row: LimitsVersion) -> Detail:
        before = LimitsVersion.objects.filter(
            scope=row.scope, target=row.target, version__lt=row.version
        ).first()
        in_force = limits_in_force()
        is_now = in_force is not None and in_force.pk == row.pk
        head = [("In force from", cells.when(row.effective_at)), ("By", row.actor), ("Reason", row.reason)]
        return Detail(
            title=f"Limits v{row.version}",
            badges=[cells.badge("in force", "good") if is_now else cells.badge("superseded", "calm")],
            sections=[Facts("", head), diff_table(before, row), Facts("All values", _values(row))],
        )

    def edit_view(self, request: HttpRequest) -> HttpResponse:
        demand(request, "trading.add_limitsversion")
        limits = limits_in_force()
        if request.method in ("GET", "HEAD"):
            known = {name: text_of(name, limits) for name in FIELDS}
            return self._form(
                request, LimitsForm(initial={**known, "seen_version": limits.version if limits else 0})
            )
        if request.method != "POST":
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        form = LimitsForm(request.POST)
        if not form.is_valid():
            return self._form(request, form, status=400)
        if form.cleaned_data["seen_version"] != (limits.version if limits else 0):
            messages.error(
                request,
                "Somebody saved other limits since this page was shown. Look at them, then decide again.",
            )
            return go("limitsversion", "add")
        changes = form.changes(limits)
        if not changes:
            form.add_error(None, "Nothing differs from the version in force.")
            return self._form(request, form, status=400)
        # Only what was shown is saved: an edit after the review is reviewed again.
        is_reviewed = request.POST.get("reviewed") == print_of(changes)
        if request.POST.get("step") == "save" and is_reviewed:
            return self._save(request, form, changes)
        return self._review(request, form, limits, changes)

    def _review(
        self, request: HttpRequest, form: LimitsForm, limits: LimitsVersion | None, changes: dict[str, Any]
    ) -> HttpResponse:
        rows = [
            [label_of(name), shown(name, limits), _proposed(name, value)] for name, value in changes.items()
        ]
        table = Table("What would change", ["Limit", "#Now", "#Then"], rows)
        return self._form(request, form, diff=table, reviewed=print_of(changes))

    def _save(self, request: HttpRequest, form: LimitsForm, changes: dict[str, Any]) -> HttpResponse:
        try:
            row = change_limits(changes, reason=form.cleaned_data["reason"], actor=actor_of(request))
        except LeviError as error:
            pass_on(error)
            field = str(error.context.get("field", ""))
            form.add_error(field if field in form.fields else None, str(error))
            return self._form(request, form, status=400)
        messages.success(request, f"Limits v{row.version} are in force.")
        return go("limitsversion", "change", row.pk)

    def _form(self, request: HttpRequest, form: LimitsForm, status: int = 200, **extra: Any) -> HttpResponse:
        page = Detail(
            title="Change the risk limits",
            lead="Saving writes a new version that holds for every decision from then on. Open orders are not touched.",
        )
        return self.show(request, "panel/limits_form.html", page, status=status, form=form, **extra)

    @display(description="version")
    def version_cell(self, row: LimitsVersion) -> Any:
        return f"v{row.version}"

    @display(description="in force from")
    def effective_cell(self, row: LimitsVersion) -> Any:
        return cells.when(row.effective_at)

    @display(description="symbols")
    def changed_cell(self, row: LimitsVersion) -> Any:
        return ", ".join(row.allowed_symbols or []) or "all"


def print_of(changes: dict[str, Any]) -> str:
    return json.dumps(changes, sort_keys=True)


def _values(row: LimitsVersion) -> list[tuple[str, Any]]:
    return [(capfirst(label_of(name)), shown(name, row)) for name in FIELDS]


def _proposed(name: str, value: Any) -> Any:
    if value in (None, ""):
        return cells.muted("all" if name == "allowed_symbols" else "no limit")
    return " ".join(value) if isinstance(value, list) else value


def diff_table(before: LimitsVersion | None, after: LimitsVersion) -> Table:
    changed = [name for name in FIELDS if text_of(name, before) != text_of(name, after)]
    rows = [[label_of(name), shown(name, before), shown(name, after)] for name in changed]
    title = f"Changed against v{before.version}" if before else "The first version"
    return Table(title, ["Limit", "#Before", "#After"], rows, empty="Nothing changed.")
