"""Which audit entries a person should be told of, as one table; and the word of the person who has seen it.

Runs inside the transaction of every audit entry, so it only looks up a table and inserts a row (`notify`). A release
acknowledges the alerts of its halt, a resolved break those of the break: what is over need not be acknowledged.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from trading import audit
from trading.domain.actors import Actor, system_actor
from trading.domain.enums import Severity, TradingMode
from trading.domain.errors import UnknownName
from trading.models import Alert, AuditEntry
from trading.notify import notify

from . import key_news, people_news
from .news import Data, News

log = logging.getLogger(__name__)
_DRILL = str(system_actor("drill"))


def _scope(data: Data) -> str:
    return f"{data['scope']} {data['target']}".strip()


def _title(data: Data) -> str:
    name = _scope(data)
    return name[:1].upper() + name[1:]


def _halt_engaged(entry: AuditEntry) -> News:
    data = entry.data
    state, drill = data["after"], data["trigger"] == "drill"
    severity = Severity.CRITICAL if state == "halted" else Severity.WARNING
    again = data["before"] == state
    return News(
        Severity.INFO if drill else Severity.WARNING if again else severity,
        f"{_title(data)} is {state}{' (drill)' if drill else ''}",
        f"{data['reason']}\nBy {entry.actor}, trigger {data['trigger']}, epoch {data['epoch']}.",
        f"halt {_scope(data)}|{state}|{'again' if again else data['epoch']}",
    )


def _halt_released(entry: AuditEntry) -> News:
    _acknowledge_over("halt.engaged", f"halt {_scope(entry.data)}|", entry)
    text = f"{entry.data['reason']}\nBy {entry.actor}."
    if entry.actor == _DRILL:  # who was not told of a drill's halt need not hear of its end
        return News(Severity.INFO, f"{_title(entry.data)} is active again (drill)", text)
    return News(Severity.WARNING, f"{_title(entry.data)} is active again", text)


def _sweep_clean(entry: AuditEntry) -> News:
    sent = entry.data["cancels_sent"]
    return News(Severity.INFO, "Sweep: CLEAN, proven empty", f"{sent} cancels were sent.")


def _sweep_survivors(entry: AuditEntry) -> News:
    lines = [f"{name}: {_seen(seen)}" for name, seen in entry.data["survivors"].items()]
    return News(Severity.CRITICAL, "Sweep: not proven clean", "\n".join(lines))


def _seen(seen: Data) -> str:
    if seen.get("unasked"):
        return f"could not be asked: {seen['unasked']}"
    return f"{len(seen['open'])} open, {len(seen['unresolved'])} unresolved"


def _break_opened(entry: AuditEntry) -> News:
    """Opened, or grown since: what is beyond its tolerance restricts trading (`break_response`)."""
    data = entry.data
    word = "Break beyond tolerance" if data["beyond"] else "Break"
    return News(
        Severity.CRITICAL if data["beyond"] else Severity.WARNING,
        f"{word}: {data['kind']} {data['subject']} on {data['account']}",
        f"Ours {data['ours']}, the venue's {data['theirs']}.",
        f"break {entry.object_id}|",
    )


def _break_resolved(entry: AuditEntry) -> None:
    for event in ("break.opened", "break.beyond"):
        _acknowledge_over(event, f"break {entry.object_id}|", entry)


def _quarantined(entry: AuditEntry) -> News:
    data = entry.data
    text = "Nothing could prove its outcome. It counts in full until a person resolves it on its page."
    return News(
        Severity.CRITICAL,
        f"Order {data['client_order_id']} is quarantined",
        text,
        f"order {entry.object_id}|",
    )


def _late_evidence(entry: AuditEntry) -> News:
    name = entry.data["client_order_id"]
    text = "; ".join(entry.data["alarms"])
    return News(
        Severity.CRITICAL, f"Order {name}: evidence against its end", text, f"evidence {entry.object_id}|"
    )


def _orphan(entry: AuditEntry) -> News:
    text = "It carries our prefix and was not in the database: adopted, and its account is halted."
    return News(Severity.CRITICAL, f"Orphan order {entry.data['client_order_id']} at the venue", text)


def _audit_damaged(entry: AuditEntry) -> News:
    return News(Severity.CRITICAL, "The audit trail is damaged", str(entry.data["reason"]), "audit damage|")


def _trigger_silent(entry: AuditEntry) -> News:
    data = entry.data
    text = f"{data['reason']}. What it watches for is not seen now: look at the supervisor's log."
    return News(
        Severity.CRITICAL, f"The trigger {data['trigger']} does not run", text, f"trigger {data['trigger']}|"
    )


def _role_silent(entry: AuditEntry) -> News:
    data = entry.data
    return News(
        Severity.CRITICAL if data["critical"] else Severity.WARNING,
        f"The role {data['role']} gives no sign of life",
        f"{data['reason']}. {data['money']}",
        f"heartbeat {data['role']}|",
    )


def _stream_gap(entry: AuditEntry) -> News:
    data = entry.data
    text = f"{data['reason']}.\nThe fill was found by polling and is in the books; the stream begins anew."
    return News(
        Severity.WARNING,
        f"The private stream of {data['account']} did not tell of a fill",
        text,
        f"stream gap {data['account']}|",
    )


def _stream_lost(entry: AuditEntry) -> News:
    """By itself no more than news: it is begun again within seconds, and what lasts is the trigger's."""
    data = entry.data
    text = f"{data['reason']}\nFills are found by polling until it is live again."
    return News(
        Severity.INFO,
        f"The private stream of {data['account']} was lost",
        text,
        f"stream {data['account']}|",
    )


def _stream_live(entry: AuditEntry) -> None:
    _acknowledge_over("stream.lost", f"stream {entry.data['account']}|", entry)


def _reports_unsigned(entry: AuditEntry) -> News:
    """Nobody has to sign for play money."""
    paper = settings.LEVI_MODE == TradingMode.PAPER
    count, oldest = entry.data["waiting"], entry.data["oldest"]
    return News(
        Severity.INFO if paper else Severity.WARNING,
        f"{count} daily report{'s wait' if count > 1 else ' waits'} for a signature, the oldest of {oldest}",
        "Read it and sign it: on the page Daily reports, or by the API. It takes the role risk.",
        "reports unsigned|",
    )


def _report_signed(entry: AuditEntry) -> None:
    _acknowledge_over("report.unsigned", "reports unsigned|", entry)


def _strategy_tripped(entry: AuditEntry) -> News:
    data = entry.data
    text = "It made as many orders as it may before a person looks. Enable it on its page to go on."
    return News(
        Severity.WARNING,
        f"Strategy {data['name']} is disabled by its limit",
        text,
        f"tripped {entry.object_id}|",
    )


def _limit_band(entry: AuditEntry) -> News:
    data = entry.data
    severity = Severity.WARNING if int(data["band"]) >= 75 else Severity.INFO
    subject = f"{data['label']} of {data['scope_name']}: {data['share_pct']} % of the limit in use"
    return News(
        severity,
        subject,
        f"Warned at {data['band']} %.",
        f"limit {data['limit']} {data['scope_name']}|{data['band']}",
    )


def _drill_overdue(entry: AuditEntry) -> News:
    return News(
        Severity.WARNING, "A drill of the kill path is overdue", str(entry.data["why"]), "drill overdue|"
    )


def _drill_finished(entry: AuditEntry) -> News | None:
    data = entry.data
    if data["verdict"] == "clean" and data["released"]:
        _acknowledge_over("drill.overdue", "drill overdue|", entry)
        return None
    return News(
        Severity.CRITICAL,
        f"A drill on {data['account']} ended {data['verdict']}",
        "The kill path did not prove the venue empty. Its account stays halted: look at the sweep's report.",
    )


def _approval_requested(entry: AuditEntry) -> News:
    data = entry.data
    text = f"{data['requested_by']} asks: {data['reason']}\nIt needs another operator within ten minutes."
    return News(Severity.WARNING, f"Approval wanted: {data['subject']}", text, f"approval {entry.object_id}|")


def _approval_closed(entry: AuditEntry) -> None:
    _acknowledge_over("approval.requested", f"approval {entry.object_id}|", entry)


def _flatten_requested(entry: AuditEntry) -> News:
    positions = entry.data["positions"]
    going_on = [f"algo {pk} could not be paused: pause it" for pk in entry.data.get("algos_not_stopped", ())]
    text = f"{entry.data['requested_by']}: {entry.data['reason']}\n" + "\n".join([*positions, *going_on])
    return News(Severity.WARNING, f"Closing {len(positions)} positions", text)


def _flatten_flat(_entry: AuditEntry) -> News:
    return News(Severity.INFO, "Flat: every position is closed")


def _flatten_remains(entry: AuditEntry) -> News:
    lines = [f"{name}: {line['left']}, {line['why']}" for name, line in entry.data["report"].items()]
    return News(Severity.CRITICAL, "Flatten: not all is closed", "\n".join(lines))


def _algo_title(data: Mapping[str, Any]) -> str:
    return f"{data['kind'].upper()} {data['side']} {data['quantity']} {data['symbol']} on {data['account']}"


def _algo_paused(entry: AuditEntry) -> News | None:
    """By itself or by a halt; who pauses one by hand knows it."""
    if not entry.actor.startswith("system:"):
        return None
    text = f"{entry.data['reason']}\nIt stays so until a person resumes or cancels it."
    return News(Severity.WARNING, f"Paused: {_algo_title(entry.data)}", text, f"algo {entry.object_id}|")


def _algo_expired(entry: AuditEntry) -> News:
    title = f"Out of time: {_algo_title(entry.data)}"
    return News(Severity.WARNING, title, f"{entry.data['reason']}. The rest was not ordered.")


def _algo_goes_on(entry: AuditEntry) -> None:
    _acknowledge_over("algo.paused", f"algo {entry.object_id}|", entry)


def _key_checked(entry: AuditEntry) -> News | None:
    """A good answer is the end of what was told before."""
    news = key_news.key_checked(entry)
    for event in () if news else ("credential.checked", "credential.unanswered"):
        _acknowledge_over(event, key_news.key_prefix(entry), entry)
    return news


def _break_glass(entry: AuditEntry) -> News:
    return News(Severity.INFO, "The break-glass key file was prepared", f"By {entry.actor}.")


NEWS: dict[str, Callable[[AuditEntry], News | None]] = {
    "halt.engaged": _halt_engaged,
    "halt.released": _halt_released,
    "sweep.clean": _sweep_clean,
    "sweep.survivors": _sweep_survivors,
    "break.opened": _break_opened,
    "break.beyond": _break_opened,
    "break.resolved": _break_resolved,
    "order.quarantined": _quarantined,
    "order.orphan": _orphan,
    "alarm.order": _late_evidence,
    "alarm.audit": _audit_damaged,
    "alarm.trigger": _trigger_silent,
    "alarm.heartbeat": _role_silent,
    "stream.gap": _stream_gap,
    "stream.lost": _stream_lost,
    "stream.live": _stream_live,
    "report.unsigned": _reports_unsigned,
    "report.signed": _report_signed,
    "strategy.tripped": _strategy_tripped,
    "limits.band": _limit_band,
    "drill.overdue": _drill_overdue,
    "drill.finished": _drill_finished,
    "break_glass.prepared": _break_glass,
    "credential.checked": _key_checked,
    "credential.unanswered": key_news.key_unanswered,
    "algo.paused": _algo_paused,
    "algo.resumed": _algo_goes_on,
    "algo.canceling": _algo_goes_on,
    "algo.completed": _algo_goes_on,
    "algo.expired": _algo_expired,
    "flatten.requested": _flatten_requested,
    "flatten.flat": _flatten_flat,
    "flatten.remains": _flatten_remains,
    "factor.removed": people_news.factor_removed,
    "session.locked_out": people_news.locked_out,
    "session.began": people_news.superuser_in,
    "operator.created": people_news.operator_made,
    "operator.changed": people_news.rights_changed,
    "approval.requested": _approval_requested,
    **dict.fromkeys(
        ("approval.approved", "approval.refused", "approval.expired", "approval.void"), _approval_closed
    ),
}


def alert_on(entry: AuditEntry) -> None:
    """The audit trail's listener: an alert for an entry that has a row in the table."""
    describe = NEWS.get(entry.kind)
    try:
        news = describe(entry) if describe else None
    except (KeyError, TypeError, AttributeError, ValueError):
        # The entry may be a halt's: words that cannot be found must not undo what they are about.
        log.exception("no words for the audit entry %s", entry.kind)
        news = News(Severity.WARNING, f"{entry.kind} by {entry.actor}", "See the audit trail for what it is.")
    if news is not None:
        notify(entry.kind, news.severity, news.subject, news.text, dedupe_key=news.key)


def _acknowledge_over(event: str, key: str, entry: AuditEntry) -> None:
    """What is over. Rows that the writer of an engagement never touches, so a halt waits for none of this."""
    over = Alert.objects.filter(event=event, dedupe_key__startswith=key, acknowledged_at__isnull=True)
    over.update(acknowledged_at=entry.at, acknowledged_by=f"{entry.kind} by {entry.actor}"[:150])


def acknowledge_alert(alert_id: UUID, *, actor: Actor) -> Alert:
    """Somebody has seen it; what repeats it is acknowledged with it. Raises UnknownName. The first word counts."""
    with transaction.atomic(durable=True):
        alert = Alert.objects.filter(pk=alert_id).first()
        if alert is None:
            raise UnknownName(f"There is no alert {alert_id}.", code="unknown_alert")
        first = alert.repeat_of_id or alert.id
        now = timezone.now()
        waiting = Alert.objects.filter(acknowledged_at__isnull=True)
        seen = waiting.filter(pk=first).update(acknowledged_at=now, acknowledged_by=str(actor))
        seen += waiting.filter(repeat_of=first).update(acknowledged_at=now, acknowledged_by=str(actor))
        if seen:
            audit.record(
                "alert.acknowledged",
                actor=actor,
                object_type="alert",
                object_id=first,
                data={"event": alert.event, "severity": alert.severity, "subject": alert.subject},
            )
    alert.refresh_from_db()
    return alert
