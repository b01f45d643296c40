"""Recomputes what is stored as a running sum from what is written once: positions from fills, balances from movements.

A comparison changes nothing. A repair is explicit: with a reason and an audit entry that holds both numbers. The fills
and movements themselves are never touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from trading import audit
from trading.domain.actors import Actor
from trading.domain.enums import ApprovalKind
from trading.domain.errors import NotAllowed
from trading.domain.money import ZERO, add, plain
from trading.domain.positions import PositionState
from trading.locking import lock_account, lock_positions
from trading.models import Balance, ExchangeAccount, Fill, Instrument, Movement, Position

from .authority import demand_fresh_factor, needs_second_person
from .balances import lock_or_make_balances, set_parts, write_balances
from .booking import save_position
from .venue_order import IN_ORDER, fills_of, walk, write_derived

_CHUNK = 5000


@dataclass(frozen=True, slots=True)
class BookDifference:
    """`name` of a symbol's position or an asset's balance; what is stored, and what the parts add up to."""

    account: str
    kind: str
    name: str
    stored: dict[str, Any]
    recomputed: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A position walked from its first fill to its newest; `closed`: what the fills are stored to have realized."""

    state: PositionState
    newest: Fill | None
    closed: Decimal


def recompute_position(position: Position, *, repair: bool = False) -> Recomputed:
    """In the venue's order, as the running sum is kept; with `repair` what is derived of the fills is put right."""
    state, newest, closed = PositionState(), None, ZERO
    base_asset = position.instrument.base_asset
    wrong: list[Fill] = []
    for fill in fills_of(position).order_by(*IN_ORDER).iterator(chunk_size=_CHUNK):
        stored = fill.realized_pnl, fill.average_after
        (step,) = walk(state, [fill], base_asset).values()
        state, newest, closed = step[1], fill, add(closed, stored[0])
        if repair and stored != (fill.realized_pnl, fill.average_after):
            wrong.append(fill)
        if len(wrong) == _CHUNK:
            write_derived(wrong)
            wrong.clear()
    write_derived(wrong)
    return Recomputed(state, newest, closed)


def compare_books(account: ExchangeAccount) -> list[BookDifference]:
    """Every difference between what is stored and what it should be. One consistent view of the account."""
    with transaction.atomic(durable=True):
        lock_account(account.pk)
        return [*_compare_positions(account), *_compare_balances(account)]


def _compare_positions(account: ExchangeAccount) -> Iterator[BookDifference]:
    stored = {row.instrument_id: row for row in Position.objects.filter(account=account)}
    traded = Fill.objects.filter(account=account).order_by().values_list("instrument_id", flat=True)
    symbols = dict(
        Instrument.objects.filter(pk__in={*stored, *traded.distinct()}).values_list("id", "symbol")
    )
    for instrument_id, symbol in sorted(symbols.items(), key=lambda pair: pair[1]):
        row = lock_positions(account.pk, [instrument_id]).get(instrument_id)
        found = recompute_position(row or Position(account=account, instrument_id=instrument_id))
        was = state_record(row.as_state() if row else PositionState()) | {"closed": plain(found.closed)}
        now = state_record(found.state) | {"closed": plain(found.state.realized_pnl)}
        if was != now:
            yield BookDifference(account.name, "position", symbol, was, now)


def _compare_balances(account: ExchangeAccount) -> Iterator[BookDifference]:
    stored = dict(Balance.objects.filter(account=account).values_list("asset", "booked"))
    sums = _movement_sums(account)
    for asset in sorted({*stored, *sums}):
        was, now = stored.get(asset, ZERO), sums.get(asset, ZERO)
        if was != now:
            yield BookDifference(
                account.name, "balance", asset, {"booked": plain(was)}, {"booked": plain(now)}
            )


def _movement_sums(account: ExchangeAccount) -> dict[str, Decimal]:
    rows = Movement.objects.filter(account=account).order_by().values_list("asset")
    return dict(rows.annotate(Sum("quantity")))


def state_record(state: PositionState) -> dict[str, Any]:
    return {
        "quantity": plain(state.quantity),
        "average_price": plain(state.average_price),
        "realized_pnl": plain(state.realized_pnl),
        "fees": {asset: plain(paid) for asset, paid in sorted(state.fees.items()) if paid},
    }


def repair_books(account: ExchangeAccount, *, reason: str, actor: Actor) -> list[BookDifference]:
    """Store what the parts add up to; returns what was repaired. In production only through a break, by two people."""
    demand_fresh_factor(actor, "a repair of the books")
    if needs_second_person(ApprovalKind.ADJUSTMENT):
        raise NotAllowed(
            "In production a second person must approve this.",
            remedy="Wait for the next sync, and adjust the break it opens in the panel.",
            code="second_person_required",
        )
    found = compare_books(account)
    for one in found:
        with transaction.atomic(durable=True):
            lock_account(account.pk)
            if one.kind == "position":
                rebuild_position(account, one.name, reason=reason, actor=actor)
            else:
                _rebuild_balance(account, one.name, reason=reason, actor=actor)
    return found


def rebuild_position(account: ExchangeAccount, symbol: str, *, reason: str, actor: Actor) -> None:
    """The caller is in a transaction and holds the account's lock."""
    instrument = Instrument.objects.get(venue=account.venue, environment=account.environment, symbol=symbol)
    now = timezone.now()
    fresh = Position(account=account, instrument=instrument, updated_at=now)
    Position.objects.bulk_create([fresh], ignore_conflicts=True)
    row = lock_positions(account.pk, [instrument.pk])[instrument.pk]
    was, found = state_record(row.as_state()), recompute_position(row, repair=True)
    row.take_state(found.state, found.newest)
    save_position(row, now)
    _record("position.rebuilt", account, symbol, was, state_record(found.state), reason, actor)


def _rebuild_balance(account: ExchangeAccount, asset: str, *, reason: str, actor: Actor) -> None:
    row = lock_or_make_balances(account.pk, {asset})[asset]
    was, row.booked = row.booked, _movement_sums(account).get(asset, ZERO)
    set_parts(row, row.locked)
    write_balances([row])
    numbers = {"booked": plain(was)}, {"booked": plain(row.booked)}
    _record("balance.rebuilt", account, asset, *numbers, reason, actor)


def _record(
    kind: str,
    account: ExchangeAccount,
    name: str,
    before: dict[str, Any],
    after: dict[str, Any],
    reason: str,
    actor: Actor,
) -> None:
    audit.record(
        kind,
        actor=actor,
        object_type="account",
        object_id=account.pk,
        data={
            "account": account.name,
            "name": name,
            "before": before,
            "after": after,
            "reason": reason,
        },
    )
