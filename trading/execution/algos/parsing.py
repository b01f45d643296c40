"""From the body of a request to a validated AlgoRequest: pure. What an order has too is read as an order's is.

Every mistake is an InvalidInput that names the field and the remedy; a field of another kind of algo is a mistake too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from trading.domain.enums import AlgoKind, TimeInForce
from trading.domain.errors import InvalidInput
from trading.domain.money import exact

from ..request_parsing import ParsedRequest, parse_request, read_number, read_time, refuse_unknown

_COMMON = ("source_id", "symbol", "side", "quantity", "price", "reduce_only", "account", "strategy")
_OWN = {
    AlgoKind.TWAP: ("duration_seconds", "slices"),
    AlgoKind.VWAP: ("duration_seconds", "slices", "profile"),
    AlgoKind.ICEBERG: ("visible_quantity", "duration_seconds"),
}
SHORTEST, LONGEST = 10, 7 * 24 * 3600
MOST_SLICES = 500
LEAST_SECONDS_PER_SLICE = 5
_FARTHEST = timedelta(days=7)
_LATE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class AlgoRequest:
    """`child` is the body's order over the whole quantity: what every child is but for its quantity. `slices` None:
    the planner chooses. `profile` None: the venue's own candles tell."""

    kind: AlgoKind
    child: ParsedRequest
    duration_seconds: int | None
    slices: int | None = None
    visible_quantity: Decimal | None = None
    profile: tuple[Decimal, ...] | None = None
    start_at: datetime | None = None

    @property
    def quantity(self) -> Decimal:
        quantity = self.child.order.quantity
        assert quantity is not None  # parse_algo insists
        return quantity


def parse_algo(body: Mapping[str, Any]) -> AlgoRequest:
    """Raises InvalidInput for anything that is not exactly one well-formed algo."""
    if not isinstance(body, Mapping):
        raise InvalidInput("The body must be a JSON object.", field="body")
    kind = _kind(body)
    refuse_unknown(body, ("kind", *_COMMON, *_OWN[kind], "start_at"))
    if body.get("quantity") in (None, ""):
        raise InvalidInput("quantity is missing.", remedy="Give it in base units.", field="quantity")
    if kind is AlgoKind.ICEBERG and body.get("price") in (None, ""):
        raise InvalidInput("An iceberg rests in the book at a price.", remedy="Add price.", field="price")
    order = {name: body[name] for name in _COMMON if name in body}
    if kind is not AlgoKind.ICEBERG and body.get("price") not in (None, ""):
        order["time_in_force"] = TimeInForce.IOC.value  # takes what is there at its price or better
    profile = _profile(body)
    slices = _whole(body, "slices", 1, MOST_SLICES)
    if profile is not None and slices not in (None, len(profile)):
        raise InvalidInput(
            f"profile has {len(profile)} weights for {slices} slices.",
            remedy="Give one weight for each slice, or leave slices out.",
            field="profile",
        )
    request = AlgoRequest(
        kind,
        parse_request(order),
        _duration(body, kind),
        slices if profile is None else len(profile),
        read_number(body, "visible_quantity"),
        profile,
        read_time(body, "start_at"),
    )
    _check(request)
    return request


def check_start(request: AlgoRequest, now: datetime) -> datetime:
    """When it begins. Not asked of a repeat: its answer stands. Raises InvalidInput."""
    start_at = request.start_at or now
    if start_at < now - _LATE:
        raise InvalidInput("start_at is in the past.", remedy="Leave it out to start now.", field="start_at")
    if start_at > now + _FARTHEST:
        raise InvalidInput("start_at is more than seven days ahead.", field="start_at")
    return max(start_at, now)


def _kind(body: Mapping[str, Any]) -> AlgoKind:
    try:
        return AlgoKind(str(body.get("kind") or "").strip().lower())
    except ValueError:
        allowed = ", ".join(kind.value for kind in AlgoKind)
        raise InvalidInput(
            f"kind {str(body.get('kind'))[:40]!r} is not known." if body.get("kind") else "kind is missing.",
            remedy=f"Use one of {allowed}.",
            field="kind",
        ) from None


def _whole(body: Mapping[str, Any], field: str, least: int, most: int) -> int | None:
    value = body.get(field)
    if value is None or value == "":
        return None
    number = exact(value, field=field)
    if number != number.to_integral_value() or not least <= number <= most:
        raise InvalidInput(f"{field} must be a whole number from {least} to {most}.", field=field)
    return int(number)


def _duration(body: Mapping[str, Any], kind: AlgoKind) -> int | None:
    seconds = _whole(body, "duration_seconds", SHORTEST, LONGEST)
    if seconds is None and kind is not AlgoKind.ICEBERG:
        raise InvalidInput(
            f"A {kind.upper()} needs duration_seconds.",
            remedy=f"Give the seconds over which it is spread, {SHORTEST} to {LONGEST}.",
            field="duration_seconds",
        )
    return seconds


def _profile(body: Mapping[str, Any]) -> tuple[Decimal, ...] | None:
    value = body.get("profile")
    if value is None or value == "":
        return None
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_SLICES:
        raise InvalidInput(f"profile must be a list of 1 to {MOST_SLICES} weights.", field="profile")
    weights = tuple(exact(weight, field="profile") for weight in value)
    if any(weight < 0 for weight in weights) or not any(weights):
        raise InvalidInput(
            "The weights of a profile are not negative, and one is above zero.", field="profile"
        )
    return weights


def _check(request: AlgoRequest) -> None:
    if request.kind is AlgoKind.ICEBERG:
        visible = request.visible_quantity
        if visible is None or visible >= request.quantity:
            raise InvalidInput(
                "An iceberg shows less than its quantity.",
                remedy="Give visible_quantity below quantity, or place a limit order.",
                field="visible_quantity",
            )
    elif request.slices and request.slices * LEAST_SECONDS_PER_SLICE > (request.duration_seconds or 0):
        raise InvalidInput(
            f"A slice takes at least {LEAST_SECONDS_PER_SLICE} seconds.",
            remedy="Give fewer slices or a longer duration_seconds.",
            field="slices",
        )
