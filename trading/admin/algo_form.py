"""The form of the algo ticket: the fields of every kind, grouped, and the request that it stands for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.forms import BoundField

from trading.domain.enums import AlgoKind, Side
from trading.domain.errors import InvalidMoney
from trading.domain.money import exact, multiply, plain

from .algo_cells import KIND_WORDS
from .forms import PanelForm
from .ticket import offer_places

UNITS = {"seconds": 1, "minutes": 60, "hours": 3600}
# What only some kinds have; everything else belongs to all of them.
OWN_FIELDS = {
    "slices": (AlgoKind.TWAP, AlgoKind.VWAP),
    "profile": (AlgoKind.VWAP,),
    "visible_quantity": (AlgoKind.ICEBERG,),
}
GROUPS = (
    ("", ("kind", "account", "symbol", "side", "quantity", "price")),
    ("Over which time", ("duration", "duration_unit", "slices", "start_at")),
    ("VWAP: how the market trades", ("profile",)),
    ("Iceberg: what the book shows", ("visible_quantity",)),
    ("Besides", ("strategy", "reduce_only")),
)
_AS_GIVEN = (
    "kind",
    "account",
    "symbol",
    "side",
    "quantity",
    "price",
    "slices",
    "visible_quantity",
    "strategy",
    "reduce_only",
)


def _number(label: str, help_text: str, *, required: bool = False) -> forms.CharField:
    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    return forms.CharField(label=label, required=required, max_length=64, help_text=help_text, widget=widget)


@dataclass(frozen=True, slots=True)
class FieldGroup:
    title: str
    visible_fields: list[BoundField]


class AlgoForm(PanelForm):
    """Numbers are taken as text: what they mean is decided by the parser, with exact decimals."""

    kind = forms.ChoiceField(
        label="How", choices=[(kind.value, KIND_WORDS[kind]) for kind in AlgoKind], widget=forms.RadioSelect,
        help_text="TWAP: evenly over time. VWAP: over time, as the market usually trades. Iceberg: a little at a time "
        "in the book, at a price.",
    )  # fmt: skip
    account = forms.ChoiceField()
    symbol = forms.CharField(
        max_length=40, widget=forms.TextInput(attrs={"list": "lv-symbols", "autocomplete": "off"})
    )
    side = forms.ChoiceField(choices=[(side.value, side.value) for side in Side], widget=forms.RadioSelect)
    quantity = _number("Quantity", "All of it, in base units.", required=True)
    price = _number("Worst price", "Never paid worse. Empty: market. An iceberg rests at it.")
    duration = _number("Duration", "An iceberg may leave it empty: until all is filled.")
    duration_unit = forms.ChoiceField(
        label="Unit", choices=[(unit, unit) for unit in UNITS], initial="minutes", required=False
    )
    slices = _number("Slices", "TWAP, VWAP. Empty: one a minute, at most 60.")
    start_at = forms.CharField(
        label="Start at, in UTC", required=False, max_length=40, help_text="Empty: now. Else as 2030-01-31 14:30.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    profile = forms.CharField(
        label="Weights", required=False, max_length=4000,
        help_text="One for each slice, as 1, 3, 2. Empty: what the venue traded at these times of the last seven days.",
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off"}),
    )  # fmt: skip
    visible_quantity = _number("Shows", "Base units of one child.")
    strategy = forms.ChoiceField(required=False)
    reduce_only = forms.BooleanField(
        label="Reduce only", required=False, help_text="Only shrinks a position; never opens or turns one."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_places(self)
        for name, kinds in OWN_FIELDS.items():
            self.fields[name].widget.attrs["data-kinds"] = " ".join(kinds)

    @property
    def groups(self) -> list[FieldGroup]:
        return [FieldGroup(title, [self[name] for name in names]) for title, names in GROUPS]

    def clean(self) -> dict[str, Any]:
        """Without a script, fields of every kind are shown: one of another kind must not be taken for this one's."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        for name, kinds in OWN_FIELDS.items():
            if given.get(name) and given.get("kind") not in kinds:
                of = " or ".join(KIND_WORDS[kind] for kind in kinds)
                self.add_error(name, f"Only {of} has it: clear it, or choose {of}.")
        return given

    def body(self) -> dict[str, Any]:
        """The request for the verb: what was left empty is left out."""
        given = {name: self.cleaned_data[name] for name in _AS_GIVEN}
        more = {"duration_seconds": self._seconds(), "start_at": self._start(), "profile": self._weights()}
        stripped = {
            name: value.strip() if isinstance(value, str) else value
            for name, value in {**given, **more}.items()
        }
        return {name: value for name, value in stripped.items() if value}

    def _seconds(self) -> str:
        """What is no number goes on as it is: the parser says what is wrong with it."""
        text = self.cleaned_data["duration"].strip()
        try:
            number = exact(text) if text else None
        except InvalidMoney:
            return text
        unit = UNITS.get(self.cleaned_data["duration_unit"], 60)
        return text if number is None else plain(multiply(number, Decimal(unit)))

    def _start(self) -> str:
        text = self.cleaned_data["start_at"].strip()
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return text
        return text if at.tzinfo is not None else f"{at.isoformat()}Z"

    def _weights(self) -> list[str]:
        return self.cleaned_data["profile"].replace(",", " ").replace(";", " ").split()
