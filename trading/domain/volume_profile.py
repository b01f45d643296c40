"""When the market usually trades: from candles of past days to one weight per slice of a schedule. Pure.

A slice's weight is the mean volume of the same stretch of the UTC day over the days that the candles cover; of a candle
that it only partly overlaps it takes its share of the time. What no candle covers is an error, never a guess.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from .errors import InvalidInput
from .money import ZERO, add, add_up, divide, multiply
from .outcomes import CandleReport

_DAY = 24 * 3600


def volume_weights(
    candles: Sequence[CandleReport], *, starts_at: datetime, seconds: int, slices: int
) -> tuple[Decimal, ...]:
    """Base units usually traded in each of `slices` equal parts of `seconds`. Raises InvalidInput."""
    usual, length = _usual_volumes(candles)
    midnight = starts_at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    begin = divide(Decimal((starts_at - midnight) // timedelta(milliseconds=1)), Decimal(1000))
    edges = [add(begin, divide(Decimal(seconds * number), Decimal(slices))) for number in range(slices + 1)]
    weights = tuple(_traded(usual, length, since, until) for since, until in itertools.pairwise(edges))
    if not any(weights):
        raise _unusable("Nothing was traded at these times of the last days")
    return weights


def _usual_volumes(candles: Sequence[CandleReport]) -> tuple[dict[int, Decimal], int]:
    """Mean volume by the second of the day at which a candle opens, and the seconds of a candle."""
    lengths = {(candle.close_at - candle.open_at) // timedelta(seconds=1) for candle in candles}
    length = lengths.pop() if len(lengths) == 1 else 0
    if length <= 0 or _DAY % length:
        raise _unusable(
            "The venue's candles cover no day" if not candles else "The venue's candles are uneven"
        )
    volumes: dict[int, list[Decimal]] = {}
    for candle in candles:
        at = candle.open_at.astimezone(UTC)
        volumes.setdefault(at.hour * 3600 + at.minute * 60 + at.second, []).append(candle.volume)
    return {at: divide(add_up(found), Decimal(len(found))) for at, found in volumes.items()}, length


def _traded(usual: dict[int, Decimal], length: int, since: Decimal, until: Decimal) -> Decimal:
    """Of the stretch from `since` to `until`, seconds after a midnight; the days repeat."""
    total = ZERO
    opens = int(since // length) * length
    while opens < until:
        volume = usual.get(opens % _DAY)
        if volume is None:
            raise _unusable("The venue's candles do not cover these times of the day")
        overlap = min(until, Decimal(opens + length)) - max(since, Decimal(opens))
        total = add(total, divide(multiply(volume, overlap), Decimal(length)))
        opens += length
    return total


def _unusable(what: str) -> InvalidInput:
    return InvalidInput(
        f"{what}, so there is no volume profile.",
        remedy="Give profile, one weight for each slice, or use a TWAP.",
        code="no_volume_profile",
        field="profile",
    )
