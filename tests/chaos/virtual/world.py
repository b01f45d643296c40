"""Puts a scenario together and runs it until the books agree with the venue, or until they should have.

Processes: order workers (bells and poller), api, two operators, sync, supervisor. A client that gets no answer asks
again with the same key; an operator who gets an error presses again.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal

from trading.domain.enums import CancelState, HaltScope, OrderStatus, QuarantineVerdict, Side, TradingState
from trading.domain.enums import VenueOrderStatus as V
from trading.domain.order_states import TERMINAL

from .kernel import Kernel, Process, Steps, StoreError
from .mutations import Mutations
from .network import Network
from .protocol.approval import make_row, submit
from .protocol.cancellation import ask_for_cancel
from .protocol.halts import engage, release
from .protocol.node import Engaged, Node
from .protocol.poller import answer_bells, poll_for_ever, sweep_for_ever, sync_for_ever
from .protocol.resolution import say_word
from .scenario import ACCOUNTS, BY_STEP, OFFICE, STRATEGIES, SYMBOLS, Event, OrderPlan, Scenario
from .store import OrderRow, PermitRow, Store
from .venue import Venue, VenueOrder

FAULTS_END_AFTER = 30.0
PATIENCE = 150.0  # after the last fault everything has to be in the venue's truth
SLOW_LOOKS = 330.0  # what is quarantined is asked about each five minutes
_LONG_DOUBT = 600.0
_LONG = 1000.0
_CHUNK = 1.0
_SAME = {
    V.OPEN: (OrderStatus.OPEN,),
    V.PARTIALLY_FILLED: (OrderStatus.PARTIALLY_FILLED,),
    V.FILLED: (OrderStatus.FILLED,),
    V.CANCELED: (OrderStatus.CANCELED, OrderStatus.EXPIRED),
    V.EXPIRED: (OrderStatus.CANCELED, OrderStatus.EXPIRED),
}
_ENDED_EMPTY = (V.CANCELED, V.EXPIRED)
_NEVER_THERE = (OrderStatus.DENIED, OrderStatus.LAPSED, OrderStatus.REJECTED, OrderStatus.NOT_ACCEPTED)
_THREADS: dict[str, tuple[Callable[[Node], Steps], ...]] = {
    "worker": (answer_bells, poll_for_ever),
    "sync": (sync_for_ever,),
    "supervisor": (sweep_for_ever,),
}


class World:
    """One run. `story` collects sentences if given; it changes nothing else."""

    def __init__(
        self,
        scenario: Scenario,
        generator: random.Random,
        mutations: Mutations,
        story: list[str] | None = None,
    ) -> None:
        self.scenario, self.mutations = scenario, mutations
        t = scenario.tunables
        self.kernel = Kernel(generator, t.step, story)
        self.store = Store(self.kernel)
        self.venue = Venue(
            self.kernel,
            read_lag=t.read_lag,
            lag_floor=t.lag_floor,
            fill_lag=t.fill_lag,
            recognises_repeats=t.recognises_repeats,
        )
        self.venue.checks_window = not mutations.no_request_expiry
        self.network = Network(self.kernel, t, scenario.events)
        self.stop_flags: set[int] = set()
        self._broker_outages = [event for event in scenario.events if event.kind == "bells"]
        self.engaged: list[Engaged] = []
        self.workers = [f"worker {number + 1}" for number in range(t.workers)]
        self.nodes = {
            name: self._make_node(name, index) for index, name in enumerate([*self.workers, *OFFICE])
        }
        self._set_scopes()
        for plan in scenario.orders:
            self._plan_order(plan)
        for event in scenario.events:
            self._plan_event(event)

    # -- setting up --------------------------------------------------------------------------------------------
    def _make_node(self, name: str, index: int) -> Node:
        t = self.scenario.tunables
        host = index % t.hosts if name in self.workers else 0
        process = Process(self.kernel, name, host, t.skew * (self.kernel.random() - 0.5) if t.skew else 0.0)
        shared = (self.store, self.venue, self.network, t, self.mutations, self.ring, self.stop_flags)
        node = Node(process, *shared, self.engaged)

        def start() -> None:
            node.bells, node.waiting = [], None
            for thread in _THREADS.get(name.split()[0], ()):
                if thread is not poll_for_ever or not self.mutations.no_poller:
                    self.kernel.spawn(process, thread(node))

        process.on_restart = start
        start()
        return node

    def _set_scopes(self) -> None:
        keys = [(HaltScope.EVERYTHING, "")]
        keys += [(HaltScope.ACCOUNT, name) for name in ACCOUNTS]
        keys += [(HaltScope.INSTRUMENT, name) for name in SYMBOLS]
        keys += [(HaltScope.STRATEGY, name) for name in STRATEGIES if name]
        missing = [event.scope for event in self.scenario.events if event.kind == "missing scope"]
        self.store.scopes = {key: TradingState.ACTIVE for key in keys if key not in missing}

    def _plan_order(self, plan: OrderPlan) -> None:
        if plan.aged:
            self._put_aged(plan)
            return
        if plan.held:
            self._put_held(plan)
            return
        probe = make_row(self.nodes["api"], plan, OrderStatus.PROPOSED)
        self.venue.names[probe.client_order_id] = plan.name
        self.venue.destinies[probe.client_order_id] = plan.destiny
        self._insist(plan.at, "api", lambda node: submit(node, plan), lambda: plan.name in self.store.signals)

    def _put_aged(self, plan: OrderPlan) -> None:
        """It rests at the venue, acknowledged long ago."""
        row = make_row(self.nodes["api"], plan, OrderStatus.OPEN)
        order = self._put_at_venue(row, plan)
        order.accepted_at = -plan.aged
        order.history[0] = (-plan.aged, V.OPEN, order.filled)
        row.created_at = row.acknowledged_at = row.permit_at = -plan.aged
        row.attempt, row.approved_epoch, row.limits_version = 1, 1, 1
        row.exchange_order_id = order.exchange_order_id
        self.store.orders[row.id] = row
        self.store.signals[plan.name] = row.id
        self.store.permits.append(PermitRow(-plan.aged, -plan.aged, row.id, 1, 1))

    def _put_at_venue(self, row: OrderRow, plan: OrderPlan) -> VenueOrder:
        self.venue.names[row.client_order_id] = plan.name
        order = VenueOrder(
            "", row.client_order_id, row.account, row.symbol, row.side, row.quantity, self.kernel.now
        )
        self.venue.accept(order, plan.destiny)
        self.venue.accepted.pop()
        return order

    def _put_held(self, plan: OrderPlan) -> None:
        """It was filled and booked long ago: a position."""
        row = make_row(self.nodes["api"], plan, OrderStatus.FILLED)
        order = self._put_at_venue(row, plan)
        order.filled = row.filled = row.venue_filled = row.quantity
        order.status, order.accepted_at, order.history = V.FILLED, -_LONG, [(-_LONG, V.FILLED, row.quantity)]
        row.created_at = row.acknowledged_at = row.permit_at = -_LONG
        row.attempt, row.approved_epoch, row.limits_version = 1, 1, 1
        row.exchange_order_id = order.exchange_order_id
        self.store.orders[row.id] = row
        self.store.signals[plan.name] = row.id
        self.store.permits.append(PermitRow(-_LONG, -_LONG, row.id, 1, 1))
        self.store.add_to_position(row.account, row.symbol, row.quantity * row.side.sign)

    def _plan_event(self, event: Event) -> None:
        node = self.nodes.get(event.who)
        if event.kind in BY_STEP:
            if node is not None:
                self._arm(node.process, event)
        elif event.kind == "engage":
            self._plan_engage(event)
        elif event.kind in _PLANS:
            _PLANS[event.kind](self, event)

    @staticmethod
    def _arm(process: Process, event: Event) -> None:
        if event.kind == "stall":
            process.stall_before_write.append(event.seconds)
        elif event.kind == "hold":
            process.hold_in_permit.append(event.seconds)
        elif event.kind == "alarm":
            process.lost_alarms.append(event.what)
        elif event.kind == "zombie":
            process.hold_before_outcome.append(event.seconds)
        elif event.kind == "commit":
            process.commit_faults[int(event.at)] = event.what
        else:
            process.faults[int(event.at)] = (event.kind, event.seconds)

    def _insist(self, at: float, who: str, act: Callable[[Node], Steps], is_done: Callable[[], bool]) -> None:
        """Begin `act` in process `who` at `at`, and again each few seconds while it is not done."""

        def begin() -> None:
            if is_done():
                return
            node = self.nodes[who]
            if node.process.is_alive:
                self.kernel.spawn(node.process, _quietly(act(node)))
            self.kernel.call_later(4.0, begin)

        self.kernel.call_later(at, begin)

    def _plan_engage(self, event: Event) -> None:
        done: list[Engaged] = []

        def note(engaged: Engaged) -> None:
            self.engaged.append(engaged)
            done.append(engaged)

        state = TradingState(event.what)
        self._insist(
            event.at, event.who, lambda node: engage(node, event.scope, state, note), lambda: bool(done)
        )

    def plan_release(self, event: Event) -> None:
        def look_and_release(node: Node) -> Steps:
            seen = self.store.epoch  # the page that the operator looks at
            yield 0.3
            yield from release(node, event.scope, seen)

        node = self.nodes[event.who]
        self.kernel.call_later(event.at, self._spawn_if_alive, node, look_and_release)

    def _spawn_if_alive(self, node: Node, act: Callable[[Node], Steps]) -> None:
        if node.process.is_alive:
            self.kernel.spawn(node.process, _quietly(act(node)))

    def plan_cancel(self, event: Event) -> None:
        name = self.scenario.orders[event.order].name if event.order < len(self.scenario.orders) else ""

        def ask(node: Node) -> Steps:
            order_id = self.store.signals.get(name)
            if order_id is not None:
                yield from ask_for_cancel(node, order_id)

        self.kernel.call_later(event.at, self._spawn_if_alive, self.nodes["api"], ask)

    def plan_verdict(self, event: Event) -> None:
        plans = self.scenario.orders
        name = plans[event.order].name if event.order < len(plans) else ""

        def say(node: Node) -> Steps:
            order_id = self.store.signals.get(name)
            if order_id is not None:
                yield from say_word(node, order_id, QuarantineVerdict(event.what))

        self.kernel.call_later(event.at, self._spawn_if_alive, self.nodes[event.who], say)

    def plan_database(self, event: Event) -> None:
        """The server is restarted: every open transaction is gone, and nothing can be asked for a while."""

        def stop() -> None:
            self.kernel.tell("the database", f"is away for {event.seconds} s")
            self.store.down_until = self.kernel.now + event.seconds
            for node in self.nodes.values():
                for transaction in tuple(node.process.transactions):
                    transaction.abort()

        self.kernel.call_later(event.at, stop)

    def plan_limits(self, event: Event) -> None:
        def change() -> None:
            self.store.limits_version += 1
            self.kernel.tell("operator", f"commits limits version {self.store.limits_version}")

        self.kernel.call_later(event.at, change)

    def plan_stray(self, event: Event) -> None:
        def arrive() -> None:
            plans = self.scenario.orders
            order_id = self.store.signals.get(plans[event.order].name) if event.order < len(plans) else None
            if order_id is None:
                self.kernel.call_later(0.2, arrive)
                return
            self.kernel.tell("a stranger", f"sends {event.what} for order {plans[event.order].name}")
            for number in range(int(event.amount)):
                self.kernel.call_later(number * 0.15, self._deliver, event.what, order_id)

        self.kernel.call_later(event.at, arrive)

    # -- bells -------------------------------------------------------------------------------------------------
    def ring(self, task: str, order_id: int) -> None:
        t, r = self.scenario.tunables, self.kernel.random
        if (t.bell_loss and r() < t.bell_loss) or self._are_bells_away():
            return
        copies = 3 if t.bell_doubling and r() < t.bell_doubling else 1
        for _ in range(copies):
            self.kernel.call_later(t.bell_delay * r(), self._deliver, task, order_id)

    def _are_bells_away(self) -> bool:
        now = self.kernel.now
        return any(event.at <= now < event.at + event.seconds for event in self._broker_outages)

    def _deliver(self, task: str, order_id: int) -> None:
        node = self.nodes[self.workers[int(self.kernel.random() * len(self.workers))]]
        if not node.process.is_alive:
            return  # lost with the worker
        node.bells.append((task, order_id))
        if node.waiting is not None:
            self.kernel.settle(node.waiting, None)

    # -- running -----------------------------------------------------------------------------------------------
    def run(self) -> None:
        calm = self.scenario.calm_from
        self.kernel.run(calm)
        end = calm + PATIENCE + (SLOW_LOOKS if calm > _LONG_DOUBT else 0.0)
        while self.kernel.now < end and not self.is_settled():
            self.kernel.run(self.kernel.now + _CHUNK)
            if self.kernel.now > calm + FAULTS_END_AFTER:
                self._end_faults()
        for node in self.nodes.values():
            node.process.drop_threads()

    def _end_faults(self) -> None:
        for node in self.nodes.values():
            process = node.process
            process.faults, process.commit_faults = {}, {}
            process.stall_before_write, process.hold_in_permit = [], []
            process.hold_before_outcome, process.lost_alarms = [], []

    def is_settled(self) -> bool:
        venue = self.venue
        if self.network.under_way or venue.processing or venue.pending_fills:
            return False
        if any(sweep.verdict == "running" for sweep in self.store.sweeps.values()):
            return False
        if any(plan.name not in self.store.signals for plan in self.scenario.orders):
            return False
        if any(node.process.paused_until > self.kernel.now for node in self.nodes.values()):
            return False
        return all(not self.disagreement(row) for row in self.store.orders.values())

    def disagreement(self, row: OrderRow) -> str:
        """How an order's row differs from the venue's truth; empty if it does not."""
        order = self.find_venue_order(row.client_order_id)
        if order is None:
            if row.status in _NEVER_THERE:
                return ""
            return f"order {row.name} is {row.status}, and the venue never had it"
        if row.id in self.store.words and order.status in _ENDED_EMPTY and not order.filled:
            return "" if row.status in (*_NEVER_THERE, *_SAME[order.status]) else "its word was lost"
        if row.status not in _SAME[order.status] or row.filled != order.filled:
            return f"order {row.name} is {row.status} ({row.filled}), at the venue {order.status} ({order.filled})"
        if row.cancel_state is not CancelState.NONE and row.status not in TERMINAL:
            return f"order {row.name} works at the venue though its cancel was asked for"
        return ""

    def find_venue_order(self, client_order_id: str) -> VenueOrder | None:
        return next((o for o in self.venue.orders if o.client_order_id == client_order_id), None)

    def held_at_venue(
        self, account: str, instant: float, but: str = ""
    ) -> dict[str, tuple[Decimal, Decimal]]:
        """Per symbol the least and the most that an account may come to hold by what rests, by the venue alone.

        `but`: without this order.
        """
        held: dict[str, tuple[Decimal, Decimal]] = {}
        for order in self.venue.orders:
            seen = order.seen_at(instant) if order.account == account else None
            if seen is None or order.client_order_id == but:
                continue
            at_most = seen[1] if seen[0] not in (V.OPEN, V.PARTIALLY_FILLED) else order.quantity
            least, most = held.get(order.symbol, (Decimal(0), Decimal(0)))
            if order.side is Side.BUY:
                held[order.symbol] = (least + seen[1], most + at_most)
            else:
                held[order.symbol] = (least - at_most, most - seen[1])
        return held


def _quietly(steps: Steps) -> Steps:
    """A request that fails is an error page for its caller, who presses again."""
    try:
        yield from steps
    except StoreError:
        return


_PLANS: dict[str, Callable[[World, Event], None]] = {
    "release": World.plan_release,
    "cancel": World.plan_cancel,
    "limits": World.plan_limits,
    "forge": World.plan_stray,
    "verdict": World.plan_verdict,
    "database": World.plan_database,
}
