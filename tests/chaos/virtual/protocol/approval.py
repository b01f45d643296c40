"""[A] under the account's lock: one answer per key, the gate and the exposure, then a durable intent. Then a bell."""

from __future__ import annotations

from uuid import UUID

from trading.domain.client_order_id import client_order_id
from trading.domain.enums import HaltScope, OrderStatus, TradingState
from trading.domain.gate import ScopeState, ask_gate

from ..kernel import Steps, StoreError
from ..scenario import OrderPlan
from ..store import OrderRow, ScopeKey
from .exposure import passes_rules, shrinks_position
from .node import Node

INSTANCE = "sim0"
BELL_GRACE = 0.5


def submit(me: Node, plan: OrderPlan) -> Steps:
    """A client that repeats its request with the same key until it has an answer."""
    while True:
        try:
            yield from decide(me, plan)
            return
        except StoreError:
            yield 0.3


def decide(me: Node, plan: OrderPlan) -> Steps:
    tx = me.begin()
    if not (yield from tx.take(("signal", plan.name))):
        tx.abort()
        raise StoreError("another request with this key is being handled")
    if plan.name in me.store.signals:
        tx.abort()
        return
    if not (yield from tx.take(("account", plan.account))):
        tx.abort()
        raise StoreError("lock time-out")
    epoch = me.store.epoch  # before the scopes: an engagement in between makes the approval void
    yield from tx.statement()
    scopes = read_scopes(me, plan.account, plan.symbol, plan.strategy)
    yield from tx.statement()
    shrinks = shrinks_position(me, plan) and not me.mutations.reducing_stops_everything
    flattens = plan.flattens and not me.mutations.halt_stops_flattening
    denials = ask_gate(scopes, shrinks_position=shrinks, flattens=flattens)
    denied = bool(denials) or not passes_rules(me, plan)
    row = make_row(me, plan, OrderStatus.DENIED if denied else OrderStatus.APPROVED)
    if not denied:
        row.approved_epoch, row.limits_version = epoch, me.store.limits_version
        row.expires_at, row.next_action_at = me.now + plan.life, me.now + BELL_GRACE
    tx.insert(row)
    tx.at_commit.append(lambda: me.store.signals.update({plan.name: row.id}))
    yield from tx.commit()
    me.tell(f"{'denies' if denied else 'approves'} order {plan.name} (epoch {epoch})")
    if not denied:
        me.ring("dispatch_order", row.id)


def make_row(me: Node, plan: OrderPlan, status: OrderStatus) -> OrderRow:
    order_id = me.store.new_id()
    return OrderRow(
        order_id,
        plan.name,
        client_order_id(INSTANCE, UUID(int=plan.number)),
        plan.account,
        plan.symbol,
        plan.strategy,
        plan.side,
        plan.quantity,
        plan.reduce_only,
        plan.flattens,
        plan.ends_at_once,
        status,
        me.now,
    )


def scope_names(account: str, symbol: str, strategy: str) -> list[ScopeKey]:
    names: list[ScopeKey] = [
        (HaltScope.EVERYTHING, ""),
        (HaltScope.ACCOUNT, account),
        (HaltScope.INSTRUMENT, symbol),
    ]
    return [*names, (HaltScope.STRATEGY, strategy)] if strategy else names


def read_scopes(me: Node, account: str, symbol: str, strategy: str) -> list[ScopeState]:
    missing = TradingState.ACTIVE if me.mutations.missing_scope_is_active else None
    return [
        ScopeState(HaltScope(scope), target, me.store.scopes.get((scope, target), missing))
        for scope, target in scope_names(account, symbol, strategy)
    ]
