"""A plan: how much of an algo's quantity shall be ordered by when. Pure arithmetic on the venue's lot grid.

The targets are cumulative and the last one is the whole quantity, so that rounding never adds up and nothing is left
over. A plan is made once, when the algo starts, and stored with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from .errors import InvalidInput
from .money import ZERO, add, add_up, divide, exact_arithmetic, round_to_lot


@dataclass(frozen=True, slots=True)
class PlanSlice:
    """`after`: seconds of the algo's clock when the slice begins. `target`: base units of all slices so far."""

    after: Decimal
    target: Decimal


def spread_evenly(slices: int) -> tuple[Decimal, ...]:
    """The weights of a TWAP."""
    return (Decimal(1),) * slices


def make_plan(
    quantity: Decimal, weights: Sequence[Decimal], *, seconds: int, lot_size: Decimal
) -> tuple[PlanSlice, ...]:
    """`quantity` split in proportion of `weights`, one slice each, over `seconds`. Raises InvalidInput."""
    if not weights or any(not weight.is_finite() or weight < 0 for weight in weights):
        raise InvalidInput(
            "A profile is a list of numbers that are not negative.",
            remedy="Give one weight for each slice.",
            field="profile",
        )
    total = add_up(weights)
    if total <= 0:
        raise InvalidInput("A profile needs a weight above zero.", field="profile")
    plan: list[PlanSlice] = []
    so_far = ZERO
    for number, weight in enumerate(weights):
        so_far = add(so_far, weight)
        with exact_arithmetic():  # a product cut to a column's decimals would lose tiny weights
            share = quantity * so_far / total
        is_last = number == len(weights) - 1
        target = quantity if is_last else round_to_lot(min(share, quantity), lot_size)
        plan.append(PlanSlice(divide(Decimal(seconds * number), Decimal(len(weights))), target))
    return tuple(plan)


def slice_quantities(plan: Sequence[PlanSlice]) -> list[Decimal]:
    """What each slice adds."""
    befores = [ZERO, *(piece.target for piece in plan)]
    return [add(piece.target, -before) for piece, before in zip(plan, befores, strict=False)]


def scheduled_by(plan: Sequence[PlanSlice], elapsed: Decimal) -> Decimal:
    """How much shall have been ordered when the algo's clock shows `elapsed`."""
    due = [piece.target for piece in plan if piece.after <= elapsed]
    return due[-1] if due else ZERO
