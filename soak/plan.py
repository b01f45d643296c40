"""What will happen when: the clients' requests and the faults, as a function of hours, real seconds and seed.

Pure. The same arguments give the same plan; what the market, the scheduler and the machine make of it differs.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

# Requests of clients in an hour of trading; at speed 120 that is one each half second.
REQUESTS_PER_HOUR = 60.0
LOTS = {"BTC/USDT": "0.0004", "ETH/USDT": "0.006"}
# kind -> how many of a hundred requests
MIX: dict[str, int] = {"market": 55, "resting": 22, "repeated": 10, "webhook": 10, "algo": 3}
CUSHION = 20  # lots of each symbol that are bought before the first is sold: the account begins with none
QUIET_BEFORE, QUIET_AFTER = 0.03, 0.06  # shares of the run without faults, at its ends


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """`at` and `cancel_after` in real seconds."""

    number: int
    at: float
    kind: str
    symbol: str
    side: str
    quantity: str
    cancel_after: float


@dataclass(frozen=True, slots=True)
class PlannedFault:
    at: float
    name: str
    seed: int


def plan_requests(hours: float, seconds: float, seed: int) -> Iterator[PlannedRequest]:
    """In order of time, at random intervals around the usual one."""
    chance = random.Random(f"requests|{seed}")
    held: Counter[str] = Counter()
    usual = seconds / max(1.0, hours * REQUESTS_PER_HOUR)
    at, number = 0.0, 0
    kinds, weights = list(MIX), list(MIX.values())
    while (at := at + chance.expovariate(1 / usual)) < seconds:
        (kind,) = chance.choices(kinds, weights)
        symbol = chance.choice(list(LOTS))
        sells = kind != "resting" and kind != "algo" and held[symbol] > CUSHION and chance.random() < 0.55
        held[symbol] += -1 if sells else 1
        number += 1
        yield PlannedRequest(
            number,
            at,
            kind,
            symbol,
            "SELL" if sells else "BUY",
            LOTS[symbol],
            cancel_after=chance.uniform(1.0, 15.0),
        )


def plan_faults(
    every_hours: Mapping[str, float], names: Sequence[str], hours: float, seconds: float, seed: int
) -> list[PlannedFault]:
    """Each kind in its rhythm, shifted by chance; at least once, so that a short run has what it was asked for."""
    first, last = seconds * QUIET_BEFORE, seconds * (1 - QUIET_AFTER)
    planned = []
    for name in names:
        chance = random.Random(f"{name}|{seed}")
        times = max(1, round(hours / every_hours[name]))
        stretch = (last - first) / times
        planned += [
            PlannedFault(first + stretch * (turn + chance.random()), name, chance.getrandbits(32))
            for turn in range(times)
        ]
    return sorted(planned, key=lambda fault: fault.at)
