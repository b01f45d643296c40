"""Stage 2: risk rules, then the gate, then a durable intent: transaction [A].

Runs under the account's lock, so that two requests that only together break a limit cannot both pass. A denial is a
row with its full decision record, as an approval is. Nothing is sent here; the bell rings after the commit.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from trading import audit
from trading.domain.actors import Actor
from trading.domain.chain import canonical
from trading.domain.client_order_id import client_order_id
from trading.domain.denials import DenialCode
from trading.domain.enums import HaltScope, OrderOrigin, OrderStatus, OrderType, TradingMode, TradingState
from trading.domain.errors import UnknownName
from trading.domain.gate import ScopeState, ask_gate
from trading.doorbell import ring
from trading.locking import lock_account, lock_shared_limits
from trading.metrics import ORDER_LATENCY
from trading.models import (
    Decision,
    ExchangeAccount,
    HaltState,
    Instrument,
    Order,
    Signal,
    Strategy,
)
from trading.models.columns import new_id
from trading.queries.halts import current_epoch, read_scopes
from trading.queries.limits import LimitsSet, applying_scopes, read_limits
from trading.queries.risk_facts import facts_record, gather_facts
from trading.risk import Check, OrderFacts, RiskFacts, evaluate
from trading.risk.check import UnknownFact
from trading.risk.measures import only_shrinks

from .accounts import trip_strategy
from .changes import order_data
from .proposal import Proposal

# The bell has this long before the poller looks for itself.
BELL_GRACE = timedelta(milliseconds=500)


@dataclass(frozen=True, slots=True)
class Judgement:
    """Every check of one decision, the gate's first, with the facts they saw."""

    checks: tuple[Check, ...]
    facts: RiskFacts
    limits: LimitsSet
    epoch: int
    at: datetime

    @property
    def codes(self) -> list[str]:
        return list(dict.fromkeys(check.code.value for check in self.checks if not check.passed))

    def as_answer(self) -> dict[str, Any]:
        return {
            "decision": "denied" if self.codes else "approved",
            "codes": self.codes,
            "checks": [{**asdict(check), "explanation": check.code.explanation} for check in self.checks],
            "limits_version": self.limits.widest.version if self.limits.widest else None,
            "limits": self.limits.sources,
            "epoch": self.epoch,
        }


def judge(
    account: ExchangeAccount,
    instrument: Instrument,
    strategy_name: str,
    proposal: Proposal,
    *,
    to_act: bool = False,
) -> Judgement:
    """Ask every rule and the gate. To act on the answer the caller holds the account's lock, and takes turns here with
    other accounts where they share a limit."""
    now = timezone.now()
    epoch = (
        current_epoch()
    )  # before the scopes: an engagement in between makes the approval void, never valid
    strategy = _find_strategy(strategy_name)
    limits = read_limits(
        applying_scopes(account.name, instrument.symbol, strategy.name if strategy else None)
    )
    if to_act:
        lock_shared_limits(limits.shared_scopes)
        now = timezone.now()
    order = proposal.order_facts()
    facts = gather_facts(
        account, instrument, strategy, order, limits=limits, mode=settings.LEVI_MODE, now=now
    )
    scopes = read_scopes(account.name, instrument.symbol, strategy.name if strategy else None)
    gate = _gate_check(scopes, proposal, facts)
    return Judgement((*gate, *evaluate(order, facts)), facts, limits, epoch, now)


def _gate_check(scopes: list[ScopeState], proposal: Proposal, facts: RiskFacts) -> tuple[Check, ...]:
    reduces = proposal.request.reduce_only and _only_shrinks(proposal.order_facts(), facts)
    denials = ask_gate(scopes, shrinks_position=reduces, flattens=proposal.flattens)
    if denials:
        return tuple(Check("gate", denial.code, False, denial.observed, denial.limit) for denial in denials)
    return (
        Check("gate", DenialCode.HALTED, True, TradingState.ACTIVE if not reduces else "passes", "active"),
    )


def _life_of(order_type: OrderType) -> timedelta:
    """How long an approval may wait for its permit."""
    live = settings.LEVI_CONFIG.live
    return timedelta(
        seconds=live.market_expiry_sec if order_type is OrderType.MARKET else live.limit_expiry_sec
    )


def _only_shrinks(order: OrderFacts, facts: RiskFacts) -> bool:
    """As the reduce-only rule sees it; what cannot be measured does not shrink."""
    try:
        return only_shrinks(order, facts)
    except UnknownFact:
        return False


def _find_strategy(name: str) -> Strategy | None:
    """None for no name, and in paper mode for a new one. Raises UnknownName elsewhere."""
    strategy = Strategy.objects.filter(name=name).first() if name else None
    if name and strategy is None and settings.LEVI_MODE != TradingMode.PAPER:
        raise UnknownName(
            f"Unknown strategy {name!r}.",
            remedy="Create the strategy in the panel first (only paper mode registers names by itself).",
            code="unknown_strategy",
            field="strategy",
        )
    return strategy


def get_or_register_strategy(name: str, *, actor: Actor, now: datetime) -> Strategy | None:
    """In the caller's transaction. Raises UnknownName where names are not registered by themselves."""
    known = _find_strategy(name)
    if known is not None or not name:
        return known
    strategy, created = Strategy.objects.get_or_create(
        name=name, defaults={"description": "registered by its first signal"}
    )
    if created:
        HaltState.objects.get_or_create(
            scope=HaltScope.STRATEGY,
            target=name,
            defaults={
                "state": TradingState.ACTIVE,
                "since": now,
                "actor": str(actor),
                "trigger": "registration",
            },
        )
        audit.record(
            "strategy.registered",
            actor=actor,
            object_type="strategy",
            object_id=strategy.id,
            data={"name": name},
        )
    return strategy


def decide(
    signal: Signal,
    account: ExchangeAccount,
    instrument: Instrument,
    strategy_name: str,
    proposal: Proposal,
    *,
    actor: Actor,
    origin: OrderOrigin,
) -> tuple[Order, dict[str, Any]]:
    """Write signal, decision, order and audit in the caller's transaction; ring the bell after it commits.

    The signal comes unsaved and is written last, with the answer in it: the order's key to it is checked at the commit.
    """
    began = time.perf_counter()
    account = lock_account(account.id)
    strategy = get_or_register_strategy(strategy_name, actor=actor, now=timezone.now())
    judgement = judge(account, instrument, strategy_name, proposal, to_act=True)
    order = _write_order(
        signal, account, instrument, strategy, proposal, judgement, actor=actor, origin=origin
    )
    if strategy is not None and DenialCode.REPEATED_EXECUTIONS in judgement.codes:
        trip_strategy(strategy)
    answer = canonical(_answer(signal, order, judgement, proposal))
    signal.strategy, signal.answer = strategy, answer
    signal.save(force_insert=True)
    if order.status == OrderStatus.APPROVED:
        ring("dispatch_order", order.id)
    ORDER_LATENCY.labels("decide").observe(time.perf_counter() - began)
    return order, answer


def _write_order(
    signal: Signal,
    account: ExchangeAccount,
    instrument: Instrument,
    strategy: Strategy | None,
    proposal: Proposal,
    judgement: Judgement,
    *,
    actor: Actor,
    origin: OrderOrigin,
) -> Order:
    request, now, price = proposal.request, judgement.at, judgement.facts.price.last
    approved = not judgement.codes
    order_id = new_id()
    order = Order.objects.create(
        id=order_id,
        account=account,
        instrument=instrument,
        strategy=strategy,
        signal=signal,
        origin=origin,
        actor=str(actor),
        request_id=actor.request_id,
        side=request.side,
        order_type=request.order_type,
        time_in_force=request.time_in_force,
        quantity=proposal.quantity or request.quantity,  # a denied order may have rounded to nothing
        quote_quantity=request.quote_quantity,
        price=proposal.price or request.price,
        reduce_only=request.reduce_only,
        exposure_quantity=proposal.exposure_quantity(price),
        reference_price=price,
        client_order_id=client_order_id(settings.INSTANCE_ID, order_id),
        status=OrderStatus.APPROVED if approved else OrderStatus.DENIED,
        status_reason="" if approved else ", ".join(judgement.codes),
        limits_version=judgement.limits.widest,
        limits_versions=judgement.limits.versions,
        approved_at=now if approved else None,
        approved_epoch=judgement.epoch if approved else None,
        expires_at=now + _life_of(request.order_type) if approved else None,
        next_action_at=now + BELL_GRACE if approved else None,
        finished_at=None if approved else now,
        created_at=now,
    )
    Decision.objects.create(
        order=order,
        at=now,
        allowed=approved,
        codes=judgement.codes,
        checks=canonical(judgement.as_answer()["checks"]),
        facts=canonical(facts_record(judgement.facts)),
        limits_version=judgement.limits.widest,
        epoch=judgement.epoch,
    )
    audit.record(
        f"order.{order.status}",
        actor=actor,
        object_type="order",
        object_id=order.id,
        data=order_data(
            order,
            codes=judgement.codes,
            account=account.name,
            strategy=strategy.name if strategy else "",
            origin=origin,
            order_type=order.order_type,
            quantity=order.quantity,
            quote_quantity=order.quote_quantity,
            price=order.price,
            limits_version=judgement.limits.widest.version if judgement.limits.widest else None,
            limits_versions=judgement.limits.versions,
            epoch=judgement.epoch,
            signal=signal.id,
        ),
    )
    return order


def _answer(signal: Signal, order: Order, judgement: Judgement, proposal: Proposal) -> dict[str, Any]:
    return {
        "signal_id": signal.id,
        "order_id": order.id,
        "client_order_id": order.client_order_id,
        **judgement.as_answer(),
        "status": order.status,
        "account": order.account.name,
        "mode": settings.LEVI_MODE,
        "strategy": order.strategy.name if order.strategy else None,
        **proposal.as_answer(),
        "expires_at": order.expires_at,
        "received_at": signal.received_at,
    }
