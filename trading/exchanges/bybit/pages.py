"""Lists of Bybit that come in pages: followed by the venue's cursor to their end, or an error; never a part.

The cursor is escaped already when the venue gives it out, so it goes back as it came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import unquote

from trading.domain.errors import VenueError

from ..candles import EPOCH
from ..endpoint import Pairs, VenueEndpoint
from ..line import VenueLine
from .constants import MOST_PAGES
from .parse import cursor_of

Report = TypeVar("Report")
_MOMENT = timedelta(milliseconds=1)
_AHEAD_MS = 5000  # our clock reads late by design: look this far past it


def read_pages(
    line: VenueLine,
    endpoint: VenueEndpoint,
    pairs: Pairs,
    parse: Callable[[Any], list[Report]],
    *,
    urgent: bool = False,
) -> list[Report]:
    """Every row of the list. Raises VenueError, also for a list that does not end."""
    found: list[Report] = []
    cursor, seen = "", set[str]()
    while True:
        here = [*pairs, ("cursor", unquote(cursor))] if cursor else list(pairs)
        answer = line.read(endpoint, here, urgent=urgent)
        rows = parse(answer)
        found += rows
        cursor = cursor_of(answer)
        if not cursor or not _holds_rows(answer):
            return found
        if cursor in seen or len(seen) >= MOST_PAGES:
            raise VenueError(
                f"The list of {endpoint.name} does not end: {len(found)} rows so far.",
                code="list_without_end",
            )
        seen.add(cursor)


def _holds_rows(answer: Any) -> bool:
    """Rows of any kind, also those that are none of ours: only an empty page is the end."""
    result = answer["result"]
    return bool(result.get("list") or result.get("rows"))


def windows(since: datetime, now_ms: int, days: int) -> Iterator[tuple[int, int]]:
    """From the instant to a little past now in pieces of so many days at the most, which share their edges."""
    until_ms = now_ms + _AHEAD_MS
    begin, step = (since - EPOCH) // _MOMENT, days * 86_400_000
    begin = min(begin, until_ms)
    while True:
        stop = min(begin + step, until_ms)
        yield begin, stop
        if stop >= until_ms:
            return
        begin = stop
