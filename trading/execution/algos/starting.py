"""A body becomes a durable parent: one per idempotency key, after the rules were asked about a child and the whole.

A denial is a row too. The answer is stored and repeated word for word. Nothing is ordered here: the first child is the
runner's, and every child is judged again when it is made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from trading import audit
from trading.domain.actors import Actor
from trading.domain.algo_plans import slice_quantities
from trading.domain.chain import canonical, canonical_bytes
from trading.domain.enums import AlgoState
from trading.domain.errors import IdempotencyConflict, RequestInProgress
from trading.domain.money import multiply, plain
from trading.doorbell import ring
from trading.locking import lock_account, lock_signal_key
from trading.market import ensure_price
from trading.models import Algo, ExchangeAccount, Instrument
from trading.models.columns import new_id

from ..algo_changes import algo_data
from ..approval import get_or_register_strategy
from ..intake import REPEAT_WAIT_MS, read_key, resolve_names
from ..proposal import Proposal, make_proposal
from .asking import AlgoJudgement, ask_rules
from .parsing import AlgoRequest, check_start, parse_algo
from .planning import AlgoPlan, make_algo_plan


@dataclass(frozen=True, slots=True)
class AlgoAnswer:
    """`answer` is stored with the algo and repeated word for word."""

    algo: Algo
    answer: dict[str, Any]
    repeated: bool


@dataclass(frozen=True, slots=True)
class _Prepared:
    """All that is known before anything is written. Times and prices are of this moment."""

    request: AlgoRequest
    account: ExchangeAccount
    instrument: Instrument
    plan: AlgoPlan
    whole: Proposal
    start_at: Any


def start_algo(body: Mapping[str, Any], *, actor: Actor, key: str | None) -> AlgoAnswer:
    """Start it, or deny it. Raises InvalidInput and its kin."""
    request = parse_algo(body)
    key = read_key(request.child, key)
    body_hash = hashlib.sha256(canonical_bytes({"body": dict(body), "algo": True})).hexdigest()
    source = f"{actor.kind}:{actor.name}"
    if known := _find_answer(source, key, body_hash):
        return known
    prepared = _prepare(request)
    with transaction.atomic(durable=True):
        if not lock_signal_key(source, f"algo {key}", REPEAT_WAIT_MS):
            raise RequestInProgress("A request with this key is being handled right now.", key=key)
        if known := _find_answer(source, key, body_hash):
            return known
        now = timezone.now()
        strategy = get_or_register_strategy(request.child.strategy, actor=actor, now=now)
        lock_account(prepared.account.pk)  # two that are the same but for their key must not both find nobody
        judgement = _ask(prepared)
        algo_id = new_id()
        answer = canonical({"algo_id": algo_id, **_answer(prepared, judgement)})
        denied = bool(judgement.codes)
        algo = Algo.objects.create(
            id=algo_id,
            strategy=strategy,
            actor=str(actor),
            request_id=actor.request_id,
            **_columns(prepared),
            arrival_price=judgement.last_price,
            state=AlgoState.DENIED if denied else AlgoState.RUNNING,
            state_reason=", ".join(judgement.codes)[:300],
            state_since=now,
            epoch=judgement.epoch,
            checks=answer["checks"],
            codes=judgement.codes,
            source=source,
            key=key,
            body_hash=body_hash,
            body=canonical(dict(body)),
            answer=answer,
            created_at=now,
            finished_at=now if denied else None,
            next_action_at=None if denied else prepared.start_at,
        )
        _record(algo, judgement, actor=actor)
        if not denied:
            ring("advance_algo", algo.id)
    return AlgoAnswer(algo, answer, repeated=False)


def preview_algo(body: Mapping[str, Any], *, actor: Actor) -> dict[str, Any]:
    """What `start_algo` would decide now, with the plan and every check; writes nothing."""
    prepared = _prepare(parse_algo(body))
    with transaction.atomic(durable=True):
        judgement = _ask(prepared)
    shown: dict[str, Any] = canonical(_answer(prepared, judgement))
    return shown


def _find_answer(source: str, key: str, body_hash: str) -> AlgoAnswer | None:
    algo = (
        Algo.objects.select_related("account", "instrument", "strategy")
        .filter(source=source, key=key)
        .first()
    )
    if algo is None:
        return None
    if algo.body_hash != body_hash:
        raise IdempotencyConflict("This idempotency key was used with another algo.", key=key)
    return AlgoAnswer(algo, dict(algo.answer), repeated=True)


def _prepare(request: AlgoRequest) -> _Prepared:
    start_at = check_start(request, timezone.now())
    account, instrument = resolve_names(request.child)
    ensure_price(account, instrument)
    plan = make_algo_plan(request, account, instrument, start_at)
    whole = replace(make_proposal(request.child, instrument, is_child=True), quantity=plan.quantity)
    return _Prepared(request, account, instrument, plan, whole, start_at)


def _ask(prepared: _Prepared) -> AlgoJudgement:
    return ask_rules(prepared.request, prepared.account, prepared.instrument, prepared.whole, prepared.plan)


def _columns(prepared: _Prepared) -> dict[str, Any]:
    request, plan = prepared.request, prepared.plan
    return {
        "kind": request.kind,
        "account": prepared.account,
        "instrument": prepared.instrument,
        "side": request.child.order.side,
        "quantity": plan.quantity,
        "price": prepared.whole.price
        or request.child.order.price,  # a denied one may have rounded to nothing
        "reduce_only": request.child.order.reduce_only,
        "visible_quantity": plan.visible,
        "plan": [{"after": plain(piece.after), "target": plain(piece.target)} for piece in plan.slices],
        "profile_source": plan.source[:200],
        "start_at": prepared.start_at,
        "duration_seconds": request.duration_seconds,
    }


def _answer(prepared: _Prepared, judgement: AlgoJudgement) -> dict[str, Any]:
    request, plan, start_at = prepared.request, prepared.plan, prepared.start_at
    worth = prepared.whole.notional_at(judgement.last_price)
    duration = request.duration_seconds
    return {
        "kind": request.kind,
        **judgement.as_answer(),
        "account": prepared.account.name,
        "mode": settings.LEVI_MODE,
        "strategy": request.child.strategy or None,
        **prepared.whole.as_answer(),
        "largest_child": plain(plan.largest),
        "visible_quantity": plain(plan.visible) or None,
        "plan": [
            {
                "slice": number,
                "at": start_at + timedelta(microseconds=int(multiply(piece.after, Decimal(1_000_000)))),
                "quantity": plain(quantity),
                "target": plain(piece.target),
            }
            for number, (piece, quantity) in enumerate(
                zip(plan.slices, slice_quantities(plan.slices), strict=True)
            )
        ],
        "profile_source": plan.source or None,
        "arrival_price": plain(judgement.last_price) or None,
        "notional": plain(worth) or None,
        "fee_estimate": plain(multiply(worth, judgement.taker_fee_rate)) if worth is not None else None,
        "quote_asset": prepared.instrument.quote_asset,
        "start_at": start_at,
        "duration_seconds": duration,
        "ends_at": start_at + timedelta(seconds=duration) if duration else None,
    }


def _record(algo: Algo, judgement: AlgoJudgement, *, actor: Actor) -> None:
    audit.record(
        "algo.denied" if judgement.codes else "algo.started",
        actor=actor,
        object_type="algo",
        object_id=algo.id,
        data=algo_data(
            algo,
            codes=judgement.codes,
            price=algo.price,
            visible_quantity=algo.visible_quantity,
            reduce_only=algo.reduce_only,
            start_at=algo.start_at,
            duration_seconds=algo.duration_seconds,
            plan=algo.plan,
            profile_source=algo.profile_source,
            limits_versions=judgement.limits_versions,
            epoch=judgement.epoch,
        ),
    )
