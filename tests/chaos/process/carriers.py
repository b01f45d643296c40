"""What carries on where a process died: pollers, a supervisor and a listener of the venue's stream, the product's own,
themselves killed now and then.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from django.db import DatabaseError, connection

from tests.chaos.process.ground import Ground
from tests.making import PERSON
from trading.domain.algo_states import LIVING
from trading.domain.enums import HaltScope, TradingState
from trading.domain.errors import LeviError
from trading.execution.algos import cancel_algo
from trading.execution.algos.running import run_due_algos
from trading.execution.cancellation import request_cancel
from trading.execution.halts import release
from trading.execution.poller import poll_once
from trading.failpoints import POINTS, FailpointRaised, FailpointRule, arm
from trading.models import Algo, HaltState, Order, Sweep
from trading.streams import StreamWatch
from trading.supervision import Supervision

UNFINISHED = ("approved", "submitting", "in_doubt", "open", "partially_filled")


def carry_orders(log: Path, probability: float) -> None:
    """An order worker without its queue, for ever: its orders and its algos."""
    _arm_all(log, probability)
    while True:
        try:
            if not poll_once(50) + run_due_algos():
                time.sleep(0.2)
        except (DatabaseError, FailpointRaised):
            connection.close()


def supervise(log: Path, probability: float) -> None:
    """The supervisor, and somebody who releases what the lives left halted."""
    _arm_all(log, probability)
    stop = threading.Event()
    threading.Thread(target=_release_all, daemon=True).start()
    Supervision(stop).run()


def listen(log: Path, probability: float) -> None:
    """The private stream, with bells that nobody hears."""
    _arm_all(log, probability)
    StreamWatch(threading.Event()).run()


def _arm_all(log: Path, probability: float) -> None:
    arm({name: FailpointRule("kill", probability) for name in POINTS} if probability else {}, log)


def _release_all() -> None:
    while True:
        time.sleep(0.5)
        try:
            for row in HaltState.objects.exclude(state=TradingState.ACTIVE):
                release(HaltScope(row.scope), row.target, reason="the campaign goes on", actor=PERSON)
        except (LeviError, DatabaseError):
            connection.close()


def carriers(ground: Ground, probability: float) -> dict[str, Callable[[], object]]:
    return {
        "orders 1": lambda: carry_orders(ground.log, probability),
        "orders 2": lambda: carry_orders(ground.log, probability),
        "supervisor": lambda: supervise(ground.log, probability),
        "streams": lambda: listen(ground.log, probability),
    }


def unfinished() -> int:
    return Order.objects.filter(status__in=UNFINISHED).count() + len(living_algos())


def living_algos() -> list[UUID]:
    return list(Algo.objects.filter(state__in=sorted(LIVING)).values_list("pk", flat=True))


def _cancel_algos() -> None:
    for pk in living_algos():
        with suppress(
            LeviError, DatabaseError
        ):  # it is on its way already, or somebody who was cut off still holds it
            cancel_algo(pk, actor=PERSON)


def come_to_rest(look: Callable[[], None], seconds: float) -> bool:
    """Cancel what rests and wait until everything has ended. False if it has not in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        look()
        _cancel_algos()
        for order_id in Order.objects.filter(
            status__in=("open", "partially_filled"), cancel_state="none"
        ).values_list("id", flat=True):
            try:
                request_cancel(order_id, actor=PERSON)
            except (LeviError, DatabaseError):
                continue  # it ended by itself, or somebody who was cut off still holds it
        if not unfinished() and not Sweep.objects.filter(verdict="running").exists():
            return True
        time.sleep(0.2)
    return False
