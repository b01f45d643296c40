"""Deposits and withdrawals as Bybit records them. What moves between the venue's own wallets is in neither list."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from trading.domain.money import ZERO
from trading.domain.outcomes import TransferReport

from ..endpoint import VenueEndpoint
from ..line import VenueLine
from ..strict_json import (
    JsonObject,
    as_object,
    find_quantity,
    find_time,
    malformed,
    read_id,
    read_int,
    read_positive,
    read_text,
    read_time,
)
from .constants import (
    CREDITED_DEPOSITS,
    DEAD_WITHDRAWALS,
    DEPOSITS,
    LIVING_WITHDRAWALS,
    TRANSFER_PAGE,
    TRANSFER_WINDOW_DAYS,
    UNCREDITED_DEPOSITS,
    WITHDRAWALS,
)
from .pages import read_pages, windows
from .parse import rows_of

_ALL_KINDS = "2"  # on and off chain


def read_transfers(line: VenueLine, since: datetime) -> list[TransferReport]:
    found = [
        *_read_list(line, DEPOSITS, (), parse_deposits, since),
        *_read_list(line, WITHDRAWALS, (("withdrawType", _ALL_KINDS),), parse_withdrawals, since),
    ]
    once = {one.venue_transfer_id: one for one in found}
    return sorted(once.values(), key=lambda one: (one.at, one.venue_transfer_id))


def _read_list(
    line: VenueLine,
    endpoint: VenueEndpoint,
    more: tuple[tuple[str, str], ...],
    parse: Callable[[Any], list[TransferReport]],
    since: datetime,
) -> list[TransferReport]:
    found: list[TransferReport] = []
    for begin, stop in windows(since, line.venue_time_ms(), TRANSFER_WINDOW_DAYS):
        window = [("startTime", str(begin)), ("endTime", str(stop)), ("limit", str(TRANSFER_PAGE))]
        found += read_pages(line, endpoint, [*more, *window], parse)
    return found


def parse_deposits(value: Any) -> list[TransferReport]:
    """Those whose money came to the account. One without a time has not come yet."""
    rows = [as_object(row, "deposit") for row in rows_of(value, "rows")]
    return [
        TransferReport(
            venue_transfer_id=f"deposit:{read_id(row, 'id')}",
            asset=read_text(row, "coin"),
            quantity=read_positive(row, "amount"),
            fee=find_quantity(row, "depositFee") or ZERO,
            at=read_time(row, "successAt"),
        )
        for row in rows
        if _is_credited(row) and find_time(row, "successAt") is not None
    ]


def _is_credited(row: JsonObject) -> bool:
    status = read_int(row, "status")
    if status not in CREDITED_DEPOSITS | UNCREDITED_DEPOSITS:
        raise malformed("status", "a known status of a deposit", status)
    return status in CREDITED_DEPOSITS


def parse_withdrawals(value: Any) -> list[TransferReport]:
    """Without those that were called off."""
    rows = [as_object(row, "withdrawal") for row in rows_of(value, "rows")]
    return [
        TransferReport(
            venue_transfer_id=f"withdrawal:{read_id(row, 'withdrawId')}",
            asset=read_text(row, "coin"),
            quantity=-read_positive(row, "amount"),
            fee=find_quantity(row, "withdrawFee") or ZERO,
            at=read_time(row, "createTime"),
        )
        for row in rows
        if _is_alive(row)
    ]


def _is_alive(row: JsonObject) -> bool:
    status = read_text(row, "status")
    if status not in DEAD_WITHDRAWALS | LIVING_WITHDRAWALS:
        raise malformed("status", "a known status of a withdrawal", status)
    return status not in DEAD_WITHDRAWALS
