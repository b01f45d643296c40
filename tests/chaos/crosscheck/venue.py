"""What the scripted venue shows, as the values that adapters return: the same for both sides."""

from __future__ import annotations

from decimal import Decimal

from tests.chaos.virtual.kernel import as_time
from trading.domain.enums import VenueOrderStatus
from trading.domain.outcomes import FillReport, OrderReport

from .schedule import Asked, View

ONE, ZERO = Decimal(1), Decimal(0)


def make_report(asked: Asked, client_order_id: str, view: View) -> OrderReport | None:
    if view.seen is None:
        return None
    status, filled = view.seen
    return OrderReport(
        client_order_id=client_order_id,
        exchange_order_id=view.exchange_order_id,
        symbol=asked.symbol.replace("/", ""),
        side=asked.side,
        status=status,
        quantity=asked.quantity,
        filled_quantity=filled,
        filled_notional=filled,
        price=ONE,
    )


def make_fills(asked: Asked, client_order_id: str, view: View) -> list[FillReport]:
    return [
        FillReport(
            venue_fill_id=name,
            exchange_order_id=view.exchange_order_id,
            client_order_id=client_order_id,
            symbol=asked.symbol.replace("/", ""),
            side=asked.side,
            price=ONE,
            quantity=piece,
            fee=ZERO,
            fee_asset="USDT",
            is_maker=True,
            filled_at=as_time(at),
        )
        for name, piece, at in view.fills
    ]


def is_open(report: OrderReport) -> bool:
    return report.status in (VenueOrderStatus.OPEN, VenueOrderStatus.PARTIALLY_FILLED)
