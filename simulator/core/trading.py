"""Placing, canceling and forcing fills: the operations that users and the control interface ask of a venue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from hashlib import blake2b

from simulator.core.accounts import SimBalance, SimTransfer, SimUser
from simulator.core.events import BalanceCause
from simulator.core.fees import fee_headroom
from simulator.core.matching import PlannedFill, reservation_of
from simulator.core.money import ZERO, round_down
from simulator.core.prices import seeded_integer
from simulator.core.refusals import RefusalReason, SimRefusal
from simulator.core.rows import EndCause, Listing, SimOrder, SimOrderStatus, SimOrderType, SimSide
from simulator.core.rules import SimOrderRequest, check_band, check_order
from simulator.core.venue import VenueState

# Why an order that does not rest ends with something left, where it is not for want of depth.
_CAUSES = {
    SimOrderType.LIMIT_MAKER: EndCause.WOULD_TAKE,
    SimOrderType.FILL_OR_KILL: EndCause.NOT_WHOLE,
}


class TradingVenue(VenueState):
    def check_request(self, user: SimUser, request: SimOrderRequest, *, with_band: bool = True) -> Listing:
        listing = self.listings.get(request.symbol)
        if listing is None:
            raise SimRefusal(RefusalReason.UNKNOWN_SYMBOL)
        if user.symbols is not None and request.symbol not in user.symbols:
            raise SimRefusal(RefusalReason.SYMBOL_NOT_ON_KEY)
        check_order(request, listing, self.last_price(request.symbol))
        if with_band:
            check_band(request.side, request.price, listing, self.last_price(request.symbol))
        if self._count_open(user, request.symbol) >= self.profile.most_open_orders:
            raise SimRefusal(RefusalReason.TOO_MANY_OPEN_ORDERS, self.profile.most_open_orders)
        if self._is_taken(user, request.client_order_id):
            raise SimRefusal(RefusalReason.DUPLICATE_CLIENT_ID, request.client_order_id)
        return listing

    def _count_open(self, user: SimUser, symbol: str) -> int:
        open_orders = self.open_of.get(user.name, {})
        if not self.profile.counts_open_by_symbol:
            return len(open_orders)
        return sum(order.symbol == symbol for order in open_orders.values())

    def _is_taken(self, user: SimUser, client_order_id: str | None) -> bool:
        known = self.orders_by_client.get((user.name, client_order_id or ""), ())
        policy = self.settings.duplicate_client_ids
        return policy != "accept" and any(policy == "reject" or order.status.is_open for order in known)

    def place(
        self,
        user: SimUser,
        request: SimOrderRequest,
        *,
        later: frozenset[EndCause] = frozenset(),
        put_off_ms: int = 0,
    ) -> SimOrder:
        """Causes in `later` end the order, as at a venue that acknowledges before it decides; others refuse it."""
        listing = self.check_request(user, request, with_band=EndCause.PRICE_LIMIT not in later)
        order = self._draft(user, request, listing)
        planned = self._plan(order, listing)
        self._check_funds(user, order, listing, planned)
        if planned and order.type is SimOrderType.LIMIT_MAKER and self.profile.refuses_taking_makers:
            raise SimRefusal(RefusalReason.WOULD_TAKE)
        if put_off_ms:
            self._put_off(order, put_off_ms)
        else:
            self._decide(order, listing, planned, later)
        return order

    def _put_off(self, order: SimOrder, put_off_ms: int) -> None:
        """It is acknowledged: it has its number and its funds, and nobody can see, meet or cancel it yet."""
        order.decides_at_ms = order.received_ms + put_off_ms
        self.undecided.append(order)
        self.index_order(order)
        self.engine.reserve(order)
        self.store.note_order(order)
        self.store.note_user(self.users[order.user])
        self.commit()

    def decide_due(self) -> None:
        """Come to what was put off, in the order of its arrival; nothing of it can be refused any more."""
        now = self.clock.now_ms()
        due = [order for order in self.undecided if order.decides_at_ms <= now]
        for order in due:
            self.undecided.remove(order)
            order.decides_at_ms = 0
            listing = self.listings[order.symbol]
            self._decide(order, listing, self._plan(order, listing), frozenset(EndCause))

    def advance_ticks(self) -> None:
        super().advance_ticks()
        self.decide_due()

    def _plan(self, order: SimOrder, listing: Listing) -> list[PlannedFill]:
        budget = order.quote_quantity or None
        quantity = None if budget is not None else order.quantity
        return self.engine.plan(listing, order.side, order.price, quantity, budget)

    def _decide(
        self, order: SimOrder, listing: Listing, planned: list[PlannedFill], later: frozenset[EndCause]
    ) -> None:
        end = self._find_end_at_once(order, listing, planned)
        if end is not None:
            self._end_at_once(order, end, later)
            return
        if order.order_id not in self.orders:
            self.index_order(order)
        self.engine.reserve(order)
        self.touch(order)
        if not self._ends_unfilled(order, planned):
            self.engine.execute(order, planned)
        rests = order.type is SimOrderType.LIMIT or (order.type is SimOrderType.LIMIT_MAKER and not planned)
        self._settle_remainder(order, listing, rests=rests)
        self.commit()

    def _find_end_at_once(
        self, order: SimOrder, listing: Listing, planned: list[PlannedFill]
    ) -> EndCause | None:
        if order.type is not SimOrderType.MARKET:
            try:
                check_band(order.side, order.price, listing, self.last_price(order.symbol))
            except SimRefusal:
                return EndCause.PRICE_LIMIT
            return None
        try:
            self._check_funds(self.users[order.user], order, listing, planned)
        except SimRefusal:
            return EndCause.NO_FUNDS
        return None if planned else EndCause.NO_DEPTH

    def _end_at_once(self, order: SimOrder, cause: EndCause, later: frozenset[EndCause]) -> None:
        """Over before it could do anything; its funds are free again."""
        if cause not in later:
            raise SimRefusal(RefusalReason.NO_COUNTER_ORDER)
        order.end_cause = cause
        is_canceled = cause is EndCause.NO_DEPTH
        order.status = SimOrderStatus.CANCELED if is_canceled else SimOrderStatus.REJECTED
        if order.order_id not in self.orders:
            self.index_order(order)
        self.engine.reserve(order)
        self.touch(order)
        self.commit()

    def _draft(self, user: SimUser, request: SimOrderRequest, listing: Listing) -> SimOrder:
        sequence, now = len(self.orders) + 1, self.clock.now_ms()
        policy = self.settings.fee_asset
        return SimOrder(
            sequence=sequence,
            order_id=self.order_id(sequence),
            user=user.name,
            symbol=request.symbol,
            side=request.side,
            type=request.type,
            price=request.price
            if request.price is not None
            else self.engine.protective_bound(listing, request.side),
            quantity=request.quantity or ZERO,
            quote_quantity=request.quote_quantity or ZERO,
            received_ms=now,
            updated_ms=now,
            client_order_id=request.client_order_id,
            fee_policy=policy,
            fee_headroom=fee_headroom(listing, request.side, policy, self.profile),
        )

    @staticmethod
    def _check_funds(user: SimUser, order: SimOrder, listing: Listing, planned: list[PlannedFill]) -> None:
        if order.side is SimSide.SELL:
            taken = sum((quantity for _, _, quantity in planned), ZERO)
            needed = taken if order.quote_quantity else order.quantity
            if needed > user.find_free(listing.base):
                raise SimRefusal(RefusalReason.INSUFFICIENT_BASE)
            return
        if order.type is SimOrderType.MARKET:
            spent = sum((price * quantity for _, price, quantity in planned), ZERO)
            needed = max(spent, order.quote_quantity) * (1 + order.fee_headroom)
        else:
            needed = reservation_of(order)
        if needed > user.find_free(listing.quote):
            raise SimRefusal(RefusalReason.INSUFFICIENT_QUOTE)

    @staticmethod
    def _ends_unfilled(order: SimOrder, planned: list[PlannedFill]) -> bool:
        """A post-only order that would take, and a fill-or-kill that cannot be filled whole, are canceled untouched."""
        if order.type is SimOrderType.LIMIT_MAKER:
            return bool(planned)
        fillable = sum((quantity for _, _, quantity in planned), ZERO)
        return order.type is SimOrderType.FILL_OR_KILL and fillable < order.quantity

    def _settle_remainder(self, order: SimOrder, listing: Listing, *, rests: bool) -> None:
        if order.quote_quantity:
            self._settle_budget(order, listing)
        elif order.status.is_open and rests:
            self.engine.rest(order)
        elif order.status.is_open:
            self.engine.cancel(order, _CAUSES.get(order.type, EndCause.NO_DEPTH), was_resting=False)

    def _settle_budget(self, order: SimOrder, listing: Listing) -> None:
        """An order by quote gets its quantity at the end: what was filled plus what the rest would have bought."""
        left = round_down((order.quote_quantity - order.filled_quote) / order.price, listing.step)
        if left > listing.step:
            order.quantity = order.filled + left
            self.engine.cancel(order, EndCause.NO_DEPTH, was_resting=False)
        else:
            order.quantity, order.status = order.filled, SimOrderStatus.FILLED
            self.touch(order)

    # -- cancel ----------------------------------------------------------------------------------------------------

    def find_order(self, user: SimUser, order_id: str | None, client_order_id: str | None) -> SimOrder | None:
        """By the venue's id, or by the client's: of several with one client id, an open one before the newest."""
        if order_id:
            order = self.orders.get(order_id)
            return order if order is not None and order.user == user.name else None
        known = self.orders_by_client.get((user.name, client_order_id or ""), [])
        return next((order for order in known if order.status.is_open), known[-1] if known else None)

    def cancel(
        self,
        user: SimUser,
        symbol: str,
        order_id: str | None,
        client_order_id: str | None,
        *,
        cancel_id: str | None = None,
    ) -> SimOrder:
        order = self.find_order(user, order_id, client_order_id)
        if order is None or order.symbol != symbol or not order.status.is_open or order.is_undecided:
            raise SimRefusal(RefusalReason.UNKNOWN_ORDER)
        order.cancel_id = cancel_id
        self.engine.cancel(order, EndCause.ASKED, was_resting=True)
        self.commit()
        return order

    def cancel_all(
        self, user: SimUser, symbols: Iterable[str] | None = None, *, cancel_id: str | None = None
    ) -> list[SimOrder]:
        wanted = None if symbols is None else set(symbols)
        canceled = [
            order
            for order in self.open_of.get(user.name, {}).values()
            if (wanted is None or order.symbol in wanted) and not order.is_undecided
        ]
        for order in canceled:
            order.cancel_id = cancel_id
            self.engine.cancel(order, EndCause.ASKED, was_resting=True)
        self.commit()
        return canceled

    def tell_late_cancel(self, order: SimOrder) -> None:
        """A cancel that was acknowledged and lost the race changes nothing, and the order's end is told once more."""
        if self.feed.is_heard(order.user):
            self.feed.note_again(replace(order, end_cause=EndCause.ASKED))
            self.feed.tell()

    # -- control ---------------------------------------------------------------------------------------------------

    def force_fill(self, order: SimOrder, quantity: Decimal | None) -> Decimal:
        """Fill a resting order at its own price against an unnamed counterparty; returns what was filled."""
        taken = order.remaining if quantity is None else quantity
        self.engine.apply_fill(order, order.price, taken, is_maker=True)
        self.commit()
        return taken

    def create_user(self, name: str, key: str, secret: str, totals: Mapping[str, Decimal]) -> SimUser:
        uid = f"{20_000_000 + seeded_integer(self.seed, 'uid', name) % 10_000_000}"
        user = SimUser(
            name=name,
            key=key,
            secret=secret,
            uid=uid,
            permissions=self.profile.rights,
            created_ms=self.clock.now_ms(),
            initial=dict(totals),
        )
        for asset, total in totals.items():
            user.adjust(asset, total)
        self.add_user(user)
        self.commit()
        return user

    def give_key(
        self,
        user: SimUser,
        key: str,
        secret: str,
        permissions: tuple[str, ...],
        symbols: tuple[str, ...] | None,
        addresses: tuple[str, ...] = (),
    ) -> None:
        self.users_by_key.pop(user.key, None)
        user.key, user.secret, user.permissions, user.symbols = key, secret, permissions, symbols
        user.addresses = addresses
        self.add_user(user)
        self.commit()

    def adjust_balance(
        self, user: SimUser, asset: str, change: Decimal, cause: BalanceCause = BalanceCause.ADJUSTED
    ) -> None:
        user.adjust(asset, change)
        self.store.note_user(user)
        if self.feed.is_heard(user.name):
            self.feed.note_balances(user, cause, self.clock.now_ms())
        self.commit()

    def transfer(self, user: SimUser, asset: str, quantity: Decimal, fee: Decimal) -> None:
        """A deposit or a withdrawal: as an adjustment, and in the history that the user may ask for."""
        sequence = len(user.transfers) + 1
        transfer_id = blake2b(
            f"{self.seed}|transfer|{self.resets}|{user.name}|{sequence}".encode(), digest_size=16
        )
        user.transfers.append(SimTransfer(transfer_id.hexdigest(), asset, quantity, fee, self.clock.now_ms()))
        cause = BalanceCause.DEPOSITED if quantity > ZERO else BalanceCause.WITHDRAWN
        self.adjust_balance(user, asset, quantity - fee, cause)

    def reset(self) -> None:
        """Back to the first moment: only the first user stays, with its first balances and rights; ids never repeat."""
        self.clock.resume_at(0)
        self.clear(self.resets + 1)
        self.settings = replace(self.first_settings)
        first = next(iter(self.users.values()))
        self.users, self.users_by_key = {first.name: first}, {first.key: first}
        for user in self.users.values():
            user.balances = {asset: SimBalance(total) for asset, total in user.initial.items()}
            user.adjusted = dict(user.initial)
            user.transfers = []
            user.permissions, user.symbols, user.addresses = self.profile.rights, None, ()
        self.store.restart(list(self.users.values()))
        self.commit()
