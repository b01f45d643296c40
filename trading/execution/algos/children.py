"""One child: an ordinary order through intake, made under its parent's lock and once per number.

The place is checked in the order's own transaction: the parent runs, no halt was engaged since it was looked at, the
look is young, and nobody has made this number. So two runners, or one that was killed and came back, make one child,
and one that was stopped for long makes none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils import timezone

from trading import audit
from trading.domain.actors import system_actor
from trading.domain.enums import AlgoKind, AlgoState, OrderOrigin, OrderType, TimeInForce
from trading.domain.errors import StaleDecision
from trading.domain.money import plain
from trading.failpoints import failpoint
from trading.locking import lock_algo
from trading.models import Algo, AlgoChild, Order
from trading.queries.halts import current_epoch

from ..changes import order_data
from ..intake import submit

ACTOR = system_actor("algo")
# The plan's clock and the price go on while a runner stands still.
LONGEST_LOOK = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class ChildPlace:
    """Where a child stands under its parent; an intake.Parent. `since`: when the parent began to run, as it was seen;
    `seen_at`: when that was."""

    algo_id: UUID
    since: datetime
    epoch: int
    number: int
    slice: int
    seen_at: datetime

    def admit(self) -> None:
        algo = lock_algo(self.algo_id)
        if timezone.now() - self.seen_at > LONGEST_LOOK:
            raise StaleDecision("It was looked at too long ago.", algo=str(self.algo_id))
        if algo.state != AlgoState.RUNNING:
            raise StaleDecision(f"The algo is {algo.state}.", algo=str(self.algo_id))
        if algo.state_since != self.since:  # its clock stood meanwhile
            raise StaleDecision("The algo was stopped and resumed in between.", algo=str(self.algo_id))
        if algo.epoch != self.epoch or current_epoch() != self.epoch:
            raise StaleDecision("A halt was engaged in between.", algo=str(self.algo_id))
        if algo.children.filter(number__gte=self.number).exists():
            raise StaleDecision("Somebody else made this child.", algo=str(self.algo_id))

    def adopt(self, order: Order) -> None:
        """Asks again: a halt may have come and gone while the decision waited for its turn, and left it valid."""
        if current_epoch() != self.epoch:
            raise StaleDecision("A halt was engaged in between.", algo=str(self.algo_id))
        AlgoChild.objects.create(
            algo_id=self.algo_id, number=self.number, slice=self.slice, order=order, at=timezone.now()
        )
        audit.record(
            "algo.child",
            actor=ACTOR,
            object_type="algo",
            object_id=self.algo_id,
            data=order_data(
                order, child=order.id, number=self.number, slice=self.slice, quantity=order.quantity
            ),
        )
        failpoint("algos.before_child_commit")


def child_body(algo: Algo, quantity: Decimal) -> dict[str, Any]:
    """The request of one child, as a client would write it."""
    body: dict[str, Any] = {
        "account": algo.account.name,
        "symbol": algo.instrument.symbol,
        "side": algo.side,
        "quantity": plain(quantity),
        "reduce_only": algo.reduce_only,
    }
    if algo.strategy:
        body["strategy"] = algo.strategy.name
    if algo.price is None:
        return body | {"order_type": OrderType.MARKET.value}
    rests = algo.kind == AlgoKind.ICEBERG
    how = TimeInForce.GTC if rests else TimeInForce.IOC
    return body | {
        "order_type": OrderType.LIMIT.value,
        "price": plain(algo.price),
        "time_in_force": how.value,
    }


def make_child(algo: Algo, *, number: int, slice: int, quantity: Decimal, seen_at: datetime) -> Order:
    """`seen_at`: when the rows that it was decided on were read. Raises StaleDecision or IdempotencyConflict where
    something moved since: then nothing was made."""
    place = ChildPlace(algo.id, algo.state_since, algo.epoch, number, slice, seen_at)
    answer = submit(
        child_body(algo, quantity),
        actor=ACTOR,
        key=f"algo-{algo.id}-{number}",
        origin=OrderOrigin.ALGO,
        parent=place,
    )
    failpoint("algos.after_child")
    return answer.order
