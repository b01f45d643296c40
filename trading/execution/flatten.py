"""Closes positions: reduce-only orders through the whole protocol, until nothing is left but dust, or time is up.

The one verb whose orders pass a halt (origin `flatten`): it takes a right of its own, a fresh second factor and, in
production, a second person. Each order is sized by the position less what is pending on its side, never by a guess;
only one is on its way per position. Every order's key follows from the request and its number, so that two processes
that close the same position make one order. Our own limits do not apply; the venue's minimum does, and what is below it
is reported as dust. Pauses the algos of its scope, and waits for the sweep's cancels first. Never opens, never turns a
position around, never cancels.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from trading import audit
from trading.domain.actors import Actor
from trading.domain.enums import AlgoState, ApprovalKind, HaltScope
from trading.domain.errors import InvalidInput, UnknownName
from trading.domain.money import plain
from trading.models import (
    Algo,
    ApprovalRequest,
    ExchangeAccount,
    Flattening,
    FlatteningState,
    Instrument,
    Position,
    Sweep,
)

from .algo_changes import stop_algos
from .authority import demand_fresh_factor, use_approval
from .halts import MAX_REASON

log = logging.getLogger(__name__)


def flatten_payload(
    account: str = "", symbol: str = "", *, quantity: Decimal | None = None, sweep_id: object = None
) -> dict[str, Any]:
    """What an approval of it is bound to."""
    return {
        "account": account,
        "symbol": symbol,
        "quantity": plain(quantity) if quantity is not None else None,
        "sweep": str(sweep_id) if sweep_id else None,
    }


def payload_of_scope(scope: HaltScope, target: str, sweep_id: object) -> dict[str, Any]:
    """The positions of a halt's scope. Raises InvalidInput for a strategy: positions are not kept by strategy."""
    if scope is HaltScope.STRATEGY:
        raise InvalidInput(
            "The positions of one strategy cannot be told from those of another on the same account.",
            remedy="Flatten the account or the symbol.",
            code="flatten_needs_account_or_symbol",
            field="flatten",
        )
    account = target if scope is HaltScope.ACCOUNT else ""
    symbol = target if scope is HaltScope.INSTRUMENT else ""
    return flatten_payload(account, symbol, sweep_id=sweep_id)


def check_flatten(payload: Mapping[str, Any]) -> None:
    """Raises UnknownName for what nobody registered, InvalidInput for a quantity of more than one position."""
    account, symbol = payload["account"], payload["symbol"]
    if account and not ExchangeAccount.objects.filter(name=account, mode=settings.LEVI_MODE).exists():
        raise UnknownName(f"Unknown account {account!r}.", code="unknown_account", field="account")
    if symbol and not Instrument.objects.filter(symbol=symbol).exists():
        raise UnknownName(f"Unknown symbol {symbol!r}.", code="unknown_symbol", field="symbol")
    if payload["quantity"] is not None and not (account and symbol):
        raise InvalidInput(
            "A quantity is for one position only.", remedy="Name account and symbol.", field="quantity"
        )


def flatten(
    payload: Mapping[str, Any], *, reason: str, actor: Actor, approval: ApprovalRequest | None = None
) -> Flattening:
    """Begin to close what `payload` names; asked for again while it runs, it is the same. The supervisor goes on."""
    reason = reason.strip()[:MAX_REASON] or "flatten"
    if approval is None:  # its author proved the factor when asking
        demand_fresh_factor(actor, "flattening")
    check_flatten(payload)
    going_on = _pause_algos(payload, actor=actor)
    with transaction.atomic(durable=True):
        use_approval(ApprovalKind.FLATTEN, payload, approval)
        quantity = Decimal(payload["quantity"]) if payload["quantity"] is not None else None
        row, is_new = Flattening.objects.get_or_create(
            account=payload["account"],
            symbol=payload["symbol"],
            state=FlatteningState.RUNNING,
            defaults={
                "quantity": quantity,
                "sweep": _free_sweep(payload["sweep"]),
                "reason": reason,
                "actor": str(actor),
                "requested_at": timezone.now(),
            },
        )
        if is_new:
            positions = [_named(one) for one in positions_of(row)]
            _record("flatten.requested", row, actor, positions=positions, algos_not_stopped=going_on)
    return row


def _pause_algos(payload: Mapping[str, Any], *, actor: Actor) -> list[str]:
    """What is being closed is not opened again, nor sold twice, by an algo that goes on beside it. Returns those that
    could not be stopped: the entry names them, and whoever reads it pauses them."""
    algos = Algo.objects.filter(account__mode=settings.LEVI_MODE)
    if payload["account"]:
        algos = algos.filter(account__name=payload["account"])
    if payload["symbol"]:
        algos = algos.filter(instrument__symbol=payload["symbol"])
    reason = "its positions are being closed"
    busy = stop_algos(algos, AlgoState.PAUSED, reason=reason, actor=actor).busy
    if busy:  # held by somebody, perhaps by a worker that was stopped: the server ends that within seconds
        busy = stop_algos(Algo.objects.filter(pk__in=busy), AlgoState.PAUSED, reason=reason, actor=actor).busy
    return [str(pk) for pk in busy]


def _free_sweep(sweep_id: str | None) -> Sweep | None:
    return Sweep.objects.filter(pk=sweep_id, flattening=None).first() if sweep_id else None


def positions_of(row: Flattening) -> list[Position]:
    """What there is to close, in a steady order."""
    held = Position.objects.select_related("account", "instrument").exclude(quantity=0)
    held = held.filter(account__mode=settings.LEVI_MODE)
    if row.account:
        held = held.filter(account__name=row.account)
    if row.symbol:
        held = held.filter(instrument__symbol=row.symbol)
    return list(held.order_by("account__name", "instrument__symbol"))


def _named(position: Position) -> str:
    return f"{position.account.name} {position.instrument.symbol} {plain(position.quantity)}"


def finish(row: Flattening, report: Mapping[str, Any], state: FlatteningState, *, actor: Actor) -> None:
    """The verdict, once."""
    with transaction.atomic(durable=True):
        ended = Flattening.objects.filter(pk=row.pk, state=FlatteningState.RUNNING).update(
            state=state, report=report, finished_at=timezone.now(), leased_until=None
        )
        if ended:
            _record(f"flatten.{state.value}", row, actor, report=report)


def _record(kind: str, row: Flattening, actor: Actor, **more: Any) -> None:
    audit.record(
        kind,
        actor=actor,
        object_type="flattening",
        object_id=row.id,
        data={
            "account": row.account,
            "symbol": row.symbol,
            "quantity": row.quantity,
            "reason": row.reason,
            "requested_by": row.actor,
            "sweep": row.sweep_id,
            **more,
        },
    )
