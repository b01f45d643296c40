"""The life of one order on one time axis, and how long each stage took.

Merges what the signal, the decision, the permits, the answers, the evidence, the fills and the audit trail know.
A fixed number of queries; long histories are cut and say so. Nothing here is stored or decides anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from trading.domain.denials import explain_codes, explain_reason
from trading.domain.money import plain
from trading.models import AuditEntry, Decision, Fill, Order, OrderAttempt, OrderEvidence

MOST = 200


@dataclass(frozen=True, slots=True)
class Event:
    """`source` tells which record says so; `gap` is the time since the event before, in seconds."""

    at: datetime
    source: str
    title: str
    detail: str = ""
    word: str = ""  # a status or verdict, shown as a badge
    gap: float | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """`tone`: busy while Levi works, calm while the venue does, good for the end."""

    name: str
    begin: datetime
    end: datetime
    tone: str = "busy"

    @property
    def seconds(self) -> float:
        return (self.end - self.begin).total_seconds()


@dataclass(frozen=True, slots=True)
class OrderHistory:
    """Everything an order's page shows besides the row itself."""

    decision: Decision | None
    attempts: list[OrderAttempt]
    evidence: list[OrderEvidence]
    fills: list[Fill]
    entries: list[AuditEntry]
    events: list[Event]
    stages: list[Stage]
    is_cut: bool


def read_history(order: Order) -> OrderHistory:
    """`order` comes with its signal already selected."""
    decision = Decision.objects.filter(order=order).first()
    attempts = list(OrderAttempt.objects.filter(order=order).order_by("number")[:MOST])
    evidence = list(OrderEvidence.objects.filter(order=order).order_by("at", "id")[:MOST])
    fills = list(Fill.objects.filter(order=order).order_by("filled_at", "id")[:MOST])
    trail = AuditEntry.objects.filter(object_type="order", object_id=str(order.id)).order_by("-id")
    entries = list(reversed(trail[:MOST]))
    events = sorted(
        [
            *_beginning(order, decision),
            *(event for attempt in attempts for event in _of_attempt(attempt)),
            *map(_of_evidence, evidence),
            *map(_of_fill, fills),
            *map(_of_entry, entries),
        ],
        key=lambda event: event.at,
    )
    is_cut = MOST in (len(attempts), len(evidence), len(fills), len(entries))
    return OrderHistory(
        decision,
        attempts,
        evidence,
        fills,
        entries,
        _with_gaps(events),
        _stages(order, decision, attempts, fills),
        is_cut,
    )


def _beginning(order: Order, decision: Decision | None) -> Iterator[Event]:
    if order.signal is not None:
        yield Event(
            order.signal.received_at,
            "signal",
            "Received",
            f"from {order.signal.source}, key {order.signal.key}",
        )
    if decision is not None:
        word = "approved by rules" if decision.allowed else "denied"
        detail = f"{len(decision.checks)} checks, epoch {decision.epoch}"
        why = explain_codes(map(str, decision.codes))
        yield Event(decision.at, "decision", "Decided", f"{detail}: {why}" if why else detail, word)


def _of_attempt(attempt: OrderAttempt) -> Iterator[Event]:
    name = f"attempt {attempt.number}"
    yield Event(attempt.permit_at, "permit", f"Permit given, {name}", f"to {attempt.process}")
    if attempt.sent_at:
        yield Event(attempt.sent_at, "wire", f"First byte sent, {name}")
    if attempt.finished_at:
        answered = f"HTTP {attempt.http_status}" if attempt.http_status else ""
        parts = (answered, attempt.venue_code, attempt.detail)
        outcome = attempt.outcome.replace("_", " ")
        yield Event(attempt.finished_at, "wire", f"Outcome, {name}", " · ".join(filter(None, parts)), outcome)


def _of_evidence(row: OrderEvidence) -> Event:
    return Event(row.at, "evidence", f"{row.source}: {row.kind}".replace("_", " "), _short(row.detail))


def _of_fill(fill: Fill) -> Event:
    maker = "maker" if fill.is_maker else "taker"
    detail = f"{plain(fill.quantity)} at {plain(fill.price)}, fee {plain(fill.fee)} {fill.fee_asset}, {maker}"
    return Event(fill.filled_at, "fill", "Fill", detail)


def _of_entry(entry: AuditEntry) -> Event:
    word = str(entry.data.get("status", "")) if entry.kind.startswith("order.") else ""
    why = explain_reason(str(entry.data.get("reason") or ""))
    detail = f"by {entry.actor}" + (f": {why}" if why else "")
    return Event(entry.at, "audit", entry.kind, detail, word)


def _short(detail: dict[str, Any]) -> str:
    return ", ".join(
        f"{name.replace('_', ' ')} {value}" for name, value in detail.items() if value not in ("", None)
    )


def _with_gaps(events: list[Event]) -> list[Event]:
    first = events[:1]
    return first + [
        Event(e.at, e.source, e.title, e.detail, e.word, (e.at - before.at).total_seconds())
        for before, e in pairwise(events)
    ]


def _stages(
    order: Order, decision: Decision | None, attempts: list[OrderAttempt], fills: list[Fill]
) -> list[Stage]:
    """The marks an order passes, in this order; a mark that is missing joins its neighbours."""
    last = attempts[-1] if attempts else None
    marks = [
        ("", "", order.signal.received_at if order.signal else order.created_at),
        ("decide", "busy", decision.at if decision else None),
        ("wait for the permit", "busy", last.permit_at if last else None),
        ("until the first byte", "busy", last.sent_at if last else None),
        ("the venue's answer", "calm", last.finished_at if last else None),
    ]
    known = [(name, tone, at) for name, tone, at in marks if at is not None]
    stages = [
        Stage(name, before, at, tone) for (_, _, before), (name, tone, at) in pairwise(known) if at >= before
    ]
    answered = known[-1][2]
    stages += _of_fills(last, fills, answered)
    before = max(answered, stages[-1].end) if stages else answered
    # An order ends with the booking of its last fill, unless something else ended it later.
    if order.finished_at is not None and (order.finished_at > before or not fills):
        stages.append(Stage("until the end", before, max(before, order.finished_at), "good"))
    return stages


def _of_fills(last: OrderAttempt | None, fills: list[Fill], answered: datetime) -> Iterator[Stage]:
    """Filling at the venue, by its clock, and booking here. What fills at once does so before the answer is read."""
    if not fills:
        return
    filled, booked = max(fill.filled_at for fill in fills), max(fill.booked_at for fill in fills)
    if filled >= answered:
        yield Stage("until filled", answered, filled, "calm")
    else:
        sent = (last.sent_at if last else None) or answered
        yield Stage("filled before the answer", min(sent, filled), filled, "calm")
    if booked >= filled:
        yield Stage("until booked", filled, booked)
