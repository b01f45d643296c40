"""Halts: engage in one step, release with reasons, latched until a person releases.

Engage: (1) the local stop flag, for the widest scope; (2) one transaction: exclusive halt lock, state, epoch + 1,
history, sweep, audit; if a stopped process keeps the lock for two seconds, commit without it; (3) drain: every permit
that was given before the commit has run out a second after it; (4) the answer. From then on no process starts to write
a new order. The sweep that cancels what is open runs elsewhere (sweep.py) and needs neither Redis nor a worker.

Works with Redis and every worker dead. Releasing never restores an approval made before the halt (epoch).
"""

from __future__ import annotations

import logging
import time
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from trading import audit
from trading.domain.actors import Actor
from trading.domain.enums import ApprovalKind, CancelScope, HaltScope, OrderStatus, TradingState
from trading.domain.errors import InvalidInput, NotAllowed, StaleDecision, UnknownName
from trading.failpoints import failpoint
from trading.locking import is_lock_trouble, take_halt_lock
from trading.metrics import HALT_SECONDS
from trading.models import ApprovalRequest, HaltChange, HaltState, Order, Sweep
from trading.queries.halts import current_epoch
from trading.queries.start_up import missing_after_start
from trading.stop_flag import find_stop_flag, lower_stop_flag, raise_stop_flag

from .authority import demand_fresh_factor, use_approval
from .dispatch_limits import PERMIT_SECONDS

log = logging.getLogger(__name__)
LOCK_WAIT_MS = 2000
ROW_WAIT_SECONDS = 10.0
_NAP_SECONDS = 0.02
MAX_REASON = 300


@dataclass(frozen=True, slots=True)
class Engagement:
    """The answer to an engage. `drained`: no permit can still be used. `in_flight`: sent before, outcome pending."""

    epoch: int
    scope: HaltScope
    target: str
    state: TradingState
    change_id: UUID
    sweep_id: UUID | None
    in_flight: list[str]
    drained: bool
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "seconds": f"{self.seconds:.3f}"}


def engage(
    scope: HaltScope,
    target: str = "",
    *,
    state: TradingState = TradingState.HALTED,
    reason: str,
    actor: Actor,
    trigger: str = "manual",
    cancel: CancelScope | None = CancelScope.OURS,
) -> Engagement:
    """Halt (or set to reducing) one scope, in one step. `cancel` None leaves open orders alone."""
    began = time.perf_counter()
    reason = (reason.strip() or "manual")[:MAX_REASON]
    if state is TradingState.ACTIVE:
        raise InvalidInput(
            "Engaging sets a scope to halted or reducing.", remedy="Use release to activate it."
        )
    if scope is HaltScope.EVERYTHING and state is TradingState.HALTED:
        _raise_local_flag(reason, actor)
    failpoint("halts.after_flag")
    change, epoch, sweep, granted = _commit_engagement(
        scope, target, state, reason=reason, actor=actor, trigger=trigger, cancel=cancel
    )
    failpoint("halts.after_commit")
    committed = time.perf_counter()
    HALT_SECONDS.labels("gate").observe(committed - began)
    drained, in_flight = _drain(committed, lock_granted=granted)
    HALT_SECONDS.labels("drain").observe(time.perf_counter() - committed)
    if sweep is not None and drained:
        Sweep.objects.filter(pk=sweep.pk).update(drained_at=timezone.now())
    failpoint("halts.after_drain")
    sweep_id = sweep.id if sweep else None
    seconds = time.perf_counter() - began
    return Engagement(epoch, scope, target, state, change.id, sweep_id, in_flight, drained, seconds)


def _raise_local_flag(reason: str, actor: Actor) -> None:
    """First, because it needs no database; but a disk that refuses it must not keep the database from halting."""
    try:
        raise_stop_flag(settings.STOP_FLAG, reason, str(actor))
    except OSError as error:
        log.error(
            "the stop flag of this host cannot be raised (%s); the halt goes on without it", error.strerror
        )


def _commit_engagement(
    scope: HaltScope,
    target: str,
    state: TradingState,
    *,
    reason: str,
    actor: Actor,
    trigger: str,
    cancel: CancelScope | None,
) -> tuple[HaltChange, int, Sweep | None, bool]:
    """The transaction of an engagement. A stopped process that holds a row of it loses it when the server ends its idle
    transaction, after five seconds: until then it is tried again."""
    give_up_at = time.monotonic() + ROW_WAIT_SECONDS
    while True:
        try:
            with transaction.atomic(durable=True):
                granted = take_halt_lock(LOCK_WAIT_MS)
                change, epoch = _write_change(
                    scope, target, state, reason=reason, actor=actor, trigger=trigger, raise_epoch=True
                )
                sweep = None
                if cancel is not None and state is TradingState.HALTED:
                    sweep = Sweep.objects.create(change=change, cancel_scope=cancel, engaged_at=change.at)
                failpoint("halts.before_commit")
            return change, epoch, sweep, granted
        except OperationalError as error:
            if not is_lock_trouble(error) or time.monotonic() > give_up_at:
                raise


def release_payload(scope: HaltScope, target: str, seen_epoch: int | None) -> dict[str, Any]:
    """What an approval of this release is bound to."""
    return {"scope": scope.value, "target": target, "seen_epoch": seen_epoch}


def release(
    scope: HaltScope,
    target: str = "",
    *,
    reason: str,
    actor: Actor,
    seen_epoch: int | None = None,
    approval: ApprovalRequest | None = None,
) -> HaltState:
    """Set one scope to active again. Raises NotAllowed naming what is missing, StaleDecision if a new halt came.

    Outside paper mode the actor's second factor must be fresh; in production `approval` is the second person's word.
    """
    reason = reason.strip()[:MAX_REASON]
    if approval is None:  # its author proved the factor when asking
        demand_fresh_factor(actor, "a release")
    if not reason:
        raise NotAllowed(
            "A release needs a reason.", remedy="Say why it is safe to trade again.", code="reason_missing"
        )
    flag = find_stop_flag(settings.STOP_FLAG) if scope is HaltScope.EVERYTHING else None
    if approval is not None and flag is not None and flag.since > approval.requested_at:
        raise StaleDecision("The stop flag of this host was raised since this was asked for.")
    if scope is HaltScope.EVERYTHING and (missing := missing_after_start()):
        raise NotAllowed(f"It is too early to release: {' '.join(missing)}", code="not_ready")
    with transaction.atomic(durable=True):
        if not take_halt_lock(LOCK_WAIT_MS):  # a halt may go on without the lock, a release never
            raise StaleDecision(
                "A permit or another halt is being written.", remedy="Try again in a few seconds."
            )
        epoch = current_epoch()
        if seen_epoch not in (None, epoch):
            raise StaleDecision("Another halt was engaged since this page was shown.", seen_epoch=seen_epoch)
        use_approval(ApprovalKind.RELEASE, release_payload(scope, target, seen_epoch), approval)
        _write_change(
            scope,
            target,
            TradingState.ACTIVE,
            reason=reason,
            actor=actor,
            trigger="release",
            raise_epoch=False,
            approved_by=approval.decided_by if approval else "",
        )
        row = HaltState.objects.get(scope=scope, target=target)
        if current_epoch() != epoch:  # engaged without the lock, while we waited for the row: the halt wins
            raise StaleDecision("Another halt was engaged at the same moment.", seen_epoch=epoch)
        failpoint("halts.before_release_commit")
    if scope is HaltScope.EVERYTHING:
        lower_stop_flag(settings.STOP_FLAG, flag)
    return row


def missing_for_release(scope: HaltScope, target: str = "") -> list[str]:
    """What still stands between this scope and its release, as sentences; empty: a reason is all it takes."""
    row = HaltState.objects.filter(scope=scope, target=target).first()
    if row is None:
        return ["This scope has no state."]
    if row.state == TradingState.ACTIVE and not (
        scope is HaltScope.EVERYTHING and settings.STOP_FLAG.exists()
    ):
        return ["It is not halted."]
    return missing_after_start() if scope is HaltScope.EVERYTHING else []


def _write_change(
    scope: HaltScope,
    target: str,
    state: TradingState,
    *,
    reason: str,
    actor: Actor,
    trigger: str,
    raise_epoch: bool,
    approved_by: str = "",
) -> tuple[HaltChange, int]:
    """State, epoch, history and audit. The caller is in the transaction."""
    row = HaltState.objects.filter(scope=scope, target=target).first()
    if row is None and scope is not HaltScope.EVERYTHING:
        raise UnknownName(
            f"There is no {scope} {target!r} to halt.",
            remedy="Name an account, a strategy or a symbol that exists.",
            code=f"unknown_{scope}",
        )
    if state is not TradingState.ACTIVE:
        # A missing state counts as halted.
        _refuse_loosening(TradingState(row.state) if row else TradingState.HALTED, state)
    before = row.state if row else "missing"
    change = HaltChange(
        scope=scope,
        target=target,
        before=before,
        after=state,
        reason=reason,
        trigger=trigger,
        actor=str(actor),
        request_id=actor.request_id,
        at=timezone.now(),
    )
    change.epoch = epoch = _write_rows(change, raise_epoch=raise_epoch)
    kind = "halt.released" if state is TradingState.ACTIVE else "halt.engaged"
    audit.record(
        kind,
        actor=actor,
        object_type="halt",
        object_id=change.id,
        data={
            "scope": scope,
            "target": target,
            "before": before,
            "after": state,
            "reason": reason,
            "trigger": trigger,
            "epoch": epoch,
            **({"approved_by": approved_by} if approved_by else {}),
        },
    )
    return change, epoch


# Also where a row is missing. Raised, it voids every approval from before.
_EPOCH = {
    True: """
INSERT INTO trading_controlepoch AS known (id, epoch, raised_at, expected_build) VALUES (1, 2, %(at)s, '')
    ON CONFLICT (id) DO UPDATE SET epoch = known.epoch + 1, raised_at = excluded.raised_at RETURNING epoch
""",
    False: "SELECT coalesce((SELECT epoch FROM trading_controlepoch WHERE id = 1), 0) AS epoch",
}
_CHANGE = """
WITH now AS ({epoch}), written AS (
INSERT INTO trading_haltstate AS known (scope, target, state, reason, trigger, actor, since, epoch)
SELECT %(scope)s, %(target)s, %(after)s, %(words)s, %(trigger)s, %(actor)s, %(at)s, epoch FROM now
    ON CONFLICT (scope, target) DO UPDATE SET state = excluded.state, reason = excluded.reason,
       trigger = excluded.trigger, actor = excluded.actor, since = excluded.since, epoch = excluded.epoch
 WHERE NOT (known.state = 'halted' AND excluded.state = 'reducing')
RETURNING 1
)
INSERT INTO trading_haltchange (id, scope, target, before, after, reason, trigger, actor, epoch, request_id, at)
SELECT %(id)s, %(scope)s, %(target)s, %(before)s, %(after)s, %(reason)s, %(trigger)s, %(actor)s, epoch,
       %(request_id)s, %(at)s FROM now
RETURNING epoch, EXISTS (SELECT FROM written)
"""


def _write_rows(change: HaltChange, *, raise_epoch: bool) -> int:
    """Epoch, state and history in one round trip, because an operator waits for it: the epoch's row is locked first."""
    columns = {field.attname: getattr(change, field.attname) for field in HaltChange._meta.concrete_fields}
    active = change.after == TradingState.ACTIVE
    with connection.cursor() as cursor:
        cursor.execute(
            _CHANGE.format(epoch=_EPOCH[raise_epoch]), columns | {"words": "" if active else change.reason}
        )
        epoch, is_written = cursor.fetchone()
    if not is_written:  # halted by somebody who was not granted the lock, while we waited for the row
        _refuse_loosening(TradingState.HALTED, TradingState(change.after))
    return int(epoch)


def _refuse_loosening(before: TradingState, state: TradingState) -> None:
    """From halted to reducing is a release in part: it needs the right to release, which engaging does not ask for."""
    if state.restriction < before.restriction:
        raise NotAllowed(
            f"This scope is {before}; {state} would allow more.",
            remedy="Release it first, then set it to reducing.",
            code="would_loosen",
        )


def _young_permits() -> list[str]:
    """Orders whose permit may still be used, by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT client_order_id FROM trading_order WHERE status = 'submitting'"
            " AND permit_at > clock_timestamp() - make_interval(secs => %s)",
            [PERMIT_SECONDS],
        )
        return [row[0] for row in cursor.fetchall()]


def _drain(committed: float, *, lock_granted: bool) -> tuple[bool, list[str]]:
    """Wait until every permit given before the commit has been used up or has run out: a second at most.

    Without the exclusive lock a permit may have been claimed but not yet be visible; its second began before the
    commit all the same, so waiting out the full second covers it.
    """
    end = committed + PERMIT_SECONDS + _NAP_SECONDS
    while time.perf_counter() < end:
        if lock_granted and not _young_permits():
            break
        time.sleep(_NAP_SECONDS)
    in_flight = Order.objects.filter(status=OrderStatus.SUBMITTING).values_list("client_order_id", flat=True)
    return True, list(in_flight[:500])
