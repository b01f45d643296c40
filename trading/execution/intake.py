"""Stage 1: a signal or an explicit order comes in; the same key always gets the same answer.

Owns deduplication: one row per (source, key), one answer for ever. A repeat with another body is refused, a repeat
while the first is still being handled waits a moment and is then told to come back. Rounds to the venue's grid and
shows it; never judges (approval does) and never talks to a venue inside a transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from trading.domain.actors import Actor
from trading.domain.chain import canonical, canonical_bytes
from trading.domain.enums import OrderOrigin
from trading.domain.errors import IdempotencyConflict, InvalidInput, RequestInProgress, UnknownName
from trading.domain.money import multiply, plain
from trading.failpoints import failpoint
from trading.locking import lock_signal_key
from trading.market import ensure_price
from trading.models import ExchangeAccount, Instrument, Order, Signal

from .approval import decide, judge
from .proposal import Proposal, make_proposal
from .request_parsing import MAX_KEY, ParsedRequest, check_age, parse_request

# How long a repeat waits for the first request with its key to finish.
REPEAT_WAIT_MS = 2000


@dataclass(frozen=True, slots=True)
class IntakeAnswer:
    """`answer` is stored with the signal and repeated word for word."""

    order: Order
    answer: dict[str, Any]
    repeated: bool


class Parent(Protocol):
    """Whoever asks for an order as a part of something larger has its say in the order's own transaction."""

    def admit(self) -> None:
        """Before anything is decided. Locks the parent, and raises a LeviError where the child must not be."""
        ...

    def adopt(self, order: Order) -> None:
        """Ties the child to its parent, whatever was decided."""
        ...


def submit(
    body: Mapping[str, Any],
    *,
    actor: Actor,
    key: str | None,
    origin: OrderOrigin,
    parent: Parent | None = None,
) -> IntakeAnswer:
    """Take one request in: deny it or turn it into a durable intent. Raises InvalidInput and its kin."""
    parsed = parse_request(body)
    key = read_key(parsed, key)
    body_hash = hashlib.sha256(canonical_bytes({"body": dict(body), "origin": origin})).hexdigest()
    source = f"{actor.kind}:{actor.name}"
    known = _find_answer(source, key, body_hash)
    if known is not None:
        return known
    check_age(parsed, timezone.now())
    account, instrument = resolve_names(parsed)
    ensure_price(account, instrument)
    with transaction.atomic(durable=True):
        if not lock_signal_key(source, key, REPEAT_WAIT_MS):
            raise RequestInProgress("A request with this key is being handled right now.", key=key)
        known = _find_answer(source, key, body_hash)
        if known is not None:
            return known
        if parent is not None:
            parent.admit()
        failpoint("intake.before_decision")
        signal = Signal(  # saved by `decide`, once, with its answer
            source=source,
            key=key,
            body_hash=body_hash,
            body=canonical(dict(body)),
            actor=str(actor),
            request_id=actor.request_id,
            received_at=timezone.now(),
        )
        proposal = make_proposal(
            parsed,
            instrument,
            flattens=origin is OrderOrigin.FLATTEN,
            is_child=origin is OrderOrigin.ALGO,
        )
        order, answer = decide(
            signal, account, instrument, parsed.strategy, proposal, actor=actor, origin=origin
        )
        if parent is not None:
            parent.adopt(order)
        failpoint("approval.before_commit")
    failpoint("approval.after_commit")
    return IntakeAnswer(order, answer, repeated=False)


def preview(body: Mapping[str, Any], *, actor: Actor) -> dict[str, Any]:
    """What `submit` would decide now, with every check; writes no order, no signal and no audit entry."""
    parsed = parse_request(body)
    check_age(parsed, timezone.now())
    account, instrument = resolve_names(parsed)
    ensure_price(account, instrument)
    proposal = make_proposal(parsed, instrument)
    with transaction.atomic(durable=True):
        judgement = judge(account, instrument, parsed.strategy, proposal)
    worth = proposal.notional_at(judgement.facts.price.last)
    shown: dict[str, Any] = canonical(
        {
            **judgement.as_answer(),
            **_shown(proposal, account),
            "strategy": parsed.strategy or None,
            "notional": plain(worth) or None,
            "fee_estimate": plain(multiply(worth, judgement.facts.taker_fee_rate))
            if worth is not None
            else None,
            "quote_asset": instrument.quote_asset,
        }
    )
    return shown


def read_key(parsed: ParsedRequest, key: str | None) -> str:
    """The header's, else the body's. Raises InvalidInput."""
    chosen = (key or parsed.source_id).strip()
    if not chosen:
        raise InvalidInput(
            "An idempotency key is needed.",
            remedy="Send the header Idempotency-Key, or source_id in the body, with a new value for each new request.",
            code="idempotency_key_missing",
            field="Idempotency-Key",
        )
    if len(chosen) > MAX_KEY or not chosen.isprintable():
        raise InvalidInput(
            f"The idempotency key must be at most {MAX_KEY} printable characters.", field="Idempotency-Key"
        )
    return chosen


def _find_answer(source: str, key: str, body_hash: str) -> IntakeAnswer | None:
    signal = Signal.objects.filter(source=source, key=key).first()
    if signal is None:
        return None
    if signal.body_hash != body_hash:
        raise IdempotencyConflict("This idempotency key was used with another request.", key=key)
    order = Order.objects.select_related("account", "instrument", "strategy").get(signal=signal)
    return IntakeAnswer(order, dict(signal.answer or {}), repeated=True)


def resolve_names(parsed: ParsedRequest) -> tuple[ExchangeAccount, Instrument]:
    """The account and instrument meant. Raises UnknownName."""
    accounts = ExchangeAccount.objects.all()
    account = (
        accounts.filter(name=parsed.account).first()
        if parsed.account
        else accounts.filter(is_default=True).first()
    )
    if account is None:
        raise UnknownName(
            f"Unknown account {parsed.account!r}." if parsed.account else "There is no default account.",
            remedy="Create the account in the panel, or name one that exists.",
            code="unknown_account",
            field="account",
        )
    symbol = parsed.order.symbol
    listed = Instrument.objects.filter(venue=account.venue, environment=account.environment)
    instrument = listed.filter(symbol=symbol).first() or listed.filter(venue_symbol=symbol).first()
    if instrument is None:
        raise UnknownName(
            f"Unknown symbol {symbol!r} on {account.venue}.",
            remedy="Use BASE/QUOTE as listed under /api/v1/instruments; `manage.py sync_portfolio` refreshes the list.",
            code="unknown_symbol",
            field="symbol",
        )
    return account, instrument


def _shown(proposal: Proposal, account: ExchangeAccount) -> dict[str, Any]:
    return {**proposal.as_answer(), "account": account.name, "mode": settings.LEVI_MODE}
