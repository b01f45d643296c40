"""One step on the double: its generators, run to their end one after the other, with the scripted venue."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from tests.chaos.virtual.kernel import Kernel, Process, Steps, StoreError
from tests.chaos.virtual.mutations import Mutations
from tests.chaos.virtual.protocol import (
    approval,
    cancellation,
    dispatch,
    following,
    halts,
    in_doubt,
    outcome,
    poller,
    resolution,
    settlement,
    sweep,
)
from tests.chaos.virtual.protocol.node import IllegalMove, Node
from tests.chaos.virtual.scenario import ACCOUNTS, STRATEGIES, SYMBOLS, OrderPlan, Tunables
from tests.chaos.virtual.store import OrderRow, Store
from tests.chaos.virtual.venue import Destiny
from trading.domain.enums import HaltScope, QuarantineVerdict, TradingState
from trading.domain.outcomes import FillReport, OrderFound, OrderNotFound, OrderReport, QueryFailed, Unknown

from .schedule import Answers, Asked, Step
from .venue import is_open, make_fills, make_report


class ScriptedQuestions:
    """Stands for venue and network: answers what the step says."""

    def __init__(self, side: DoubleSide) -> None:
        self._side = side
        self.written: list[Any] = []

    # The names by which the protocol asks.
    place = "place"
    cancel = "cancel"
    query = "query"
    open_orders = "open_orders"
    fills = "fills"

    def is_refused(self) -> bool:
        return self._side.answers.is_refused

    def ask(
        self, _process: Process, _kind: str, handler: str, *arguments: Any, timeout: float = 0.0
    ) -> Steps:
        yield None
        return _ANSWER[handler](self._side, *arguments)


class DoubleSide:
    def __init__(self, life: Callable[[Asked], float], mutations: Mutations) -> None:
        self.kernel = Kernel(random.Random(0), 0.0)
        self.kernel.random = lambda: 0.0
        self.store = Store(self.kernel)
        keys = [(HaltScope.EVERYTHING, "")]
        keys += [(HaltScope.ACCOUNT, name) for name in ACCOUNTS]
        keys += [(HaltScope.INSTRUMENT, name) for name in SYMBOLS]
        keys += [(HaltScope.STRATEGY, name) for name in STRATEGIES if name]
        self.store.scopes = dict.fromkeys(keys, TradingState.ACTIVE)
        self.process = Process(self.kernel, "double")
        questions: Any = ScriptedQuestions(self)
        self.me = Node(
            self.process,
            self.store,
            questions,
            questions,
            Tunables(lease=20.0),
            mutations,
            lambda _task, _order: None,
            set(),
            [],
        )
        self.life, self.answers = life, Answers({}, Unknown(""), Unknown(""))
        self.asked: dict[int, Asked] = {}
        self.ids: dict[int, int] = {}  # index -> order id
        self.client_ids: dict[int, str] = {}
        self.permits: dict[int, int] = {}
        self.looks: list[tuple[bool, int, int]] = []

    @property
    def rows(self) -> list[OrderRow]:
        return [self.store.orders[self.ids[index]] for index in sorted(self.ids)]

    def take(self, step: Step, client_order_id: str = "") -> str:
        """Run one step. Returns what was raised, if anything."""
        self.answers, self.looks = step.answers, []
        self.kernel.now = round(self.kernel.now + step.wait, 6)
        try:
            self.drive(_VERBS[step.verb](self, step, client_order_id))
        except (StoreError, IllegalMove) as error:
            for transaction in tuple(self.process.transactions):
                transaction.abort()
            return type(error).__name__
        return ""

    def drive(self, steps: Steps) -> Any:
        while True:
            try:
                wanted = next(steps)
            except StopIteration as end:
                return end.value
            if wanted is not None:
                self.kernel.now = round(self.kernel.now + wanted, 6)

    # -- what the venue shows ----------------------------------------------------------------------------------
    def _index_of(self, client_order_id: str) -> int:
        return next(index for index, name in self.client_ids.items() if name == client_order_id)

    def report_of(self, index: int) -> OrderReport | None:
        view = self.answers.views.get(index)
        return make_report(self.asked[index], self.client_ids[index], view) if view else None

    def fills_of(self, index: int) -> list[FillReport]:
        view = self.answers.views.get(index)
        return make_fills(self.asked[index], self.client_ids[index], view) if view else []


def _query(side: DoubleSide, client_id: str) -> Any:
    if side.answers.query_fails:
        return QueryFailed("no answer")
    report = side.report_of(side._index_of(client_id))
    return OrderNotFound("-2013") if report is None else OrderFound(report)


def _open_orders(side: DoubleSide, account: str) -> Any:
    if side.answers.lists_fail:
        return Unknown("no answer")
    reports = [side.report_of(index) for index, asked in side.asked.items() if asked.account == account]
    return [report for report in reports if report is not None and is_open(report)]


def _fills(side: DoubleSide, account: str, symbol: str) -> Any:
    if side.answers.fills_fail:
        return Unknown("no answer")
    wanted = [i for i, asked in side.asked.items() if (asked.account, asked.symbol) == (account, symbol)]
    return [fill for index in wanted for fill in side.fills_of(index)]


_ANSWER: dict[str, Callable[..., Any]] = {
    "place": lambda side, *_order: side.answers.place,
    "cancel": lambda side, *_order: side.answers.cancel,
    "query": _query,
    "open_orders": _open_orders,
    "fills": _fills,
}


# -- the verbs ---------------------------------------------------------------------------------------------------------
def _approve(side: DoubleSide, step: Step, client_order_id: str) -> Steps:
    asked = step.asked
    assert asked is not None
    plan = OrderPlan(
        name=str(asked.index),
        at=0.0,
        account=asked.account,
        symbol=asked.symbol,
        strategy=asked.strategy,
        quantity=asked.quantity,
        ends_at_once=asked.ends_at_once,
        life=side.life(asked),
        destiny=Destiny(),
        side=asked.side,
        reduce_only=asked.reduce_only,
        flattens=asked.flattens,
    )
    yield from approval.decide(side.me, plan)
    order_id = side.store.signals[plan.name]
    side.store.orders[order_id].client_order_id = client_order_id
    side.asked[asked.index], side.ids[asked.index] = asked, order_id
    side.client_ids[asked.index] = client_order_id


def _permit(side: DoubleSide, step: Step, _client: str) -> Steps:
    row = side.store.orders[side.ids[step.order]]
    permit = yield from dispatch._take_permit(side.me, row)
    if permit is not None:
        side.permits[step.order] = permit.attempt


def _report(side: DoubleSide, step: Step, _client: str) -> Steps:
    attempt = side.permits.get(step.order)
    if attempt is not None:
        yield from outcome.record_outcome(side.me, side.ids[step.order], attempt, step.answers.place)


def _settle(side: DoubleSide, step: Step, _client: str) -> Steps:
    report, fills = side.report_of(step.order), side.fills_of(step.order)
    yield from settlement.settle(side.me, side.ids[step.order], report=report, fills=fills)


def _verdict(side: DoubleSide, step: Step, _client: str) -> Steps:
    yield from resolution.resolve_quarantined(side.me, side.ids[step.order], QuarantineVerdict(step.what))


def _engage(side: DoubleSide, step: Step, _client: str) -> Steps:
    yield from halts.engage(side.me, step.scope, TradingState(step.what))


def _release(side: DoubleSide, step: Step, _client: str) -> Steps:
    seen = side.store.epoch - (step.what == "stale")
    yield from halts.release(side.me, step.scope, seen)


def _forget(side: DoubleSide, step: Step, _client: str) -> Steps:
    side.store.scopes.pop((HaltScope(step.scope[0]), step.scope[1]), None)
    yield None


def _limits(side: DoubleSide, _step: Step, _client: str) -> Steps:
    side.store.limits_version += 1
    yield None


def _sweep(side: DoubleSide, step: Step, _client: str) -> Steps:
    row = sorted(side.store.sweeps.values(), key=lambda sweep: sweep.epoch)[step.order]
    looks = yield from sweep._one_round(side.me, row)
    side.looks = [(look.was_answered, look.open_at_venue, look.alive_in_books) for look in looks]


def _poll(side: DoubleSide, _step: Step, _client: str) -> Steps:
    yield from poller.poll_once(side.me)


def _by_order(step_of: Callable[[Node, int], Steps]) -> Callable[[DoubleSide, Step, str], Steps]:
    def run(side: DoubleSide, step: Step, _client: str) -> Steps:
        yield from step_of(side.me, side.ids[step.order])

    return run


_VERBS: dict[str, Callable[[DoubleSide, Step, str], Steps]] = {
    "approve": _approve,
    "dispatch": _by_order(dispatch.dispatch_order),
    "permit": _permit,
    "report": _report,
    "lapse": _by_order(dispatch.lapse_if_void),
    "advance": _by_order(poller.advance_order),
    "settle": _settle,
    "follow": _by_order(following.follow_order),
    "resolve": _by_order(in_doubt.resolve_order),
    "cancel": _by_order(cancellation.request_cancel),
    "send_cancel": _by_order(cancellation.send_cancel),
    "verdict": _verdict,
    "engage": _engage,
    "release": _release,
    "forget": _forget,
    "limits": _limits,
    "sweep": _sweep,
    "poll": _poll,
}
