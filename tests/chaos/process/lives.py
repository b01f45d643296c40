"""What a process does until it dies: one function per life, with the failpoints that lie on its way.

A life takes a world with an open market and leaves it as it found it, apart from its orders. Tests walk every life to
show that its points are there; the campaign forks a process per life and kills it at one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from django.utils import timezone

from tests.making import CLIENT, PERSON, World
from trading import audit
from trading.domain.actors import system_actor
from trading.domain.enums import HaltScope
from trading.domain.errors import LeviError
from trading.execution.algos import cancel_algo, start_algo
from trading.execution.algos.running import advance_algo, run_due_algos
from trading.execution.cancellation import request_cancel, send_cancel
from trading.execution.dispatch import dispatch_order
from trading.execution.following import follow_order
from trading.execution.halts import engage, release
from trading.execution.in_doubt import expire_lease, resolve_order
from trading.execution.poller import poll_once
from trading.execution.sweep import run_sweep
from trading.execution.sync import sync_account
from trading.failpoints import FailpointRaised, FailpointRule, also_armed
from trading.models import Order

QUANTITY = "0.0002"
ASIDE = "ETH/USDT"  # its halts stop none of the orders of the other lives


@dataclass(frozen=True)
class Life:
    """`points` are certain to be passed when nothing interferes."""

    live: Callable[[World], object]
    points: tuple[str, ...]


def trade(world: World) -> None:
    """A market order from the request to the booked fill, in one process."""
    order = world.submit(QUANTITY)
    dispatch_order(order.id)
    follow_order(order.id)


def rest_and_cancel(world: World) -> None:
    order = world.submit(QUANTITY, price="48000")
    dispatch_order(order.id)
    with suppress(LeviError):  # somebody else may have ended it
        request_cancel(order.id, actor=PERSON)
    send_cancel(order.id)
    follow_order(order.id)


def come_into_doubt(world: World) -> None:
    """The answer to a placement is lost; then somebody asks about it."""
    order = world.submit(QUANTITY)
    with also_armed("http.after_answer", FailpointRule("raise")):
        dispatch_order(order.id)
    resolve_order(order.id)


def lose_a_lease(world: World) -> None:
    """The process with the permit is gone before a byte left; the lease runs out."""
    order = world.submit(QUANTITY, price="48000")
    with also_armed("dispatch.after_permit", FailpointRule("raise")), suppress(FailpointRaised):
        dispatch_order(order.id)
    Order.objects.filter(pk=order.id, status="submitting").update(next_action_at=timezone.now())
    expire_lease(order.id)


def poll(world: World) -> None:
    order = world.submit(QUANTITY)
    Order.objects.filter(pk=order.id).update(next_action_at=timezone.now() - timedelta(seconds=1))
    poll_once()


def split_and_cancel(world: World) -> None:
    """A TWAP makes its first child, and is canceled before its second."""
    body = {"kind": "twap", "symbol": "BTC/USDT", "side": "BUY", "quantity": "0.0004"}
    algo = start_algo({**body, "duration_seconds": 60, "slices": 2}, actor=CLIENT, key=str(uuid4())).algo
    run_due_algos()
    with suppress(LeviError):  # somebody else may have ended it
        cancel_algo(algo.pk, actor=PERSON)
    advance_algo(algo.pk)


def halt_and_release(world: World) -> None:
    world.submit("0.01", symbol=ASIDE, price="2900")
    engage(HaltScope.INSTRUMENT, ASIDE, reason="a life", actor=PERSON, cancel=None)
    release(HaltScope.INSTRUMENT, ASIDE, reason="a life", actor=PERSON)


def halt_and_sweep(world: World) -> None:
    """To the verdict: seconds after the last instant at which the venue could accept something."""
    order = world.submit("0.01", symbol=ASIDE, price="2900")
    dispatch_order(order.id)
    run_sweep(begin_sweep())


def begin_sweep() -> UUID:
    sweep_id = engage(HaltScope.INSTRUMENT, ASIDE, reason="a life", actor=PERSON).sweep_id
    assert sweep_id is not None
    return sweep_id


def seal(_world: World) -> None:
    audit.seal("chaos", actor=system_actor("supervisor"))


def sync(world: World) -> None:
    sync_account(world.account.pk, trigger="chaos")


LIVES: dict[str, Life] = {
    "trade": Life(
        trade,
        (
            "intake.before_decision",
            "approval.before_commit",
            "approval.after_commit",
            "doorbell.before_publish",
            "dispatch.before_dial",
            "dispatch.after_dial",
            "dispatch.before_permit_commit",
            "dispatch.after_permit",
            "http.before_guard",
            "http.before_write",
            "http.after_send",
            "http.after_answer",
            "outcome.before_commit",
            "outcome.after_commit",
            "settlement.after_fill",
            "settlement.before_commit",
            "settlement.after_commit",
            "following.before_look",
            "following.after_look",
            "audit.before_write",
            "audit.after_write",
        ),
    ),
    "rest and cancel": Life(
        rest_and_cancel,
        (
            "cancellation.before_request_commit",
            "cancellation.after_request_commit",
            "cancellation.before_send",
            "cancellation.after_send",
        ),
    ),
    "come into doubt": Life(come_into_doubt, ("in_doubt.before_query", "in_doubt.after_query")),
    "lose a lease": Life(lose_a_lease, ("in_doubt.before_lease_commit",)),
    "poll": Life(poll, ("poller.after_claim",)),
    "split and cancel": Life(
        split_and_cancel,
        (
            "algos.after_claim",
            "algos.before_move",
            "algos.before_child_commit",
            "algos.after_child",
            "algos.before_state_commit",
            "algos.after_state",
        ),
    ),
    "halt and release": Life(
        halt_and_release,
        (
            "halts.after_flag",
            "halts.before_commit",
            "halts.after_commit",
            "halts.after_drain",
            "halts.before_release_commit",
        ),
    ),
    "halt and sweep": Life(
        halt_and_sweep, ("sweep.after_claim", "sweep.before_look", "sweep.before_verdict")
    ),
    "seal": Life(seal, ("audit.before_seal_commit", "audit.after_seal")),
    "sync": Life(sync, ("sync.after_fills", "sync.before_balances_commit", "sync.after_balances")),
}
