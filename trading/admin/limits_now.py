"""What the page Risk limits shows above its list: limits in force by scope, their use, what waits, and the triggers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.text import capfirst

from trading.domain.enums import HaltScope
from trading.models import LimitsVersion
from trading.queries.limits import scheduled_versions, versions_in_force
from trading.queries.triggers import TriggerRow, read_triggers
from trading.queries.utilisation import FULL, UseRow, read_utilisation

from . import cells
from .limits_form import fields_for, label_of, text_of
from .page import Facts, Table

_TONES = {"over": "bad", "silent": "bad", "unknown": "warn", "near": "warn", "clear": "good", "off": "calm"}
_BAND_WORDS = {0: "calm", 50: "half used", 75: "three quarters used", 90: "nearly full", 100: "full"}


def shown(name: str, row: LimitsVersion | None) -> Any:
    text = text_of(name, row)
    if not text:
        return cells.muted("all" if name == "allowed_symbols" else "no limit")
    return cells.muted(text) if name == "allowed_symbols" else cells.exact(Decimal(text))


def sections() -> list[Facts | Table]:
    in_force = sorted(versions_in_force(), key=lambda row: (row.scope != "everything", row.scope, row.target))
    widest = next((row for row in in_force if row.scope == "everything"), None)
    narrower = [row for row in in_force if row.scope != "everything"]
    return [
        Facts(
            "For everything, all accounts together",
            [(capfirst(label_of(name)), shown(name, widest)) for name in fields_for(HaltScope.EVERYTHING)],
        ),
        _narrower(narrower),
        _use(),
        _scheduled(),
        _triggers(),
    ]


def _set_words(row: LimitsVersion) -> str:
    return "; ".join(
        f"{label_of(name)}: {text}" for name in LimitsVersion.LIMIT_FIELDS if (text := text_of(name, row))
    )


def _narrower(rows: list[LimitsVersion]) -> Table:
    lines = [
        [
            row.scope_name,
            cells.row_link("limitsversion", row.pk, f"v{row.version}"),
            cells.when(row.expires_at) if row.expires_at else cells.muted("the next version"),
            _set_words(row) or cells.muted("nothing of its own"),
        ]
        for row in rows
    ]
    return Table(
        "For one account, instrument or strategy",
        ["For", "Version", "Until", "Limits"],
        lines,
        empty="None. The limits for everything hold alone.",
    )


def _use() -> Table:
    return Table(
        "In use now",
        ["Limit", "#Share", "Used", "#In use", "#Limit", "For"],
        [_use_line(row) for row in read_utilisation()],
        empty="No limit that can be used up is set.",
        note="Warned at 50, 75 and 90 percent. What cannot be told has no share; it denies what would open a position.",
    )


def _use_line(row: UseRow) -> list[Any]:
    name = capfirst(label_of(row.limit))
    share = cells.muted("not known")
    if row.share_pct is not None:
        share = f"{row.share_pct:.0f} %, {'over' if row.share_pct > FULL else _BAND_WORDS[row.band]}"
    return [
        f"{name} ({row.subject})" if row.subject else name,
        share,
        cells.share_bar(row.share_pct),
        cells.rounded(row.used) if row.used is not None else cells.muted("not known"),
        cells.exact(row.maximum),
        row.scope_name,
    ]


def _scheduled() -> Table:
    lines = [
        [
            cells.row_link("limitsversion", row.pk, f"v{row.version}"),
            row.scope_name,
            cells.when(row.effective_at),
            cells.when(row.expires_at) if row.expires_at else cells.NOTHING,
            row.actor,
            row.reason,
        ]
        for row in scheduled_versions()
    ]
    return Table(
        "Waiting for their time", ["Version", "For", "From", "Until", "By", "Why"], lines, empty="None."
    )


def _triggers() -> Table:
    return Table(
        "Automatic halts",
        ["Trigger", "For", "State", "#Seen", "#Threshold", "Unit", "Sets to", "Last look", "Last fired"],
        [_trigger_line(row) for row in read_triggers()],
        note="Silent: it has not looked for a minute, which is an alarm. None of them ever releases a halt.",
    )


def _trigger_line(row: TriggerRow) -> list[Any]:
    return [
        row.trigger.replace("_", " "),
        f"{row.scope} {row.target}".strip(),
        cells.badge(row.verdict, _TONES[row.verdict]),
        f"{Decimal(row.observed):.2f}" if row.observed else cells.NOTHING,
        row.limit or cells.NOTHING,
        row.unit,
        row.action,
        cells.when(row.evaluated_at) if row.evaluated_at else cells.NOTHING,
        cells.when(row.fired_at) if row.fired_at else cells.NOTHING,
    ]
