"""Compares a stack's books with the simulated venue's ledger, which is the truth.

Differences are returned as sentences, so that an assertion shows all of them at once.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from rig.panel_client import PanelClient
from simulator.testing import SimulatedVenue

VENUE_TO_OURS = {
    "NEW": "open",
    "PARTIALLY_FILLED": "partially_filled",
    "FILLED": "filled",
    "CANCELED": "canceled",
    "PARTIALLY_CANCELED": "canceled",
}
# An order of ours that the venue does not have must have ended as one of these.
NOT_AT_VENUE = {"denied", "lapsed", "not_accepted", "rejected"}
SIGNS = {"BUY": 1, "SELL": -1}


def position_at_venue(venue: SimulatedVenue, symbol: str = "BTCUSDT") -> Decimal:
    fills = [fill for fill in venue.fills() if fill["symbol"] == symbol]
    return sum((SIGNS[fill["side"]] * Decimal(fill["quantity"]) for fill in fills), Decimal(0))


def find_differences(client: PanelClient, venue: SimulatedVenue) -> list[str]:
    """Empty when every order, fill and the position agree, nothing is doubled and nothing unknown."""
    ours = {order["client_order_id"]: order for order in client.get_all("/api/v1/orders")}
    theirs = venue.orders()
    counts = Counter(order["client_order_id"] for order in theirs)
    found = [f"{name} stands at the venue {count} times" for name, count in counts.items() if count > 1]
    found += [f"{name} is not in our books" for name in counts if name not in ours]
    found += [text for order in theirs if (text := compare(ours.get(order["client_order_id"]), order))]
    found += [
        f"{name} is {order['status']} here and unknown to the venue"
        for name, order in ours.items()
        if name not in counts and order["status"] not in NOT_AT_VENUE
    ]
    return found + compare_fills(client, venue) + venue.book_differences()


def compare(ours: Any, theirs: Any) -> str:
    if ours is None:
        return ""
    status, filled = VENUE_TO_OURS.get(theirs["status"], theirs["status"]), Decimal(theirs["filled"])
    if ours["status"] == status and Decimal(ours["filled_quantity"]) == filled:
        return ""
    return (
        f"{theirs['client_order_id']} is {status} with {filled} at the venue, "
        f"{ours['status']} with {ours['filled_quantity']} here"
    )


def compare_fills(client: PanelClient, venue: SimulatedVenue) -> list[str]:
    found = []
    booked = Counter(fill["venue_fill_id"] for fill in client.get_all("/api/v1/fills"))
    if booked != Counter(str(fill["fill_id"]) for fill in venue.fills()):
        found.append(f"{booked.total()} fills are booked, {len(venue.fills())} stand at the venue")
    position, truth = client.position(), position_at_venue(venue)
    if position != truth:
        found.append(f"the position is {position}, the sum of the venue's fills {truth}")
    return found
