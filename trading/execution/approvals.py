"""Four eyes: one person asks, another approves within ten minutes, and exactly what was shown is done.

A request is bound to the hash of its payload and to the epoch: a halt engaged in between makes it void. Author and
approver are different people, each with a fresh second factor; programs can be neither. Deciding and doing are two
commits: the verb itself uses the approval up in its own transaction, so an approval is good for one act, and a process
that dies in between leaves an approval that nobody can use after its ten minutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from trading import audit
from trading.domain.actors import Actor, ActorKind, system_actor
from trading.domain.chain import canonical
from trading.domain.enums import ApprovalKind, ApprovalState
from trading.domain.errors import InvalidInput, LeviError, NotAllowed, StaleDecision, UnknownName
from trading.locking import lock_approval
from trading.models import ApprovalRequest
from trading.queries.halts import current_epoch

from .approval_kinds import ACTS, ApprovableAct
from .authority import demand_fresh_factor, hash_payload, needs_second_person
from .halts import MAX_REASON

APPROVAL_LIFE = timedelta(minutes=10)


def act_or_propose(
    kind: ApprovalKind, payload: Mapping[str, Any], *, subject: str, reason: str, actor: Actor
) -> Any:
    """What a door calls: the verb's own result, or the ApprovalRequest that now waits for a second person."""
    if needs_second_person(kind):
        return propose(kind, payload, subject=subject, reason=reason, actor=actor)
    return _act_of(kind).act(payload, reason=reason, actor=actor, approval=None)


def propose(
    kind: ApprovalKind | str, payload: Mapping[str, Any], *, subject: str, reason: str, actor: Actor
) -> ApprovalRequest:
    """Ask for a second person. The same thing asked for twice is one request."""
    act, payload, reason = _act_of(kind), canonical(dict(payload)), reason.strip()[:MAX_REASON]
    _demand_person(actor, act)
    if not reason:
        raise InvalidInput("A request needs a reason.", remedy="Say why, in a sentence.", field="reason")
    act.check(payload)
    expire_overdue()
    now = timezone.now()
    with transaction.atomic(durable=True):
        row, is_new = ApprovalRequest.objects.get_or_create(
            kind=kind,
            payload_hash=hash_payload(kind, payload),
            state=ApprovalState.PENDING,
            defaults={
                "subject": subject[:300],
                "payload": payload,
                "epoch": current_epoch(),
                "requested_by": str(actor),
                "reason": reason,
                "request_id": actor.request_id,
                "requested_at": now,
                "expires_at": now + APPROVAL_LIFE,
            },
        )
        if is_new:
            _record("requested", row, actor)
    return row


def approve(request_id: UUID, *, actor: Actor) -> ApprovalRequest:
    """Another person's yes; what was asked for is done before this returns. Raises what the act raises."""
    with transaction.atomic(durable=True):
        row = _lock_pending(request_id)
        act = ACTS[ApprovalKind(row.kind)]
        _demand_person(actor, act)
        if row.requested_by == str(actor):
            raise NotAllowed(
                "You asked for this yourself.",
                remedy="Another operator with the role risk has to approve it.",
                code="same_person",
            )
        problem = _why_void(row)
        _close(row, ApprovalState.VOID if problem else ApprovalState.APPROVED, actor, problem)
    if problem:
        raise StaleDecision(problem, remedy="Look again, and ask again.")
    author = Actor(ActorKind.OPERATOR, row.requested_by.partition(":")[2], actor.request_id)
    try:
        act.act(row.payload, reason=row.reason, actor=author, approval=row)
    except LeviError as error:
        _note_failure(row, error, actor)
        raise
    row.refresh_from_db()
    return row


def refuse(request_id: UUID, *, reason: str, actor: Actor) -> ApprovalRequest:
    """Another person's no, or the author's own change of mind. Needs no second factor: nothing happens by it."""
    reason = reason.strip()[:MAX_REASON]
    if not reason:
        raise InvalidInput("A refusal needs a reason.", remedy="Say why, in a sentence.", field="reason")
    with transaction.atomic():
        row = _lock_pending(request_id)
        _close(row, ApprovalState.REFUSED, actor, reason)
    return row


def expire_overdue() -> int:
    """Close what nobody decided in time. Called at every request and by beat; forgetting it changes nothing."""
    overdue = ApprovalRequest.objects.filter(state=ApprovalState.PENDING, expires_at__lte=timezone.now())
    closed = 0
    for row_id in list(overdue.values_list("id", flat=True)[:100]):
        with transaction.atomic(durable=True):
            row = lock_approval(row_id)
            if row is not None and row.state == ApprovalState.PENDING:
                _close(row, ApprovalState.EXPIRED, system_actor("approvals"), "nobody decided in time")
                closed += 1
    return closed


def _act_of(kind: ApprovalKind | str) -> ApprovableAct:
    found = ACTS.get(ApprovalKind(kind))
    if found is None:
        raise InvalidInput(f"Nothing of the kind {kind} can be approved.", field="kind")
    return found


def _demand_person(actor: Actor, act: ApprovableAct) -> None:
    demand_fresh_factor(actor, act.noun)
    if actor.kind is not ActorKind.OPERATOR:
        raise NotAllowed(
            "Only an operator can ask for or give an approval.",
            remedy="Sign in to the panel; on the command line say --operator NAME --code 123456.",
            code="operator_required",
        )


def _lock_pending(request_id: UUID) -> ApprovalRequest:
    row = lock_approval(request_id)
    if row is None:
        raise UnknownName(f"There is no request {request_id}.", code="unknown_approval")
    if row.state != ApprovalState.PENDING or row.expires_at <= timezone.now():
        state = row.state if row.state != ApprovalState.PENDING else ApprovalState.EXPIRED
        raise StaleDecision(f"This request is {state}.", remedy="Ask again if it is still wanted.")
    return row


def _why_void(row: ApprovalRequest) -> str:
    if row.epoch != current_epoch():
        return "A halt was engaged since this was asked for."
    if hash_payload(row.kind, row.payload) != row.payload_hash:
        return "The request is not what was asked for."
    return ""


def _close(row: ApprovalRequest, state: ApprovalState, actor: Actor, answer: str = "") -> None:
    row.state, row.decided_by, row.decided_at = state.value, str(actor), timezone.now()
    row.answer = answer[:MAX_REASON]
    row.save(update_fields=["state", "decided_by", "decided_at", "answer"])
    _record(state.value, row, actor)


def _note_failure(row: ApprovalRequest, error: LeviError, actor: Actor) -> None:
    """Approved, but the act refused: the approval is void, and its record says why."""
    with transaction.atomic(durable=True):
        locked = lock_approval(row.pk)
        if locked is not None and locked.used_at is None:
            _close(locked, ApprovalState.VOID, actor, f"could not be done: {error.message}")


def _record(verb: str, row: ApprovalRequest, actor: Actor) -> None:
    audit.record(
        f"approval.{verb}",
        actor=actor,
        object_type="approval",
        object_id=row.id,
        data={
            "kind": row.kind,
            "subject": row.subject,
            "payload": row.payload,
            "epoch": row.epoch,
            "requested_by": row.requested_by,
            "reason": row.reason,
            "answer": row.answer,
        },
    )
