"""The watch over the audit trail: verify on a schedule, keep the verdict, and halt on a bad one where money is real.

Every hour what came since the last verified checkpoint, once a day all of it. The verdict is an audit entry. Damage in
production engages a halt once: a trail that lies cannot say what was ordered. Elsewhere it raises the alarm only.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from trading import audit
from trading.audit.state import DAMAGED, VERIFIED, last_intact
from trading.domain.actors import Actor, system_actor
from trading.domain.enums import CancelScope, HaltScope, TradingMode, TradingState
from trading.models import HaltState

from .halts import engage

log = logging.getLogger(__name__)

ACTOR = system_actor("audit-watch")
TRIGGER = "audit_damage"
FULL_EVERY = timedelta(days=1)
_SAID = 10  # damages that are told in the entry; the report of verify_audit has all of them


def verify_on_schedule() -> audit.AuditReport:
    """All of it if that was not done for a day, else what came since the last verification that found nothing."""
    complete = last_intact("all")
    if complete is None or complete.at < timezone.now() - FULL_EVERY:
        return verify_and_judge(since=0, actor=ACTOR)
    latest = last_intact() or complete
    return verify_and_judge(since=int(latest.data.get("last_checkpoint", 0)), actor=ACTOR)


def verify_and_judge(*, since: int = 0, actor: Actor) -> audit.AuditReport:
    """Seal what is there, verify, keep the verdict, and act on it."""
    audit.seal("verification", actor=actor)
    began = timezone.now()
    report = audit.verify(since=since)
    keep_verdict(report, actor=actor, seconds=(timezone.now() - began).total_seconds())
    if not report.ok:
        log.critical("the audit trail is damaged: %s", report.damages[0].detail)
        _halt_if_it_matters(report)
    return report


def keep_verdict(report: audit.AuditReport, *, actor: Actor, seconds: float) -> None:
    found = report.as_dict()
    data: dict[str, Any] = {
        "scope": "since" if report.since_checkpoint else "all",
        "seconds": f"{seconds:.1f}",
        "damages": [f"{damage.kind}: {describe(damage)}" for damage in report.damages[:_SAID]],
    }
    names = ("entries", "checkpoints", "anchors", "since_checkpoint", "last_checkpoint", "kinds", "notes")
    data |= {name: found[name] for name in names}
    data["notes"] = data["notes"][:_SAID]
    with transaction.atomic(durable=True):
        audit.record(VERIFIED if report.ok else DAMAGED, actor=actor, object_type="audit", data=data)
        if not report.ok:
            audit.record("alarm.audit", actor=actor, object_type="audit", data={"reason": data["damages"][0]})


def describe(damage: audit.Damage) -> str:
    """One line for people."""
    places = []
    if damage.checkpoint:
        places.append(f"checkpoint {damage.checkpoint}")
    if damage.entry_id or damage.stream:
        places.append(
            f"entry {damage.entry_id or 'gone'}, number {damage.sequence} of stream {damage.stream}"
        )
    return f"{damage.detail} ({'; '.join(places)})" if places else damage.detail


def _halt_if_it_matters(report: audit.AuditReport) -> None:
    if settings.LEVI_MODE != TradingMode.PRODUCTION or _is_halted():
        return
    reason = f"the audit trail is damaged: {describe(report.damages[0])}"
    engage(HaltScope.EVERYTHING, reason=reason, actor=ACTOR, trigger=TRIGGER, cancel=CancelScope.OURS)


def _is_halted() -> bool:
    return HaltState.objects.filter(scope=HaltScope.EVERYTHING, state=TradingState.HALTED).exists()
