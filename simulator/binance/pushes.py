"""Binance's user data events: what a change of an order, of balances, a deposit or a withdrawal looks like.

One report tells of a fill and of the order it belongs to. Balances that one change moved stand in one event.
"""

from __future__ import annotations

import json

from simulator.binance.shapes import (
    EXPIRY_REASONS,
    NO_LIST,
    TYPE_WORDS,
    Shape,
    fixed,
    shown_price,
    status_word,
)
from simulator.core.events import BalanceCause, BalanceChanged, OrderChanged, VenueEvent
from simulator.core.money import ZERO
from simulator.core.rows import SimFill
from simulator.wire import StreamFrame

# Channels are named by a word for faults to match and by the event's own name.
ORDERS, ACCOUNT, TRANSFERS = (
    "orders.executionReport",
    "account.outboundAccountPosition",
    "account.balanceUpdate",
)
CHANNELS = (ORDERS, ACCOUNT, TRANSFERS)
FROM_OUTSIDE = (BalanceCause.DEPOSITED, BalanceCause.WITHDRAWN, BalanceCause.ADJUSTED)


def encode_events(events: list[VenueEvent], subscription: int, now_ms: int) -> list[StreamFrame]:
    """In the order of what happened; the balances of it all come last."""
    frames = [
        StreamFrame(ORDERS, _wrap(_report(event, now_ms), subscription), event)
        for event in _select_reports(events)
    ]
    changed = {event.asset: event for event in events if isinstance(event, BalanceChanged)}
    for event in changed.values():
        if event.cause in FROM_OUTSIDE:
            frames.append(StreamFrame(TRANSFERS, _wrap(_transfer(event, now_ms), subscription), event))
    if changed:
        position = _position(list(changed.values()), now_ms)
        frames.append(StreamFrame(ACCOUNT, _wrap(position, subscription), list(changed.values())[-1]))
    return frames


def encode_end(subscription: int, now_ms: int) -> str:
    return _wrap({"e": "eventStreamTerminated", "E": now_ms}, subscription)


def encode_shutdown(now_ms: int) -> str:
    return json.dumps({"event": {"e": "serverShutdown", "E": now_ms}}, separators=(",", ":"))


def _wrap(event: Shape, subscription: int) -> str:
    document = {"subscriptionId": subscription, "event": event}
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


# -- orders --------------------------------------------------------------------------------------------------------


def _select_reports(events: list[VenueEvent]) -> list[OrderChanged]:
    """An order by quote that ends with its last fill is told of once, as filled."""
    reports: list[OrderChanged] = []
    for event in events:
        if not isinstance(event, OrderChanged):
            continue
        if reports and _is_same_fill(reports[-1], event):
            reports.pop()
        reports.append(event)
    return reports


def _is_same_fill(earlier: OrderChanged, later: OrderChanged) -> bool:
    return (
        earlier.order.order_id == later.order.order_id
        and earlier.last_fill is not None
        and earlier.last_fill is later.last_fill
        and execution_word(later) == "TRADE"
    )


def execution_word(event: OrderChanged) -> str:
    status = status_word(event.order)
    return status if status in ("NEW", "CANCELED", "EXPIRED") else "TRADE"


def _report(event: OrderChanged, now_ms: int) -> Shape:
    order, execution = event.order, execution_word(event)
    kind, in_force = TYPE_WORDS[order.type]
    is_canceled = execution == "CANCELED"
    report: Shape = {
        "e": "executionReport",
        "E": now_ms,
        "s": order.symbol,
        "c": order.cancel_id if is_canceled else order.client_order_id,
        "S": order.side.value,
        "o": kind,
        "f": in_force,
        "q": fixed(order.quantity),
        "p": fixed(shown_price(order)),
        "P": fixed(ZERO),
        "F": fixed(ZERO),
        "g": NO_LIST,
        "C": order.client_order_id if is_canceled else "",
        "x": execution,
        "X": status_word(order),
        "r": "NONE",
        "i": int(order.order_id),
        **_trade(event.last_fill if execution == "TRADE" else None),
        "z": fixed(order.filled),
        "T": order.updated_ms,
        "I": 2 * int(order.order_id) + len(order.fill_sequences),
        "w": order.status.is_open,
        "M": False,
        "O": order.received_ms,
        "Z": fixed(order.filled_quote),
        "Q": fixed(order.quote_quantity),
        "W": order.received_ms,
        "V": "NONE",
    }
    if execution == "EXPIRED":
        report["eR"] = EXPIRY_REASONS[order.type]
    return report


def _trade(fill: SimFill | None) -> Shape:
    if fill is None:
        nothing = fixed(ZERO)
        return {"l": nothing, "L": nothing, "Y": nothing, "n": "0", "N": None, "t": -1, "m": False}
    return {
        "l": fixed(fill.quantity),
        "L": fixed(fill.price),
        "Y": fixed(fill.notional),
        "n": fixed(fill.fee),
        "N": fill.fee_asset,
        "t": int(fill.fill_id),
        "m": fill.is_maker,
    }


# -- balances ------------------------------------------------------------------------------------------------------


def _position(changed: list[BalanceChanged], now_ms: int) -> Shape:
    return {
        "e": "outboundAccountPosition",
        "E": now_ms,
        "u": max(event.at_ms for event in changed),
        "B": [{"a": event.asset, "f": fixed(event.free), "l": fixed(event.locked)} for event in changed],
    }


def _transfer(event: BalanceChanged, now_ms: int) -> Shape:
    change = fixed(event.free_change + event.locked_change)
    return {"e": "balanceUpdate", "E": now_ms, "a": event.asset, "d": change, "T": event.at_ms}
