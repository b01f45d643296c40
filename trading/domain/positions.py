"""PositionState: what the fills of one instrument on one account add up to.

Average-cost method on signed quantity: a fill in the direction of the position moves the average, a fill against it
realizes the difference, a fill through zero does both. Fees are kept per asset and never folded into the price, because
they may be in base, quote or a third asset. One in the base asset is gone from what is held, so it makes the quantity
smaller, at the average and without a gain: what is held is what can be sold. The state after a set of fills does not
depend on duplicates, because a fill is booked once (unique id); quantity and fees do not depend on the order either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from .enums import Side
from .money import ZERO, divide, exact_arithmetic, multiply


@dataclass(frozen=True, slots=True)
class PositionState:
    """`quantity` signed in base units, `average_price` and `realized_pnl` in quote units, before fees."""

    quantity: Decimal = ZERO
    average_price: Decimal = ZERO
    realized_pnl: Decimal = ZERO
    fees: Mapping[str, Decimal] = field(default_factory=dict)

    def after(
        self, side: Side, quantity: Decimal, price: Decimal, fee: Decimal, fee_asset: str, *, base_asset: str
    ) -> PositionState:
        """The state after one more fill, of an instrument with this base asset."""
        traded = self._traded(side, quantity, price)
        with exact_arithmetic():
            fees = {**self.fees, fee_asset: self.fees.get(fee_asset, ZERO) + fee} if fee else self.fees
            left = traded.quantity - (fee if fee_asset == base_asset else ZERO)
            # A fee out of nothing, or out of less than it, leaves a debt at this fill's price.
            turned = left * traded.quantity <= 0 and left != traded.quantity
            average = (price if left else ZERO) if turned else traded.average_price
            return PositionState(left, average, traded.realized_pnl, fees)

    def _traded(self, side: Side, quantity: Decimal, price: Decimal) -> PositionState:
        with exact_arithmetic():
            after, held = self.quantity + quantity * side.sign, abs(self.quantity)
            if not quantity:
                return PositionState(after, self.average_price, self.realized_pnl)
            if self.quantity * side.sign >= 0:
                paid = multiply(held, self.average_price) + multiply(quantity, price)
                return PositionState(after, divide(paid, abs(after)), self.realized_pnl)
            # Sold dearer than bought is a gain for a long position, and the reverse for a short one.
            gain = multiply(min(held, quantity), (self.average_price - price) * side.sign)
            # Through zero: what is left was opened at this fill's price.
            average = ZERO if after == 0 else price if quantity > held else self.average_price
            return PositionState(after, average, self.realized_pnl + gain)

    def unrealized_pnl(self, last_price: Decimal) -> Decimal:
        with exact_arithmetic():
            return multiply(self.quantity, last_price - self.average_price)

    def notional(self, last_price: Decimal) -> Decimal:
        return multiply(self.quantity.copy_abs(), last_price)


def shrinks(position: Decimal, side: Side, quantity: Decimal) -> bool:
    """True if an order of `quantity` can only bring `position` (signed) nearer to zero."""
    # copy_abs, because abs() rounds to the 28 digits of the default context
    return position * side.sign < 0 and quantity <= position.copy_abs()
