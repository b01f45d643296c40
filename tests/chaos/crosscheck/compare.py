"""Runs one seed on both sides and says where they first differ."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from tests.chaos.virtual.kernel import as_seconds
from tests.chaos.virtual.mutations import Mutations
from tests.chaos.virtual.store import OrderRow
from trading.models import AuditEntry, Break, Fill, Order, Position, Sweep

from .double import DoubleSide
from .product import ProductSide, orders_by_index
from .schedule import STEPS, Schedule

_INSTANTS = ("acknowledged_at", "doubt_since", "open_orders_clear_at", "fills_clear_at", "next_action_at")
_INSTANTS += ("expires_at", "permit_at", "updated_at")
_PLAIN = ("status", "attempt", "cancel_state", "exchange_order_id", "not_sent_count")


_CONTROLS = """
SELECT (SELECT epoch FROM trading_controlepoch WHERE id = 1),
       (SELECT max(version) FROM trading_limitsversion WHERE scope = 'everything'),
       (SELECT json_object_agg(scope || ' ' || target, state) FROM trading_haltstate)
"""


@dataclass(frozen=True, slots=True)
class Difference:
    seed: int
    step: int
    what: dict[str, tuple[Any, Any]]  # of the double, of the product
    story: list[str]

    def __str__(self) -> str:
        lines = [f"Seed {self.seed}: the double and the product differ after step {self.step}"]
        lines += [
            f"  ! {name}: double {ours}, product {theirs}" for name, (ours, theirs) in self.what.items()
        ]
        return "\n".join([*lines, *(f"  {line}" for line in self.story)])


def compare_seed(seed: int, product: ProductSide, mutations: Mutations | None = None) -> Difference | None:
    with product.fresh():
        return _run(seed, product, DoubleSide(product.life, mutations or Mutations()))


def _run(seed: int, product: ProductSide, double: DoubleSide) -> Difference | None:
    schedule, story = Schedule(seed), []
    for number in range(STEPS):
        step = schedule.next_step(double.rows, len(double.store.sweeps), double.kernel.now)
        story.append(f"{number}. {step}")
        raised_there = product.take(step)
        client_id = product.client_ids[step.asked.index] if step.asked is not None else ""
        raised_here = double.take(step, client_id)
        ours = {"raised": raised_here, "looks": double.looks, **_double_picture(double)}
        theirs = {"raised": raised_there, "looks": product.looks, **_product_picture(product)}
        difference = _differences(ours, theirs)
        if difference:
            return Difference(seed, number, difference, story)
    difference = _differences(_double_history(double), _product_history(product))
    return Difference(seed, STEPS, difference, story) if difference else None


def _differences(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    names = [*ours, *(name for name in theirs if name not in ours)]
    return {name: (ours.get(name), theirs.get(name)) for name in names if ours.get(name) != theirs.get(name)}


def _double_picture(side: DoubleSide) -> dict[str, Any]:
    picture: dict[str, Any] = {"now": round(side.kernel.now, 3), "epoch": side.store.epoch}
    for (scope, target), state in side.store.scopes.items():
        picture[f"{scope} {target}"] = state.value
    for index, row in enumerate(side.rows):
        picture |= _double_order(f"order {index}", row, side.store.limits_version)
    return picture


def _double_order(name: str, row: OrderRow, limits: int) -> dict[str, Any]:
    seen: dict[str, Any] = {f"{name} {column}": str(getattr(row, column)) for column in _PLAIN}
    for column in _INSTANTS:
        at = getattr(row, column)
        seen[f"{name} {column}"] = None if at is None else round(at, 3)
    seen[f"{name} not found at"] = [round(at, 3) for at in row.not_found_at]
    seen[f"{name} filled"], seen[f"{name} venue filled"] = row.filled, row.venue_filled
    seen[f"{name} epoch"] = row.approved_epoch
    seen[f"{name} limits"] = row.approved_epoch is None or row.limits_version == limits
    return seen


def _product_picture(side: ProductSide) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(_CONTROLS)
        epoch, limits, states = cursor.fetchone()
    picture: dict[str, Any] = {"now": round(side.clock.now, 3), "epoch": epoch - side.first_epoch + 1}
    picture |= json.loads(states) if isinstance(states, str) else states
    for index, order in sorted(orders_by_index(side).items()):
        picture |= _product_order(f"order {index}", order, limits, side.first_epoch)
    return picture


def _product_order(name: str, order: Order, limits: int | None, first_epoch: int) -> dict[str, Any]:
    seen: dict[str, Any] = {f"{name} {column}": str(getattr(order, column)) for column in _PLAIN}
    for column in _INSTANTS:
        at = getattr(order, column)
        seen[f"{name} {column}"] = None if at is None else round(as_seconds(at), 3)
    seen[f"{name} not found at"] = [round(_seconds_of(text), 3) for text in order.not_found_at]
    seen[f"{name} filled"], seen[f"{name} venue filled"] = order.filled_quantity, order.venue_filled_quantity
    epoch = order.approved_epoch
    seen[f"{name} epoch"] = None if epoch is None else epoch - first_epoch + 1
    seen[f"{name} limits"] = epoch is None or limits in order.limits_versions
    return seen


def _seconds_of(text: str) -> float:
    return as_seconds(datetime.fromisoformat(text))


def _double_history(side: DoubleSide) -> dict[str, Any]:
    index_of = {order_id: index for index, order_id in side.ids.items()}
    paths: dict[int, list[str]] = defaultdict(list)
    for move in side.store.moves:
        paths[index_of[move.order_id]].append(move.after.value)
    return {
        **{f"path of order {index}": path for index, path in paths.items()},
        "positions": {f"{a} {s}": quantity for (a, s), quantity in side.store.positions.items() if quantity},
        "fills": len(side.store.booked),
        "sweeps": len(side.store.sweeps),
        "breaks": sorted(index_of[order_id] for order_id in side.store.breaks),
    }


def _product_history(side: ProductSide) -> dict[str, Any]:
    paths: dict[int, list[str]] = defaultdict(list)
    index_of = {str(order_id): index for index, order_id in side.ids.items()}
    moves = AuditEntry.objects.filter(object_id__in=index_of, kind__startswith="order.").order_by("sequence")
    for object_id, kind in moves.values_list("object_id", "kind"):
        paths[index_of[object_id]].append(kind.removeprefix("order."))
    names = {side.client_ids[index]: index for index in side.ids}
    positions = Position.objects.exclude(quantity=0).select_related("account", "instrument")
    noted = Break.objects.values_list("subject", flat=True)
    return {
        **{f"path of order {index}": path for index, path in paths.items()},
        "positions": {f"{row.account.name} {row.instrument.symbol}": row.quantity for row in positions},
        "fills": Fill.objects.count(),
        "sweeps": Sweep.objects.count(),
        "breaks": sorted(names[subject] for subject in set(noted)),
    }
