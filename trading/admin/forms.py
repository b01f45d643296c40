"""Form fields in the panel's own look, and the small forms that several screens share."""

from __future__ import annotations

from typing import Any

from django import forms

from trading.domain.enums import QuarantineVerdict

from .kill_words import MAX_REASON

_CLASSES: dict[type[forms.Widget], str] = {
    forms.CheckboxInput: "lv-check",
    forms.CheckboxSelectMultiple: "lv-checks",
    forms.RadioSelect: "lv-radios",
    forms.Textarea: "lv-input lv-area",
    forms.Select: "lv-input lv-select",
}


class PanelForm(forms.Form):
    """A form whose widgets carry the panel's classes. Rendered by panel/fields.html."""

    required_css_class = "lv-required"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            kind = type(field.widget)
            field.widget.attrs.setdefault("class", _CLASSES.get(kind, "lv-input"))


class ReasonForm(PanelForm):
    """Why. It stands in the audit trail, so a person should be able to read it in a year."""

    reason = forms.CharField(
        max_length=MAX_REASON, widget=forms.TextInput(attrs={"placeholder": "Why?", "autocomplete": "off"})
    )


class ResolveForm(ReasonForm):
    """A person's word on a quarantined order."""

    verdict = forms.ChoiceField(
        choices=[
            (QuarantineVerdict.NOT_ACCEPTED.value, "the venue never had it"),
            (QuarantineVerdict.CANCELED.value, "it ended at the venue without a fill"),
            (QuarantineVerdict.ADOPT.value, "it is this order at the venue:"),
        ]
    )
    exchange_order_id = forms.CharField(
        required=False, max_length=80, label="The venue's order id", help_text="Only with the last choice."
    )
    field_order = ("verdict", "exchange_order_id", "reason")
