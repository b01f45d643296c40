"""Reading a venue's long lists: a row that cannot be read is left out with a warning as long as it is one of many.

Its symbol is then missing, which denies orders for it and for nothing else. Asked for by name, or when many rows are
bad, it is an error.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from trading.domain.errors import MalformedAnswer

logger = logging.getLogger(__name__)

_TOLERATED_PERCENT = 5

Report = TypeVar("Report")


def parse_rows(
    venue: str, rows: Sequence[Any], parse: Callable[[Any], Report], *, may_skip: bool
) -> list[Report]:
    found: list[Report] = []
    bad: list[MalformedAnswer] = []
    for row in rows:
        try:
            found.append(parse(row))
        except MalformedAnswer as error:
            bad.append(error)
            symbol = str(row.get("symbol"))[:20] if isinstance(row, dict) else "?"
            logger.warning("%s's row of %s is left out: %s", venue, symbol, error.message)
    if bad and (not may_skip or len(bad) * 100 > len(rows) * _TOLERATED_PERCENT):
        raise bad[0]
    return found
