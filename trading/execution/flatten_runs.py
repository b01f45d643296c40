"""Runs a flattening to its verdict: claimed by lease, one round over all its positions after the other.

Needs neither Redis nor Celery. Two runners are harmless, because an order's key follows from its number; the lease
saves requests. `flat` means that no position of it is left but dust; anything else, after five minutes at the latest,
is an itemised report of what remains and why.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, Q
from django.utils import timezone

from trading.domain.errors import LeviError
from trading.models import Flattening, FlatteningState, Position
from trading.process_name import process_name

from .closing import ACTOR, ClosingStep, close_step, orders_of
from .flatten import finish, positions_of

log = logging.getLogger(__name__)

LONGEST = timedelta(minutes=5)
_LEASE = timedelta(seconds=15)
_PAUSES = (0.1, 0.3, 0.5, 1.0, 2.0)
_OVER = frozenset({"flat", "dust", "done"})
Report = dict[str, dict[str, Any]]


def claim_flattening(flattening_id: UUID) -> Flattening | None:
    """Take or renew the lease; None if it ended or somebody else has it."""
    now = timezone.now()
    free = Q(leased_until__isnull=True) | Q(leased_until__lt=now) | Q(leased_by=process_name())
    claimed = Flattening.objects.filter(free, pk=flattening_id, state=FlatteningState.RUNNING).update(
        leased_until=now + _LEASE, leased_by=process_name(), rounds=F("rounds") + 1
    )
    return Flattening.objects.select_related("sweep").get(pk=flattening_id) if claimed else None


def waiting_flattenings(*, for_seconds: int = 0) -> list[UUID]:
    now = timezone.now()
    free = Q(leased_until__isnull=True) | Q(leased_until__lt=now)
    waiting = Flattening.objects.filter(
        free, state=FlatteningState.RUNNING, requested_at__lte=now - timedelta(seconds=for_seconds)
    )
    return list(waiting.values_list("id", flat=True))


def run_flattening(
    flattening_id: UUID, *, progress: Callable[[Flattening], None] | None = None
) -> Flattening:
    """To the verdict. Returns the row; still `running` if another process has the lease."""
    while True:
        row = claim_flattening(flattening_id)
        if row is None:
            return Flattening.objects.select_related("sweep").get(pk=flattening_id)
        report = _one_round(row)
        if verdict := _verdict(row, report):
            finish(row, report, verdict, actor=ACTOR)
            return Flattening.objects.select_related("sweep").get(pk=flattening_id)
        Flattening.objects.filter(pk=row.pk).update(report=report)
        if progress:
            progress(row)
        time.sleep(_PAUSES[min(row.rounds, len(_PAUSES) - 1)])


def _verdict(row: Flattening, report: Report) -> FlatteningState | None:
    if all(line["state"] in _OVER for line in report.values()):
        return FlatteningState.FLAT
    late = timezone.now() >= row.requested_at + LONGEST
    return FlatteningState.REMAINS if late else None


def _one_round(row: Flattening) -> Report:
    """A line per position; one that was closed in an earlier round keeps its line."""
    report: Report = dict(row.report)
    for position in _known(row, report):
        name = f"{position.account.name} {position.instrument.symbol}"
        step = _guarded(row, position)
        names = list(orders_of(row, position).values_list("client_order_id", flat=True))
        report[name] = step.as_line(names)
    return report


def _known(row: Flattening, report: Report) -> list[Position]:
    """Those held now, and those that this flattening has a line for: their end is to be seen too."""
    held = positions_of(row)
    seen = {f"{one.account.name} {one.instrument.symbol}" for one in held}
    gone = [name.split(" ", 1) for name in report if name not in seen]
    for account, symbol in gone:
        found = Position.objects.select_related("account", "instrument").filter(
            account__name=account, instrument__symbol=symbol
        )
        held += list(found)
    return held


def _guarded(row: Flattening, position: Position) -> ClosingStep:
    """One position's trouble must not stop the closing of the others."""
    try:
        return close_step(row, position)
    except LeviError as error:
        log.warning("flatten %s: %s", position.pk, error)
        return ClosingStep("waiting", position.quantity, is_over=False, why=str(error))
