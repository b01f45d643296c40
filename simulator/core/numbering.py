"""How a venue numbers its orders and fills. Numbers follow from the seed, and none comes twice, a reset included."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

from simulator.core.prices import seeded_integer

Name = Callable[[int, int, int], str]  # from the seed, the count of resets, and the sequence number


@dataclass(frozen=True, slots=True)
class Numbering:
    order_id: Name
    fill_id: Name
    counts_fills_by_symbol: bool = False  # so that fills of two symbols share a number


def _opaque_order(seed: int, resets: int, sequence: int) -> str:
    return f"C02__{seeded_integer(seed, 'orders') % 10**9:09d}{resets:03d}{sequence:09d}"


def _opaque_fill(seed: int, resets: int, sequence: int) -> str:
    return blake2b(f"{seed}|fill|{resets}|{sequence}".encode(), digest_size=16).hexdigest()


def _whole_number(first_digit: int, what: str) -> Name:
    """19 digits that fit into 64 bits, and rise."""

    def name(seed: int, resets: int, sequence: int) -> str:
        return f"{first_digit}{seeded_integer(seed, what) % 10**3:03d}{resets % 10**5:05d}{sequence:010d}"

    return name


OPAQUE = Numbering(_opaque_order, _opaque_fill)
WHOLE_NUMBERS = Numbering(_whole_number(1, "orders"), _whole_number(2, "fills"))
WHOLE_BY_SYMBOL = Numbering(
    _whole_number(1, "orders"), _whole_number(2, "fills"), counts_fills_by_symbol=True
)
