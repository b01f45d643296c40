"""Proposal: a request fitted to the instrument's grid, beside what was asked, so that rounding is never silent.

Quantity goes down to whole lots, a limit price to the tick in the asker's favour. Nothing else is changed: what does
not fit after that is denied by the rules, not resized.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trading.domain.enums import OrderType, TimeInForce
from trading.domain.money import ZERO, divide, notional, plain, round_to_lot, round_to_tick
from trading.domain.order_request import OrderRequest
from trading.models import Instrument
from trading.risk.facts import OrderFacts

from .request_parsing import ParsedRequest


@dataclass(frozen=True, slots=True)
class Proposal:
    request: OrderRequest
    symbol: str
    quantity: Decimal | None
    price: Decimal | None
    flattens: bool = False
    is_child: bool = False

    def order_facts(self) -> OrderFacts:
        request = self.request
        needs_word = request.time_in_force is not TimeInForce.GTC
        return OrderFacts(
            symbol=self.symbol,
            side=request.side,
            order_type=request.order_type,
            type_word=str(request.time_in_force if needs_word else request.order_type),
            quantity=self.quantity,
            asked_quantity=request.quantity,
            quote_quantity=request.quote_quantity,
            price=self.price,
            asked_price=request.price,
            signal_price=request.last_price,
            reduce_only=request.reduce_only,
            flattens=self.flattens,
            is_child=self.is_child,
        )

    def exposure_quantity(self, last_price: Decimal | None) -> Decimal:
        """Base units that count as exposure; estimated from the price for an order by quote quantity."""
        if self.quantity is not None:
            return self.quantity
        quote = self.request.quote_quantity or ZERO
        return divide(quote, last_price) if last_price else ZERO

    def notional_at(self, last_price: Decimal | None) -> Decimal | None:
        if self.quantity is None:
            return self.request.quote_quantity
        price = self.price if self.request.order_type is not OrderType.MARKET else last_price
        return notional(self.quantity, price) if price else None

    def as_answer(self) -> dict[str, Any]:
        request = self.request
        return {
            "symbol": self.symbol,
            "side": request.side,
            "order_type": request.order_type,
            "time_in_force": request.time_in_force,
            "quantity": plain(self.quantity) or None,
            "asked_quantity": plain(request.quantity) or None,
            "quote_quantity": plain(request.quote_quantity) or None,
            "price": plain(self.price) or None,
            "asked_price": plain(request.price) or None,
            "reduce_only": request.reduce_only,
        }


def make_proposal(
    parsed: ParsedRequest, instrument: Instrument, *, flattens: bool = False, is_child: bool = False
) -> Proposal:
    request = parsed.order
    quantity = None if request.quantity is None else round_to_lot(request.quantity, instrument.lot_size)
    price = (
        None if request.price is None else round_to_tick(request.price, instrument.tick_size, request.side)
    )
    return Proposal(request, instrument.symbol, quantity, price, flattens, is_child)
