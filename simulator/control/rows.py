"""The shapes in which the control interface shows the ledger; money as strings, times in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

from simulator.core.accounts import SimUser
from simulator.core.money import plain
from simulator.core.rows import Listing, SimFill, SimOrder
from simulator.streaming.connection import StreamConnection


def order_row(venue: str, order: SimOrder) -> dict[str, object]:
    return {
        "seq": order.sequence,
        "venue": venue,
        "user": order.user,
        "order_id": order.order_id,
        "client_order_id": order.client_order_id,
        "symbol": order.symbol,
        "side": order.side.value,
        "type": order.type.value,
        "price": plain(order.price),
        "quantity": plain(order.quantity),
        "quote_quantity": plain(order.quote_quantity),
        "filled": plain(order.filled),
        "filled_quote": plain(order.filled_quote),
        "status": order.status.value,
        "received_at": as_utc(order.received_ms),
        "updated_at": as_utc(order.updated_ms),
    }


def fill_row(venue: str, fill: SimFill) -> dict[str, object]:
    return {
        "seq": fill.sequence,
        "venue": venue,
        "user": fill.user,
        "fill_id": fill.fill_id,
        "order_id": fill.order_id,
        "client_order_id": fill.client_order_id,
        "symbol": fill.symbol,
        "side": fill.side.value,
        "price": plain(fill.price),
        "quantity": plain(fill.quantity),
        "fee": plain(fill.fee),
        "fee_asset": fill.fee_asset,
        "is_maker": fill.is_maker,
        "at": as_utc(fill.at_ms),
    }


def balance_rows(venue: str, user: SimUser) -> list[dict[str, object]]:
    return [
        {
            "venue": venue,
            "user": user.name,
            "asset": asset,
            "free": plain(balance.free),
            "locked": plain(balance.locked),
            "total": plain(balance.total),
        }
        for asset, balance in sorted(user.balances.items())
    ]


def user_row(venue: str, user: SimUser) -> dict[str, object]:
    return {
        "venue": venue,
        "user": user.name,
        "key": user.key,
        "uid": user.uid,
        "permissions": list(user.permissions),
        "symbols": None if user.symbols is None else list(user.symbols),
        "addresses": list(user.addresses),
    }


def listing_row(venue: str, listing: Listing, price: str, *, is_pinned: bool) -> dict[str, object]:
    return {
        "venue": venue,
        "symbol": listing.symbol,
        "price": price,
        "pinned": is_pinned,
        "online": listing.online,
        "api_trading": listing.api_trading,
        "side_type": listing.side_type,
        "allows_market": listing.allows_market,
    }


def stream_row(connection: StreamConnection) -> dict[str, object]:
    return {
        "venue": connection.venue,
        "user": connection.user,
        "connection": connection.number,
        "opened_at": as_utc(connection.opened_ms),
        "ended": connection.ended_because,
        "stalled": connection.is_stalled(),
        "channels": list(connection.talk.channels),
        "answers": connection.answers,
        "sent": dict(connection.sent),
        "lost": dict(connection.lost),
    }


def as_utc(wall_ms: int) -> str:
    return datetime.fromtimestamp(wall_ms / 1000, UTC).isoformat(timespec="milliseconds")
