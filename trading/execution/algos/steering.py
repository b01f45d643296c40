"""Pause, resume, cancel: a person's or a program's word on a living algo.

Pausing and canceling are never blocked by anything. When they have returned, no new child is made, and what is alive
has its cancel asked for. Resuming moves the rest of the schedule by the length of the pause, and is refused while a
halt stands.
"""

from __future__ import annotations

import logging
from uuid import UUID

from django.db import OperationalError

from trading.domain.actors import Actor
from trading.domain.enums import AlgoState
from trading.domain.errors import InvalidInput
from trading.domain.order_states import TERMINAL
from trading.locking import is_lock_trouble
from trading.models import Algo
from trading.queries.algos import read_children
from trading.queries.halts import current_epoch

from ..algo_changes import locked_algo, move_algo
from .halting import why_halted
from .running import withdraw

log = logging.getLogger(__name__)


def pause_algo(algo_id: UUID, *, reason: str = "", actor: Actor) -> Algo:
    """No new child, and those that are alive are withdrawn. Asked again it changes nothing."""
    return _stop(algo_id, AlgoState.PAUSED, reason=reason.strip() or f"paused by {actor}", actor=actor)


def cancel_algo(algo_id: UUID, *, reason: str = "", actor: Actor) -> Algo:
    """The end of it: as soon as nothing of it is alive it is canceled. Asked again it changes nothing."""
    return _stop(algo_id, AlgoState.CANCELING, reason=reason.strip() or f"canceled by {actor}", actor=actor)


def _stop(algo_id: UUID, state: AlgoState, *, reason: str, actor: Actor) -> Algo:
    for tried in range(1, _TRIES + 1):
        try:
            algo = _move_there(algo_id, state, reason=reason, actor=actor)
            break
        except OperationalError as error:
            if tried == _TRIES or not is_lock_trouble(error):
                raise
            log.info("algo %s is held by somebody; asking again", algo_id)
    withdraw([row for row in read_children(algo) if row.order.status not in TERMINAL])
    return algo


def _move_there(algo_id: UUID, state: AlgoState, *, reason: str, actor: Actor) -> Algo:
    with locked_algo(algo_id) as algo:
        if algo.state != state:
            _refuse_unless(algo, {AlgoState.RUNNING} if state is AlgoState.PAUSED else _CANCELABLE)
            move_algo(algo, state, reason=reason, actor=actor)
    return algo


_CANCELABLE = {AlgoState.RUNNING, AlgoState.PAUSED}
# A child that waits for its account holds its parent as long as one lock may be waited for: its end is worth the wait.
_TRIES = 3


def resume_algo(algo_id: UUID, *, reason: str = "", actor: Actor) -> Algo:
    """Raises InvalidInput while a halt of its scopes stands."""
    epoch = current_epoch()  # before the scopes: an engagement in between is met at its next step
    with locked_algo(algo_id) as algo:
        if algo.state != AlgoState.RUNNING:
            _refuse_unless(algo, {AlgoState.PAUSED})
            _refuse_halted(algo)
            move_algo(
                algo,
                AlgoState.RUNNING,
                reason=reason.strip() or f"resumed by {actor}",
                actor=actor,
                epoch=epoch,
                forgiven=algo.children.count(),
            )
    return algo


def _refuse_halted(algo: Algo) -> None:
    if halted := why_halted(algo):
        raise InvalidInput(
            f"It cannot go on: {halted}.", remedy="Release the halt first, then resume.", code="halted"
        )


def _refuse_unless(algo: Algo, states: set[AlgoState]) -> None:
    if algo.state not in states:
        raise InvalidInput(
            f"The algo is {algo.get_state_display()}.",
            remedy="Only an algo that runs can be paused, and only a paused one resumed."
            if algo.finished_at is None
            else "It has ended: start a new one.",
            code="algo_state",
            state=algo.state,
        )
