"""Users' resting orders, kept in price-time priority per symbol and side."""

from __future__ import annotations

from bisect import bisect_left, insort
from decimal import Decimal

from simulator.core.rows import SimOrder, SimSide

_Entry = tuple[Decimal, int, SimOrder]


class RestingOrders:
    def __init__(self) -> None:
        self._sides: dict[tuple[str, SimSide], list[_Entry]] = {}

    def add(self, order: SimOrder) -> None:
        insort(self._sides.setdefault((order.symbol, order.side), []), _entry(order))

    def remove(self, order: SimOrder) -> None:
        side = self._sides[(order.symbol, order.side)]
        del side[bisect_left(side, _entry(order)[:2], key=lambda entry: entry[:2])]

    def list_side(self, symbol: str, side: SimSide) -> list[SimOrder]:
        """Best price first, then the older order."""
        return [entry[2] for entry in self._sides.get((symbol, side), ())]

    def list_symbols(self) -> list[str]:
        return sorted({symbol for (symbol, _), entries in self._sides.items() if entries})


def _entry(order: SimOrder) -> _Entry:
    return (order.price if order.side is SimSide.SELL else -order.price, order.sequence, order)
