"""The form that proposes other limits: one scope, its limits as text, when they begin and, of an override, end."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.text import capfirst

from trading.domain.enums import HaltScope
from trading.domain.money import plain
from trading.execution.limit_changes import LimitsChange
from trading.models import ExchangeAccount, LimitsVersion, Strategy
from trading.queries.controls import symbols_worth_showing
from trading.risk.limit_fields import FIELDS

from .forms import PanelForm
from .kill_words import MAX_REASON

_WHEN = {"type": "datetime-local", "class": "lv-input"}
SEPARATOR = "|"


def label_of(name: str) -> str:
    field = FIELDS[name]
    return f"{field.label}, {field.unit}" if field.unit else field.label


def text_of(name: str, row: LimitsVersion | None) -> str:
    """The value as the form takes it back."""
    value = getattr(row, name, None)
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(value)
    return plain(value) if isinstance(value, Decimal) else str(value)


def fields_for(scope: HaltScope) -> list[str]:
    return [name for name, field in FIELDS.items() if scope in field.scopes]


def list_scopes_to_limit() -> list[tuple[str, str]]:
    """What limits can be set for, as choices of a select."""
    names = [
        (HaltScope.ACCOUNT, list(ExchangeAccount.objects.values_list("name", flat=True))),
        (HaltScope.INSTRUMENT, symbols_worth_showing()),
        (HaltScope.STRATEGY, list(Strategy.objects.values_list("name", flat=True)[:200])),
    ]
    choices = [(HaltScope.EVERYTHING.value, "everything")]
    for scope, targets in names:
        choices += [(f"{scope.value}{SEPARATOR}{target}", f"{scope.value} {target}") for target in targets]
    return choices


def read_scope(text: str) -> tuple[HaltScope, str]:
    """From a choice; what is no scope reads as everything."""
    word, _, target = text.partition(SEPARATOR)
    known = {scope.value for scope in HaltScope}
    scope = HaltScope(word) if word in known else HaltScope.EVERYTHING
    return scope, target if scope is not HaltScope.EVERYTHING else ""


class LimitsForm(PanelForm):
    scope_choice = forms.CharField(widget=forms.HiddenInput, required=False)
    seen_version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    effective_at = forms.DateTimeField(
        required=False,
        widget=forms.DateTimeInput(attrs=_WHEN, format="%Y-%m-%dT%H:%M"),
        label="In force from, UTC",
        help_text="Empty: at once.",
    )
    expires_at = forms.DateTimeField(
        required=False,
        widget=forms.DateTimeInput(attrs=_WHEN, format="%Y-%m-%dT%H:%M"),
        label="Until, UTC",
        help_text="Makes it a temporary override: afterwards the limits before it hold again by themselves.",
    )
    reason = forms.CharField(
        max_length=MAX_REASON,
        help_text="Stands in the audit trail beside the change.",
        label="Why this change?",
    )

    def __init__(self, scope: HaltScope, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scope, self.names = scope, fields_for(scope)
        numbers = {"class": "lv-input", "inputmode": "decimal", "autocomplete": "off"}
        for name in self.names:
            self.fields[name] = forms.CharField(
                required=False,
                max_length=2000,
                label=capfirst(label_of(name)),
                help_text=str(LimitsVersion._meta.get_field(name).help_text),  # type: ignore[union-attr]
                widget=forms.TextInput(attrs=numbers),
            )
        self.order_fields([*self.names, "effective_at", "expires_at", "reason"])

    def changes(self, before: LimitsVersion | None) -> dict[str, Any]:
        """What differs from the version it builds on, as a change takes it."""
        given = {name: self.cleaned_data[name].strip() for name in self.names}
        different = {name: text for name, text in given.items() if text != text_of(name, before)}
        if "allowed_symbols" in different:
            words = different["allowed_symbols"].replace(",", " ").split()
            different["allowed_symbols"] = words or None  # type: ignore[assignment]
        return different

    def as_change(self, target: str, before: LimitsVersion | None) -> LimitsChange:
        times = {
            name: at.replace(tzinfo=UTC) if (at := self.cleaned_data[name]) else None
            for name in ("effective_at", "expires_at")
        }
        return LimitsChange(
            self.changes(before),
            self.scope,
            target,
            seen_version=self.cleaned_data["seen_version"] or 0,
            **times,
        )
