"""Bybit's windows of time and its pages: the newest row first, and a cursor whenever there was a row.

A cursor names the last row of its page. It comes escaped, and is understood as it came, escaped or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar
from urllib.parse import quote, unquote

from simulator.bybit.call import BybitCall
from simulator.bybit.errors import bad_parameter

DAY_MS = 86_400_000


class NumberedRow(Protocol):
    @property
    def sequence(self) -> int: ...


Row = TypeVar("Row", bound=NumberedRow)


def read_window(call: BybitCall, longest_days: int) -> tuple[int, int]:
    """One end is as far from the other as it may be; without either it is the time until now."""
    longest = longest_days * DAY_MS
    start, end = call.find_whole("startTime"), call.find_whole("endTime")
    if start is None:
        end = call.now_ms if end is None else end
        start = end - longest
    elif end is None:
        end = start + longest
    if start > end:
        raise bad_parameter("startTime is after endTime")
    if end - start > longest:
        raise bad_parameter(f"the time range is longer than {longest_days} days")
    return start, end


def take_page(call: BybitCall, newest_first: Iterable[Row], limit: int) -> list[Row]:
    before, page = _read_cursor(call), []
    for row in newest_first:
        if before is None or row.sequence < before:
            page.append(row)
        if len(page) == limit:
            break
    return page


def cursor_after(page: Sequence[NumberedRow]) -> str:
    return quote(f"{page[-1].sequence}:{len(page)},{page[-1].sequence}:{len(page)}", safe="") if page else ""


def _read_cursor(call: BybitCall) -> int | None:
    given = call.find("cursor")
    if given is None:
        return None
    number = unquote(given).partition(":")[0]
    if not number.isascii() or not number.isdigit():
        raise bad_parameter("cursor invalid")
    return int(number)
