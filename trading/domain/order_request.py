"""OrderRequest: what someone asks for, validated once at the door and frozen from then on.

Shape errors (a missing price, a negative quantity) are raised here as InvalidInput; whether the order is allowed is the
business of the risk rules, and whether it fits the venue's grid is decided with the instrument at intake.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from .enums import OrderType, Side, TimeInForce
from .errors import InvalidInput
from .money import positive


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """`quantity` in base units or `quote_quantity` in quote units (market orders only): exactly one is given.

    `last_price` is the price the asker saw when deciding, if it told us; it is compared with ours, never used instead.
    """

    symbol: str
    side: Side
    order_type: OrderType
    quantity: Decimal | None
    quote_quantity: Decimal | None = None
    price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    last_price: Decimal | None = None

    def __post_init__(self) -> None:
        if (self.quantity is None) == (self.quote_quantity is None):
            raise InvalidInput(
                "Exactly one of quantity and quote_quantity is needed.",
                remedy="Give quantity in base units, or quote_quantity for a market order in quote units.",
                field="quantity",
            )
        if self.quote_quantity is not None and self.order_type is not OrderType.MARKET:
            raise InvalidInput(
                f"quote_quantity only fits MARKET orders, not {self.order_type}.",
                remedy="Give quantity in base units.",
                field="quote_quantity",
            )
        self._check_numbers()
        self._check_price()
        self._check_time_in_force()

    def _check_numbers(self) -> None:
        for field in ("quantity", "quote_quantity", "price", "last_price"):
            value = getattr(self, field)
            if value is not None:
                positive(value, field=field)

    def _check_price(self) -> None:
        if self.order_type.needs_price and self.price is None:
            raise InvalidInput(
                f"A {self.order_type} order needs a price.",
                remedy="Add price, or use order_type MARKET.",
                field="price",
            )
        if not self.order_type.needs_price and self.price is not None:
            raise InvalidInput(
                "A MARKET order takes no price.",
                remedy="Remove price (the price you saw goes into last_price), or use order_type LIMIT.",
                field="price",
            )

    def _check_time_in_force(self) -> None:
        if self.order_type is not OrderType.LIMIT and self.time_in_force is not TimeInForce.GTC:
            raise InvalidInput(
                f"time_in_force {self.time_in_force} only fits LIMIT orders.",
                remedy="Remove time_in_force, or use order_type LIMIT.",
                field="time_in_force",
            )
