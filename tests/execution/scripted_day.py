"""The script of one trading day, for a test and a benchmark; and both sides' books, to be compared at every sync.

Fees in a third asset that runs out, partial fills, cancels, prices that move, orders of somebody else on the account,
deposits and withdrawals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from tests.making import PERSON, World, add_foreign_order, status_of
from trading.domain.money import plain
from trading.execution.cancellation import request_cancel
from trading.execution.dispatch import dispatch_order
from trading.execution.following import follow_order
from trading.execution.poller import poll_once
from trading.models import Balance, Fill, Position

SYMBOLS = {"BTCUSDT": "BTC/USDT", "ETHUSDT": "ETH/USDT"}
DUST = Decimal("1e-9")  # an average price is a quotient: what it is made of is exact, itself it is rounded


@dataclass(frozen=True)
class Sums:
    """One side's numbers: the venue's ledger, or our books."""

    totals: dict[str, Decimal]
    locked: dict[str, Decimal]
    fills: dict[str, tuple[str, Decimal, Decimal, Decimal, str]]


def venue_sums(world: World) -> Sums:
    rows = world.venue.balances()
    fills = [fill for fill in world.venue.fills() if fill["user"] == "trader"]
    return Sums(
        {asset: Decimal(row["total"]) for asset, row in rows.items() if Decimal(row["total"])},
        {asset: Decimal(row["locked"]) for asset, row in rows.items() if Decimal(row["locked"])},
        {
            fill["fill_id"]: (
                fill["side"],
                *(Decimal(fill[name]) for name in ("price", "quantity", "fee")),
                fill["fee_asset"],
            )
            for fill in fills
        },
    )


def our_sums() -> Sums:
    rows, fills = Balance.objects.all(), Fill.objects.all()
    return Sums(
        {row.asset: row.booked for row in rows if row.booked},
        {row.asset: row.locked for row in rows if row.locked},
        {
            fill.venue_fill_id: (fill.side, fill.price, fill.quantity, fill.fee, fill.fee_asset)
            for fill in fills
        },
    )


class Day:
    """The steps, in their order; each is something that happens between two syncs."""

    def __init__(self, world: World) -> None:
        self.world, self.venue = world, world.venue

    def steps(self) -> Iterator[tuple[str, Callable[[], object]]]:
        venue = self.venue
        yield "buy at the market, fee in MX", lambda: self.world.buy("0.02")
        yield "rest a bid", lambda: self.rest_bid("0.0173")
        yield "a third of it fills", lambda: venue.fill(self.bid.client_order_id, "0.00577")
        yield "deposit, and the price falls", self.deposit_while_price_falls
        yield "another part, then cancel", self.fill_and_cancel
        yield "somebody else bids", lambda: add_foreign_order(self.world)
        yield "somebody else's bid fills in part", lambda: venue.fill("by-hand", "0.00037")
        yield "sell in two orders", self.sell_twice
        yield "buy ether, outcome unread", self.buy_ether_unread
        yield "withdraw, fee on top", lambda: venue.withdraw("USDT", "250.123456", fee="1.5")
        yield "withdraw all MX", lambda: venue.withdraw("MX", venue.balances()["MX"]["total"])
        yield "sell ether, fee in USDT again", lambda: self.world.buy("0.31", side="SELL", symbol="ETH/USDT")
        yield "somebody else fills and bids again", self.foreign_ends_and_begins
        yield "trade while a deposit arrives", self.trade_and_deposit
        yield "sell more than was bought here", lambda: self.world.buy("0.05", side="SELL")
        yield "nothing", lambda: None

    def rest_bid(self, quantity: str) -> None:
        self.bid = self.world.rest(quantity=quantity)

    def deposit_while_price_falls(self) -> None:
        self.venue.deposit("USDT", "5000.01")
        self.venue.set_price("BTCUSDT", "49500.37")

    def fill_and_cancel(self) -> None:
        self.venue.fill(self.bid.client_order_id, "0.00211")
        request_cancel(self.bid.id, actor=PERSON)
        poll_once()
        follow_order(self.bid.id)
        assert status_of(self.bid) == "canceled"

    def sell_twice(self) -> None:
        self.world.buy("0.00333", side="SELL")
        self.venue.set_price("BTCUSDT", "50210.11")
        self.world.buy("0.0071", side="SELL")

    def buy_ether_unread(self) -> None:
        """Sent and filled; whatever became of it, the sync has to find out."""
        dispatch_order(self.world.approve("1.7", symbol="ETH/USDT").id)

    def foreign_ends_and_begins(self) -> None:
        self.venue.fill("by-hand")
        add_foreign_order(self.world, "by-hand-2", price="47900")

    def trade_and_deposit(self) -> None:
        self.venue.deposit("BTC", "0.05")
        self.world.buy("0.00123")
        self.venue.deposit("MX", "3.5")


def assert_positions_follow(theirs: Sums, world: World) -> None:
    """Quantity and fees exactly; what was gained, realized or not, is what was received less what was paid."""
    listed = {
        fill["fill_id"]: SYMBOLS[fill["symbol"]] for fill in world.venue.fills() if fill["user"] == "trader"
    }
    for position in Position.objects.select_related("instrument"):
        held, received, fees = Decimal(0), Decimal(0), {}
        for key, (side, price, quantity, fee, asset) in theirs.fills.items():
            if listed[key] != position.instrument.symbol:
                continue
            sign = 1 if side == "BUY" else -1
            held, received = held + sign * quantity, received - sign * quantity * price
            fees[asset] = fees.get(asset, Decimal(0)) + fee
        state = position.as_state()
        assert (state.quantity, dict(state.fees)) == (held, {key: paid for key, paid in fees.items() if paid})
        last = Decimal(52000)
        assert abs(state.realized_pnl + state.unrealized_pnl(last) - (received + held * last)) < DUST


def table_row(name: str, began: Sums, ours: Sums, theirs: Sums) -> str:
    """Every asset as it stands in our books, with the difference to the venue's ledger if there is one."""
    cells = []
    for asset in sorted({*began.totals, *ours.totals, *theirs.totals}):
        booked, held = ours.totals.get(asset, Decimal(0)), theirs.totals.get(asset, Decimal(0))
        cells.append(f"{asset} {plain(booked)}{'' if booked == held else f' (venue {plain(held)})'}")
    return f"{name:<36} {len(ours.fills):>3} fills of {len(theirs.fills):>3}  {'  '.join(cells)}"
