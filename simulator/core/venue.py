"""One simulated venue: its listings, users, orders, fills and prices, and what may be done with them.

The orders, fills and balances here are the truth. Every public operation leaves the books consistent and ends with
`commit()`, which hands all that changed to the store as one atomic record. Single-threaded by design: the order of
calls is the order of events.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from simulator.core.accounts import SimUser
from simulator.core.clock import SimClock
from simulator.core.events import EventFeed
from simulator.core.matching import MatchingEngine
from simulator.core.money import ZERO
from simulator.core.prices import PriceProcess
from simulator.core.profile import VenueProfile
from simulator.core.rows import Listing, SimFill, SimOrder
from simulator.core.settings import VenueSettings
from simulator.core.store import VenueStore, fill_from_json, order_from_json, user_from_json
from simulator.core.volumes import VolumeProcess

MAX_SWEPT_TICKS = 400


class VenueState:
    """The tables of a venue and the ledger side of matching (the `VenueLedger` protocol)."""

    def __init__(
        self,
        name: str,
        seed: int,
        profile: VenueProfile,
        settings: VenueSettings,
        clock: SimClock,
        store: VenueStore,
    ) -> None:
        self.name, self.seed, self.settings, self.clock, self.store = name, seed, settings, clock, store
        self.profile, self.first_settings = profile, replace(settings)
        self.feed = EventFeed()
        self.clear(resets=0)
        self.users_by_key: dict[str, SimUser] = {}
        self.users: dict[str, SimUser] = {}

    def clear(self, resets: int) -> None:
        """Forget prices, orders and fills. The count of resets is part of every id, so ids never repeat."""
        self.resets = resets
        self.listings = {listing.symbol: listing for listing in self.profile.listings}
        self.prices, self.volumes = PriceProcess(self.seed), VolumeProcess(self.seed)
        self.engine = MatchingEngine(self, self.seed)
        self.orders: dict[str, SimOrder] = {}
        self.orders_by_client: dict[tuple[str, str], list[SimOrder]] = {}
        self.orders_of: dict[str, list[SimOrder]] = {}
        self.open_of: dict[str, dict[str, SimOrder]] = {}
        self.undecided: list[SimOrder] = []
        self.fills: list[SimFill] = []
        self.fills_of: dict[str, list[SimFill]] = {}
        self.fills_on: dict[str, int] = {}
        self.tick = self.clock.due_tick()

    def restore(self) -> None:
        """Take up what the store remembers; resting orders return to the book in their old order."""
        remembered = self.store.load()
        self.clear(remembered["resets"])
        self.clock.resume_at(remembered["tick"])
        self.tick = remembered["tick"]
        for row in remembered["users"].values():
            self.add_user(user_from_json(row))
        for row in remembered["orders"].values():
            order = order_from_json(row)
            self.index_order(order)
            if order.is_undecided:
                self.undecided.append(order)
            elif order.status.is_open:
                self.engine.resting.add(order)
        for row in remembered["fills"]:
            self.index_fill(fill_from_json(row))
        self.prices.pins.update({symbol: Decimal(price) for symbol, price in remembered["pins"].items()})
        self._compact()

    def _compact(self) -> None:
        for user in self.users.values():
            self.store.note_user(user)
        for order in self.orders.values():
            self.store.note_order(order)
        for fill in self.fills:
            self.store.note_fill(fill)
        self.store.note_pins(self.prices.pins)
        self.store.open(self.tick, self.resets)

    # -- users -----------------------------------------------------------------------------------------------------

    def add_user(self, user: SimUser) -> None:
        self.users[user.name] = user
        self.users_by_key[user.key] = user
        self.store.note_user(user)

    def user(self, name: str) -> SimUser:
        return self.users[name]

    # -- prices and ticks ------------------------------------------------------------------------------------------

    def listing(self, symbol: str) -> Listing:
        return self.listings[symbol]

    def current_tick(self) -> int:
        return self.tick

    def last_price(self, symbol: str) -> Decimal:
        return self.prices.find_price(self.listings[symbol], self.tick)

    @property
    def third_asset(self) -> str:
        return self.profile.third_asset

    def price_in_third(self, asset: str) -> Decimal | None:
        """How many units of the third fee asset one unit of `asset` is worth."""
        third = self.listings.get(self.third_asset + "USDT")
        if third is None:
            return None
        if asset in ("USDT", "USDC"):
            return 1 / self.last_price(third.symbol)
        through = self.listings.get(asset + "USDT")
        return self.last_price(through.symbol) / self.last_price(third.symbol) if through else None

    def advance_ticks(self) -> None:
        """Bring the market to the due tick, filling what it crosses on the way (after a long pause: at its end)."""
        due = self.clock.due_tick()
        if due == self.tick:
            return
        first = self.tick + 1 if due - self.tick <= MAX_SWEPT_TICKS else due
        for tick in range(first, due + 1):
            self.tick = tick
            for symbol in self.engine.resting.list_symbols():
                self.engine.sweep(symbol)
        self.commit()

    def pin_price(self, symbol: str, price: Decimal) -> None:
        self.prices.pin(symbol, price)
        self._after_price_change(symbol)

    def release_price(self, symbol: str) -> None:
        self.prices.release(symbol)
        self._after_price_change(symbol)

    def _after_price_change(self, symbol: str) -> None:
        self.store.note_pins(self.prices.pins)
        self.engine.sweep(symbol)
        self.commit()

    # -- the ledger ------------------------------------------------------------------------------------------------

    def record_fill(
        self,
        order: SimOrder,
        price: Decimal,
        quantity: Decimal,
        fee: Decimal,
        fee_asset: str,
        is_maker: bool,
        is_self_trade: bool,
    ) -> None:
        sequence = len(self.fills) + 1
        fill = SimFill(
            sequence=sequence,
            fill_id=self._fill_id(sequence, order.symbol),
            order_id=order.order_id,
            client_order_id=order.client_order_id,
            user=order.user,
            symbol=order.symbol,
            side=order.side,
            price=price,
            quantity=quantity,
            fee=fee,
            fee_asset=fee_asset,
            is_maker=is_maker,
            is_self_trade=is_self_trade,
            at_ms=self.clock.now_ms(),
        )
        self.index_fill(fill)
        self.store.note_fill(fill)
        if self.feed.is_heard(order.user):
            self.feed.note_fill(fill, len(order.fill_sequences))
        self.touch(order)

    def touch(self, order: SimOrder) -> None:
        order.updated_ms = self.clock.now_ms()
        self.index_open(order)
        self.store.note_order(order)
        self.store.note_user(self.users[order.user])
        if self.feed.is_heard(order.user):
            last_fill = self.fills[order.fill_sequences[-1] - 1] if order.fill_sequences else None
            self.feed.note_order(self.users[order.user], order, last_fill)

    def index_order(self, order: SimOrder) -> None:
        self.orders[order.order_id] = order
        self.orders_of.setdefault(order.user, []).append(order)
        if order.client_order_id is not None:
            self.orders_by_client.setdefault((order.user, order.client_order_id), []).append(order)
        self.index_open(order)

    def index_open(self, order: SimOrder) -> None:
        open_orders = self.open_of.setdefault(order.user, {})
        if order.status.is_open:
            open_orders[order.order_id] = order
        else:
            open_orders.pop(order.order_id, None)

    def index_fill(self, fill: SimFill) -> None:
        self.fills.append(fill)
        self.fills_of.setdefault(fill.user, []).append(fill)
        self.fills_on[fill.symbol] = self.fills_on.get(fill.symbol, 0) + 1
        self.orders[fill.order_id].fill_sequences.append(fill.sequence)

    def order_id(self, sequence: int) -> str:
        return self.profile.numbering.order_id(self.seed, self.resets, sequence)

    def _fill_id(self, sequence: int, symbol: str) -> str:
        numbering = self.profile.numbering
        number = self.fills_on.get(symbol, 0) + 1 if numbering.counts_fills_by_symbol else sequence
        return numbering.fill_id(self.seed, self.resets, number)

    def iter_fills(self, order: SimOrder) -> Iterator[SimFill]:
        return (self.fills[sequence - 1] for sequence in order.fill_sequences)

    def commit(self) -> None:
        """Write what changed; only then whoever listens is told."""
        self.store.commit(self.tick, self.resets)
        if self.store.is_long():
            self._compact()
        self.feed.tell()

    def check_conservation(self) -> list[str]:
        """Every asset of every user must equal adjustments + fills - fees, and locks must equal reservations."""
        expected: dict[tuple[str, str], Decimal] = {}
        for user in self.users.values():
            for asset, total in user.adjusted.items():
                expected[user.name, asset] = total
        for fill in self.fills:
            listing, direction = self.listings[fill.symbol], 1 if fill.side == "BUY" else -1
            changes = (
                (listing.base, direction * fill.quantity),
                (listing.quote, -direction * fill.notional),
                (fill.fee_asset, -fill.fee),
            )
            for asset, change in changes:
                expected[fill.user, asset] = expected.get((fill.user, asset), ZERO) + change
        locked = self._reserved_by_asset()
        return [
            f"{user.name} {asset}: total {balance.total}, expected {expected.get((user.name, asset), ZERO)}; "
            f"locked {balance.locked}, reserved {locked.get((user.name, asset), ZERO)}"
            for user in self.users.values()
            for asset, balance in user.balances.items()
            if balance.total != expected.get((user.name, asset), ZERO)
            or balance.locked != locked.get((user.name, asset), ZERO)
            or balance.free < ZERO
        ]

    def _reserved_by_asset(self) -> dict[tuple[str, str], Decimal]:
        reserved: dict[tuple[str, str], Decimal] = {}
        for order in self.orders.values():
            listing = self.listings[order.symbol]
            asset = listing.quote if order.side == "BUY" else listing.base
            reserved[order.user, asset] = reserved.get((order.user, asset), ZERO) + order.reserved
        return reserved
