"""Prices that run: three percent away within seconds and back, which fills what rests and must stop nothing."""

from __future__ import annotations

import random
from decimal import Decimal

from soak.fault_kind import FaultKind
from soak.scene import Scene

STEPS = 10
PAUSE = 0.6
FURTHEST = Decimal("0.03")
SYMBOLS = ("BTCUSDT", "ETHUSDT")


def run_away(scene: Scene, chance: random.Random) -> str:
    venue, symbol = scene.stack.venue, chance.choice(SYMBOLS)
    first = last_price(scene, symbol)
    sign = chance.choice((1, -1))
    try:
        for step in [*range(1, STEPS + 1), *range(STEPS - 1, -1, -1)]:
            price = first * (1 + sign * FURTHEST * step / STEPS)
            venue.set_price(symbol, str(price.quantize(Decimal("0.01"))))
            if not scene.rest(PAUSE):
                break
    finally:
        venue.release_price(symbol)
    return f"{symbol} {'up' if sign > 0 else 'down'} from {first}"


def last_price(scene: Scene, symbol: str) -> Decimal:
    venue = scene.stack.venue
    rows = venue.get("/prices")["prices"]
    return next(
        Decimal(row["price"]) for row in rows if (row["venue"], row["symbol"]) == (venue.venue, symbol)
    )


PRICES = {
    "price_run": FaultKind("a price runs three percent away and back", 12.0, run_away, costs_orders=False)
}
