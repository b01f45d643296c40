"""How the automatic halts stand: what each last saw, when it last looked, when it last fired.

The dead man and the watch over the audit trail keep their own books; here they stand beside the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max
from django.utils import timezone

from trading.audit.state import read_audit_state
from trading.domain.enums import HaltScope
from trading.models import HaltChange, TriggerState
from trading.risk.triggers import TRIGGER_RULES, TRIGGER_TABLE

from .dead_man import read_dead_man
from .silence import AUDIT_SECONDS, silent_watchers

# Longer without a look than this: it does not run. The supervisor looks every five seconds.
SILENT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class TriggerRow:
    """`verdict`: over, near, clear, unknown, off; silent where it has not run."""

    trigger: str
    scope: str
    target: str
    verdict: str
    observed: str
    limit: str
    unit: str
    action: str
    evaluated_at: datetime | None
    fired_at: datetime | None
    is_armed: bool
    resting_until: datetime | None
    looks: tuple[str, ...]


def read_triggers() -> list[TriggerRow]:
    """Every trigger, in the table's order; one that never ran has a row that says so."""
    now = timezone.now()
    rows: dict[str, list[TriggerRow]] = {rule.name: [] for rule in TRIGGER_TABLE}
    for state in TriggerState.objects.filter(trigger__in=TRIGGER_RULES):
        rows[state.trigger].append(_as_row(state, now))
    for rule in TRIGGER_TABLE:
        if not rows[rule.name]:
            rows[rule.name] = [
                TriggerRow(
                    rule.name,
                    HaltScope.EVERYTHING,
                    "",
                    "silent",
                    "",
                    "",
                    rule.unit,
                    rule.action,
                    None,
                    None,
                    True,
                    None,
                    (),
                )
            ]
    return [row for found in rows.values() for row in found] + [_dead_man(), _audit_watch()]


def _as_row(state: TriggerState, now: datetime) -> TriggerRow:
    rule = TRIGGER_RULES[state.trigger]
    is_silent = (now - state.evaluated_at).total_seconds() > SILENT_SECONDS
    last = state.looks[-1] if state.looks else "off"
    return TriggerRow(
        state.trigger,
        state.scope,
        state.target,
        "silent" if is_silent else last,
        state.observed,
        state.limit,
        rule.unit,
        rule.action,
        state.evaluated_at,
        state.fired_at,
        state.is_armed,
        state.resting_until,
        tuple(state.looks),
    )


def _last_change(trigger: str) -> datetime | None:
    changes = HaltChange.objects.filter(trigger=trigger).exclude(after="active")
    return changes.order_by("-at").values_list("at", flat=True).first()


def _dead_man() -> TriggerRow:
    state = read_dead_man()
    verdict = "clear" if state.is_armed else ("off" if not state.seconds else "silent")
    return TriggerRow(
        "dead_man", HaltScope.EVERYTHING, "", verdict, "", str(state.seconds or ""), "seconds of silence", "halted",
        state.checked_at, _last_change("dead_man"), state.is_armed, None, (),
    )  # fmt: skip


def _audit_watch() -> TriggerRow:
    state = read_audit_state()
    oldest = timezone.now() - timedelta(seconds=AUDIT_SECONDS)
    if state.is_intact is False:
        verdict = "over"
    else:
        verdict = "clear" if state.verified_at and state.verified_at > oldest else "silent"
    return TriggerRow(
        "audit_damage", HaltScope.EVERYTHING, "", verdict, "", "", "damage", "halted in production",
        state.verified_at, _last_change("audit_damage"), True, None, (),
    )  # fmt: skip


def trigger_ages(now: datetime | None = None) -> dict[str, int | None]:
    """Seconds since each trigger last looked at anything; None: never."""
    now = now or timezone.now()
    last = dict(TriggerState.objects.order_by().values_list("trigger").annotate(at=Max("evaluated_at")))
    return {
        rule.name: max(int((now - last[rule.name]).total_seconds()), 0) if rule.name in last else None
        for rule in TRIGGER_TABLE
    }


def silent_triggers(now: datetime | None = None) -> list[tuple[str, int | None]]:
    """What has not looked for a minute (the verification of the audit trail: for three hours), and for how long; None:
    never."""
    now = now or timezone.now()
    own = [(name, age) for name, age in trigger_ages(now).items() if age is None or age > SILENT_SECONDS]
    return own + [(each.name, each.seconds) for each in silent_watchers(now)]
