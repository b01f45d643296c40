"""Binance's wallet API as our frozen reports: what a key may do, deposits and withdrawals. Pure.

The test installations have no wallet API. There the account says whether it may trade, and a key can move nothing that
is worth anything.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from trading.domain.money import ZERO
from trading.domain.outcomes import KeyRights, TransferReport

from ..strict_json import (
    JsonObject,
    as_list,
    as_object,
    find_quantity,
    find_time,
    malformed,
    read_bool,
    read_id,
    read_int,
    read_positive,
    read_text,
    read_time,
)
from .constants import (
    CAN_READ,
    CAN_TRADE,
    DEAD_DEPOSITS,
    DEAD_WITHDRAWALS,
    DEPOSIT_WORDS,
    EXPIRY,
    FUNDING_WALLET,
    HARMLESS_RIGHTS,
    IS_BOUND,
    SPOT_WALLET,
    WITHDRAWAL_WORDS,
)

_BOUND = "bound; the venue does not say to which"


def parse_key_rights(value: Any, now: datetime) -> KeyRights:
    """Rights nobody knows count as dangerous: a new right must not slip in unseen. Numbers are no rights."""
    row = as_object(value, "apiRestrictions")
    is_bound = read_bool(row, IS_BOUND)
    told = {name: given for name, given in row.items() if name != IS_BOUND and not _is_number(given)}
    rights = tuple(sorted(name for name, given in told.items() if given))
    return KeyRights(
        rights=rights,
        can_trade=read_bool(row, CAN_TRADE),
        can_read=read_bool(row, CAN_READ),
        dangerous=tuple(right for right in rights if right not in HARMLESS_RIGHTS),
        address_list=(_BOUND,) if is_bound else (),
        days_left=_find_days_left(row, now),
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _find_days_left(row: JsonObject, now: datetime) -> int | None:
    ends_at = find_time(row, EXPIRY)
    return None if ends_at is None else max(0, (ends_at - now).days)


def parse_account_rights(value: Any) -> KeyRights:
    """Of a test installation: by the account alone. That it answered at all shows that the key may read."""
    row = as_object(value, "account")
    rights = sorted(read_text({"permission": word}, "permission") for word in _permissions(row))
    return KeyRights(rights=tuple(rights), can_trade=read_bool(row, "canTrade"), can_read=True, dangerous=())


def _permissions(row: JsonObject) -> list[Any]:
    return as_list(row.get("permissions"), "permissions")


def parse_deposits(value: Any) -> list[TransferReport]:
    """Into the spot wallet, without those that the venue called off."""
    rows = [as_object(row, "deposit") for row in as_list(value, "deposits")]
    return [
        TransferReport(
            venue_transfer_id=f"deposit:{read_id(row, 'id')}",
            asset=read_text(row, "coin"),
            quantity=read_positive(row, "amount"),
            fee=ZERO,
            at=read_time(row, "insertTime"),
        )
        for row in rows
        if _read_status(row, DEPOSIT_WORDS) not in DEAD_DEPOSITS and _is_spot(row)
    ]


def parse_withdrawals(value: Any) -> list[TransferReport]:
    """Out of the spot wallet, without those that the venue called off."""
    rows = [as_object(row, "withdrawal") for row in as_list(value, "withdrawals")]
    return [
        TransferReport(
            venue_transfer_id=f"withdrawal:{read_id(row, 'id')}",
            asset=read_text(row, "coin"),
            quantity=-read_positive(row, "amount"),
            fee=find_quantity(row, "transactionFee") or ZERO,
            at=_read_words_of_time(row, "applyTime"),
        )
        for row in rows
        if _read_status(row, WITHDRAWAL_WORDS) not in DEAD_WITHDRAWALS and _is_spot(row)
    ]


def _read_status(row: JsonObject, words: frozenset[int]) -> int:
    status = read_int(row, "status")
    if status not in words:
        raise malformed("status", "a known status of a transfer", status)
    return status


def _is_spot(row: JsonObject) -> bool:
    """Missing in older answers, which knew one wallet only."""
    if row.get("walletType") is None:
        return True
    wallet = read_int(row, "walletType")
    if wallet not in (SPOT_WALLET, FUNDING_WALLET):
        raise malformed("walletType", "0 or 1", wallet)
    return wallet == SPOT_WALLET


def _read_words_of_time(row: JsonObject, field: str) -> datetime:
    """`2019-10-12 11:12:02`, in UTC."""
    text = read_text(row, field)
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        raise malformed(field, "a time such as 2019-10-12 11:12:02", text) from None
