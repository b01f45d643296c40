"""Movements that are no trading: the opening balances, and deposits and withdrawals as the venue records them.

A difference is explained only by records that add up to it exactly, each used once and none whose money the opening
balances contain; anything else stays a difference.
Worth is written down with the movement, so that later prices never turn a deposit into a profit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import combinations, product

from django.db import transaction
from django.utils import timezone

from trading import audit
from trading.domain.actors import Actor, system_actor
from trading.domain.money import ZERO, exact_arithmetic
from trading.domain.outcomes import TransferReport
from trading.locking import lock_account
from trading.models import (
    TRANSFERS,
    Balance,
    BreakKind,
    BreakResolution,
    ExchangeAccount,
    Movement,
    MovementKind,
)
from trading.queries.valuation import PriceTable

from .balances import lock_or_make_balances, move_balances, set_parts, write_balances
from .breaks import resolve_breaks
from .ledger import write_movements

ACTOR = system_actor("reconciliation")
OPENING = "opening"
# Choosing among more records than this would take longer than a person needs to look.
_MOST_RECORDS = 8


def book_opening(
    account: ExchangeAccount,
    quantities: Mapping[str, Decimal],
    asked_at: datetime,
    *,
    contained: Sequence[TransferReport] | None = None,
) -> None:
    """Once per account: what is there, less what is booked already, becomes the first movement of each asset.

    `contained`: the records whose money is in it; None if they could not be asked for.
    """
    with transaction.atomic(durable=True):
        locked = lock_account(account.pk)
        if locked.books_opened_at is not None:
            return
        now = timezone.now()
        moved = [
            make_movement(account, MovementKind.OPENING, asset, quantity, OPENING, now)
            for asset, quantity in quantities.items()
        ]
        _book(account, moved)
        known = set(Balance.objects.filter(account=account).values_list("asset", flat=True))
        rows = lock_or_make_balances(account.pk, known)
        for row in rows.values():
            row.drift, row.observed_at = ZERO, asked_at
            set_parts(row, row.locked)
        write_balances(list(rows.values()))
        ids = None if contained is None else [record.venue_transfer_id for record in contained]
        ExchangeAccount.objects.filter(pk=account.pk).update(books_opened_at=now, opening_transfers=ids)
        audit.record(
            "account.opened",
            actor=ACTOR,
            object_type="account",
            object_id=account.pk,
            data={"name": account.name, "balances": dict(quantities)},
        )


def explain_by_transfers(
    account: ExchangeAccount, differences: Mapping[str, Decimal], transfers: Sequence[TransferReport]
) -> dict[str, Decimal]:
    """Book the records that account for a difference exactly; returns the differences that are left."""
    account.refresh_from_db(fields=["books_opened_at", "opening_transfers"])
    known = set(
        Movement.objects.filter(account=account, kind__in=TRANSFERS).values_list("reference", flat=True)
    )
    left: dict[str, Decimal] = {}
    for asset, difference in differences.items():
        fresh = [
            one
            for one in transfers
            if one.asset == asset and one.venue_transfer_id not in known and not _is_in_opening(account, one)
        ]
        chosen = find_records(difference, fresh)
        if chosen is None:
            left[asset] = difference
        else:
            _book_transfers(account, asset, chosen)
    return left


def _is_in_opening(account: ExchangeAccount, record: TransferReport) -> bool:
    """By its id; where those were not asked for, by its date."""
    if account.opening_transfers is not None:
        return record.venue_transfer_id in account.opening_transfers
    return account.books_opened_at is None or record.at < account.books_opened_at


def find_records(
    difference: Decimal, records: Sequence[TransferReport]
) -> list[tuple[TransferReport, bool]] | None:
    """Records that add up to the difference, each with whether its fee came on top; the fewest records first."""
    records = sorted(records, key=lambda one: one.at, reverse=True)[:_MOST_RECORDS]
    for count in range(1, len(records) + 1):
        for chosen in combinations(records, count):
            for on_top in product(*((False, True) if one.fee else (False,) for one in chosen)):
                pairs = list(zip(chosen, on_top, strict=True))
                with exact_arithmetic():
                    if sum((_effect(one, fee) for one, fee in pairs), ZERO) == difference:
                        return pairs
    return None


def _effect(record: TransferReport, fee_on_top: bool) -> Decimal:
    return record.quantity - record.fee if fee_on_top else record.quantity


def _book_transfers(
    account: ExchangeAccount, asset: str, chosen: Sequence[tuple[TransferReport, bool]]
) -> None:
    moved = []
    for record, fee_on_top in chosen:
        kind = MovementKind.DEPOSIT if record.quantity > 0 else MovementKind.WITHDRAWAL
        reference = record.venue_transfer_id
        moved.append(make_movement(account, kind, asset, record.quantity, reference, record.at))
        if fee_on_top:
            moved.append(make_movement(account, MovementKind.FEE, asset, -record.fee, reference, record.at))
    with transaction.atomic(durable=True):
        lock_account(account.pk)
        references = [record.venue_transfer_id for record, _ in chosen]
        if Movement.objects.filter(account=account, kind__in=TRANSFERS, reference__in=references).exists():
            return  # another look was quicker
        _book(account, moved)
        _end_drift(account, asset)
        resolve_breaks(account, BreakKind.BALANCE, [asset], BreakResolution.EXPLAINED, actor=ACTOR)
        for movement in moved:
            record_movement(account, movement, actor=ACTOR)


def _end_drift(account: ExchangeAccount, asset: str) -> None:
    """The records account for all of the difference: what a break still named would count the same money twice."""
    rows = lock_or_make_balances(account.pk, {asset})
    for row in rows.values():
        row.drift = ZERO
        set_parts(row, row.locked)
    write_balances(list(rows.values()))


def make_movement(
    account: ExchangeAccount, kind: MovementKind, asset: str, quantity: Decimal, reference: str, at: datetime
) -> Movement:
    return Movement(
        account=account,
        asset=asset,
        kind=kind,
        quantity=quantity,
        value=PriceTable(account).value(asset, quantity),
        at=at,
        booked_at=timezone.now(),
        reference=reference,
    )


def _book(account: ExchangeAccount, moved: list[Movement]) -> None:
    write_movements(moved)
    move_balances(account.pk, moved)


def record_movement(account: ExchangeAccount, movement: Movement, *, actor: Actor, reason: str = "") -> None:
    """The audit entry of a movement that is no fill. The caller is in its transaction."""
    audit.record(
        f"movement.{movement.kind}",
        actor=actor,
        object_type="account",
        object_id=account.pk,
        data={
            "account": account.name,
            "asset": movement.asset,
            "quantity": movement.quantity,
            "value": movement.value,
            "reference": movement.reference,
            "at": movement.at,
            **({"reason": reason} if reason else {}),
        },
    )
