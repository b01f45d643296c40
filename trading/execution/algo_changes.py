"""How an algo's state changes: one door, so that none moves without its audit entry. Stops many at once, too.

Never touches an order: whoever stops an algo has its children withdrawn by the algo's own next step, or cancels them
itself.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import OperationalError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from trading import audit
from trading.domain.actors import Actor
from trading.domain.algo_states import ENDED, LIVING, can_change
from trading.domain.enums import AlgoState
from trading.domain.errors import IllegalTransition, UnknownName
from trading.doorbell import ring
from trading.failpoints import failpoint
from trading.locking import is_lock_trouble, lock_algo
from trading.models import Algo

log = logging.getLogger(__name__)
_KINDS = {AlgoState.RUNNING: "algo.resumed"}


def algo_data(algo: Algo, **more: Any) -> dict[str, Any]:
    """What every audit entry about an algo carries."""
    return {
        "kind": algo.kind,
        "state": algo.state,
        "account": algo.account.name,
        "symbol": algo.instrument.symbol,
        "side": algo.side,
        "quantity": algo.quantity,
        "strategy": algo.strategy.name if algo.strategy else "",
        **more,
    }


def move_algo(algo: Algo, state: AlgoState, *, reason: str, actor: Actor, **fields: Any) -> None:
    """Move a locked algo, in the caller's transaction. A pause that ends is noted, because the clock stood in it."""
    before, now = AlgoState(algo.state), timezone.now()
    if not can_change(before, state):
        raise IllegalTransition(f"Algo {algo.id} cannot go from {before} to {state}.", algo_id=str(algo.id))
    if before is AlgoState.PAUSED:
        fields["pauses"] = [*algo.pauses, [algo.state_since.isoformat(), now.isoformat()]]
    fields |= {"state": state, "state_reason": reason[:300], "state_since": now, "waiting_for": ""}
    fields |= {"finished_at": now, "next_action_at": None} if state in ENDED else {"next_action_at": now}
    for name, value in fields.items():
        setattr(algo, name, value)
    algo.save(update_fields=list(fields))
    audit.record(
        _KINDS.get(state, f"algo.{state}"),
        actor=actor,
        object_type="algo",
        object_id=algo.id,
        data=algo_data(algo, before=before, reason=reason[:300]),
    )
    if state not in ENDED:
        ring("advance_algo", algo.id)


@contextmanager
def locked_algo(algo_id: UUID) -> Iterator[Algo]:
    """In a transaction of its own, for one change of its state. Raises UnknownName."""
    with transaction.atomic(durable=True):
        try:
            algo = lock_algo(algo_id)
        except Algo.DoesNotExist:
            raise UnknownName(
                f"There is no algo {algo_id}.", remedy="GET /api/v1/algos lists them.", code="unknown_algo"
            ) from None
        yield algo
        failpoint("algos.before_state_commit")
    failpoint("algos.after_state")


@dataclass(frozen=True, slots=True)
class StoppedAlgos:
    """`busy`: somebody held them for too long; they are as they were, and are worth another try."""

    stopped: list[UUID]
    busy: list[UUID]


def stop_algos(algos: QuerySet[Algo], state: AlgoState, *, reason: str, actor: Actor) -> StoppedAlgos:
    """Pause or cancel all of these that live and are not on their way there yet. One that is held, perhaps by a worker
    that was stopped, keeps neither the others waiting nor the caller from what it came for."""
    found = StoppedAlgos([], [])
    for pk in _living(algos):
        try:
            if _stop_one(pk, state, reason=reason, actor=actor):
                found.stopped.append(pk)
        except OperationalError as error:
            if not is_lock_trouble(error):
                raise
            log.warning("algo %s is held by somebody and was not stopped", pk)
            found.busy.append(pk)
    return found


def _living(algos: QuerySet[Algo]) -> Iterable[UUID]:
    return list(algos.filter(state__in=sorted(LIVING)).order_by("pk").values_list("pk", flat=True))


def _stop_one(algo_id: UUID, state: AlgoState, *, reason: str, actor: Actor) -> bool:
    with locked_algo(algo_id) as algo:
        can = can_change(AlgoState(algo.state), state)
        if can:
            move_algo(algo, state, reason=reason, actor=actor)
    return can
