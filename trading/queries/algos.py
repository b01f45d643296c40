"""How far algos are: what is scheduled by now, what is achieved, and by which children.

One query for the progress of any number of algos. Never decides: what comes next is `domain.algo_moves`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Greatest
from django.utils import timezone

from trading.domain.algo_plans import PlanSlice, scheduled_by
from trading.domain.algo_states import LIVING
from trading.domain.enums import AlgoKind, AlgoState, Side
from trading.domain.money import ZERO, add, divide, multiply
from trading.domain.order_states import TERMINAL
from trading.models import Algo, AlgoChild, Fill
from trading.models.columns import exact_field

_BASIS_POINTS = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class AlgoProgress:
    """Base units, but `notional` and prices in quote units. `alive`: ordered and not yet ended, in doubt included.
    `slippage_bps`: how much worse than the price at the start, in hundredths of a percent; None without a fill."""

    filled: Decimal
    notional: Decimal
    alive: Decimal
    scheduled: Decimal
    left: Decimal
    behind: Decimal
    average_price: Decimal | None
    slippage_bps: Decimal | None
    children: int
    elapsed_seconds: Decimal


@dataclass(frozen=True, slots=True)
class AlgoCurves:
    """Instants with cumulative base units: what the plan says, and what was filled."""

    schedule: list[tuple[datetime, Decimal]]
    achieved: list[tuple[datetime, Decimal]]


@dataclass(frozen=True, slots=True)
class AlgoFill:
    at: datetime
    quantity: Decimal
    price: Decimal
    notional: Decimal


def read_plan(algo: Algo) -> tuple[PlanSlice, ...]:
    return tuple(PlanSlice(Decimal(piece["after"]), Decimal(piece["target"])) for piece in algo.plan)


def read_pauses(algo: Algo) -> list[tuple[datetime, datetime]]:
    return [(datetime.fromisoformat(begin), datetime.fromisoformat(end)) for begin, end in algo.pauses]


def has_schedule(algo: Algo) -> bool:
    """An iceberg has none: it is done when the market has come to it."""
    return algo.kind != AlgoKind.ICEBERG


def pauses_until(algo: Algo, now: datetime) -> list[tuple[datetime, datetime]]:
    """The pauses that are over, and the one that lasts."""
    lasting = [(algo.state_since, now)] if algo.state == AlgoState.PAUSED else []
    return [*read_pauses(algo), *lasting]


def clock_of(algo: Algo, now: datetime) -> Decimal:
    """Seconds of its own clock, which stands while it is paused and when it has ended; below zero before it starts."""
    until = algo.finished_at or (algo.state_since if algo.state == AlgoState.PAUSED else now)
    span = until - algo.start_at
    for begin, end in read_pauses(algo):
        span -= max(end, algo.start_at) - max(begin, algo.start_at)
    return divide(Decimal(span // timedelta(microseconds=1)), Decimal(1_000_000))


def ends_at(algo: Algo, now: datetime) -> datetime | None:
    """When its time is over, as things stand; None without an end."""
    if algo.duration_seconds is None:
        return None
    return now + _span(algo.duration_seconds - clock_of(algo, now))


def _span(seconds: Decimal) -> timedelta:
    return timedelta(microseconds=int(multiply(seconds, Decimal(1_000_000))))


def read_children(algo: Algo) -> QuerySet[AlgoChild]:
    """In the order in which they were made."""
    return algo.children.select_related("order").order_by("number")


def read_progress(algos: Iterable[Algo], now: datetime) -> dict[UUID, AlgoProgress]:
    """Of all of these by one query."""
    rows = list(algos)
    alive = ~Q(order__status__in=sorted(TERMINAL))
    open_quantity = F("order__exposure_quantity") - F("order__filled_quantity")
    sums = (
        AlgoChild.objects.filter(algo__in=[algo.pk for algo in rows])
        .order_by()
        .values("algo_id")
        .annotate(
            filled=Sum("order__filled_quantity"),
            worth=Sum("order__filled_notional"),
            alive=Sum(Greatest(open_quantity, ZERO), filter=alive, output_field=exact_field()),
            children=Count("pk"),
        )
    )
    by_algo = {line["algo_id"]: line for line in sums}
    return {algo.pk: _progress(algo, by_algo.get(algo.pk, {}), now) for algo in rows}


def _progress(algo: Algo, sums: dict[str, Any], now: datetime) -> AlgoProgress:
    filled, worth = sums.get("filled") or ZERO, sums.get("worth") or ZERO
    alive, elapsed = sums.get("alive") or ZERO, clock_of(algo, now)
    scheduled = scheduled_by(read_plan(algo), elapsed) if algo.state != AlgoState.DENIED else ZERO
    average = divide(worth, filled) if filled else None
    return AlgoProgress(
        filled=filled,
        notional=worth,
        alive=alive,
        scheduled=scheduled,
        left=max(add(algo.quantity, -filled), ZERO),
        behind=max(add(scheduled, -add(filled, alive)), ZERO) if has_schedule(algo) else ZERO,
        average_price=average,
        slippage_bps=_slippage(algo, average),
        children=sums.get("children", 0),
        elapsed_seconds=max(elapsed, ZERO),
    )


def _slippage(algo: Algo, average: Decimal | None) -> Decimal | None:
    if average is None or not algo.arrival_price:
        return None
    worse = multiply(add(average, -algo.arrival_price), Decimal(Side(algo.side).sign))
    return multiply(divide(worse, algo.arrival_price), _BASIS_POINTS)


def read_fills(algo: Algo) -> list[AlgoFill]:
    """All of its children's, oldest first."""
    rows = Fill.objects.filter(order__algo_child__algo=algo).order_by("filled_at", "id")
    return [AlgoFill(*row) for row in rows.values_list("filled_at", "quantity", "price", "notional")]


def read_curves(
    algo: Algo, now: datetime | None = None, fills: Sequence[AlgoFill] | None = None
) -> AlgoCurves:
    # A slice is due when it begins: its target stands from then on.
    now = now or timezone.now()
    schedule = [(instant_of(algo, piece.after, now), piece.target) for piece in read_plan(algo)]
    total = ZERO
    achieved: list[tuple[datetime, Decimal]] = []
    for fill in read_fills(algo) if fills is None else fills:
        total = add(total, fill.quantity)
        achieved.append((fill.at, total))
    return AlgoCurves(schedule, achieved)


def thin(points: Sequence[tuple[datetime, Decimal]], most: int) -> Sequence[tuple[datetime, Decimal]]:
    """Evenly, the last one always: a cumulative line tells as much by fewer points."""
    stride = -(-len(points) // most) or 1
    return [point for number, point in enumerate(points) if (len(points) - 1 - number) % stride == 0]


def instant_of(algo: Algo, after: Decimal, now: datetime) -> datetime:
    """When the algo's clock shows `after`, given its pauses; one that still lasts is taken to end now."""
    at = algo.start_at + _span(after)
    for begin, end in pauses_until(algo, now):
        begin, end = max(begin, algo.start_at), max(end, algo.start_at)
        if begin <= at:
            at += end - begin
    return at


def living_algos(limit: int) -> list[Algo]:
    """Those of this mode that still have to be looked after, the newest first."""
    rows = Algo.objects.filter(account__mode=settings.LEVI_MODE, state__in=sorted(LIVING))
    return list(rows.select_related("account", "instrument", "strategy")[:limit])


def running_algos() -> list[Algo]:
    """All of this mode, for a figure over them."""
    return list(Algo.objects.filter(account__mode=settings.LEVI_MODE, state=AlgoState.RUNNING))


def count_living() -> dict[str, int]:
    """How many of this mode are in which state."""
    counts: Counter[str] = Counter()
    for (_, state), number in count_living_kinds().items():
        counts[state] += number
    return dict(counts)


def count_living_kinds() -> dict[tuple[str, str], int]:
    """How many of this mode are of which kind in which state."""
    rows = Algo.objects.filter(account__mode=settings.LEVI_MODE, state__in=sorted(LIVING)).order_by()
    counted = rows.values_list("kind", "state").annotate(n=Count("id"))
    return {(kind, state): number for kind, state, number in counted}
