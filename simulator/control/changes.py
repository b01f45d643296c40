"""What the control interface changes: faults, prices, fills, balances, users, listings, settings, ticks.

Every change is checked as a whole before anything is touched; a refusal leaves the venue as it was.
"""

from __future__ import annotations

from typing import Any

from simulator.control.reading import ControlRefused, need_text, read_json, read_money, read_object
from simulator.control.rows import balance_rows, listing_row, order_row, user_row
from simulator.core.accounts import SimUser
from simulator.core.faults import parse_fault_rule
from simulator.core.money import ZERO, plain
from simulator.core.rows import SimOrder
from simulator.core.trading import TradingVenue
from simulator.dispatch import SimulatorApp
from simulator.http.messages import HttpRequest
from simulator.wire import VenueWire

Document = dict[str, object]
LISTING_FIELDS = {"online": bool, "api_trading": bool, "allows_market": bool, "side_type": int}
LISTING_MONEY = (
    "min_notional",
    "min_notional_market",
    "max_notional",
    "max_notional_market",
    "maker_rate",
    "taker_rate",
    "depth_notional",
    "bid_multiplier_up",
    "ask_multiplier_down",
)
MOST_TICKS = 100_000


class ControlChanges:
    def __init__(self, app: SimulatorApp) -> None:
        self._app = app

    def _venue(self, document: dict[str, Any]) -> tuple[str, TradingVenue]:
        name, wire = self._wire(document)
        wire.venue.advance_ticks()
        return name, wire.venue

    def _wire(self, document: dict[str, Any]) -> tuple[str, VenueWire]:
        name = document.get("venue", self._app.hall.names[0])
        wire = self._app.hall.find(name) if isinstance(name, str) else None
        if wire is None:
            raise ControlRefused(f"there is no venue {name!r}; venues: {', '.join(self._app.hall.names)}")
        return name, wire

    def set_faults(self, request: HttpRequest) -> Document:
        """Replaces all rules; an empty list clears them."""
        rows = read_json(request)
        if not isinstance(rows, list):
            raise ControlRefused("the body must be a JSON list of faults; [] clears them")
        rules = [parse_fault_rule(row) for row in rows]
        if not rules:
            return self.clear_faults(request)
        self._app.faults.replace(rules)
        self._app.streams.meet_new_rules()
        return {"faults": [rule.as_json() for rule in self._app.faults.rules]}

    def clear_faults(self, request: HttpRequest) -> Document:
        """No rules any more, and what they left behind (a ban, a maintenance, a stall) ends too."""
        self._app.faults.replace([])
        self._app.streams.lift()
        self._app.maintenance_until.clear()
        for _name, wire in self._app.hall.opened():
            wire.clear_limits()
        return {"faults": []}

    def set_price(self, request: HttpRequest) -> Document:
        document = read_object(request)
        name, venue = self._venue(document)
        symbol = _known_symbol(venue, document)
        if document.get("release") is True or document.get("price", "") is None:
            venue.release_price(symbol)
        else:
            listing = venue.listings[symbol]
            price = read_money("price", document.get("price"), least=listing.tick)
            if price % listing.tick:
                raise ControlRefused(
                    f"price {plain(price)} is finer than the tick {plain(listing.tick)} of {symbol}"
                )
            venue.pin_price(symbol, price)
        return listing_row(
            name,
            venue.listings[symbol],
            plain(venue.last_price(symbol)),
            is_pinned=symbol in venue.prices.pins,
        )

    def force_fill(self, request: HttpRequest) -> Document:
        document = read_object(request)
        name, venue = self._venue(document)
        order = _known_order(venue, need_text(document, "order"))
        if not order.status.is_open or order.is_undecided:
            state = "not decided yet" if order.is_undecided else order.status
            raise ControlRefused(f"order {order.order_id} is {state}; only a resting order can be filled")
        quantity = None
        if document.get("quantity") is not None:
            step = venue.listings[order.symbol].step
            quantity = read_money("quantity", document["quantity"], least=step)
            if quantity > order.remaining or quantity % step:
                raise ControlRefused(
                    f"quantity {plain(quantity)} must be a multiple of {plain(step)} up to {plain(order.remaining)}"
                )
        venue.force_fill(order, quantity)
        return order_row(name, order)

    def change_balance(self, request: HttpRequest) -> Document:
        """{"asset", one of "total", "deposit", "withdraw" (and "fee")} or {"balances": {asset: total}}; also "user".

        Only deposits and withdrawals stand in the history that the user may ask the venue for.
        """
        document = read_object(request)
        name, venue = self._venue(document)
        user = _known_user(venue, document)
        if "deposit" in document or "withdraw" in document:
            self._transfer(name, venue, user, document)
            return {"balances": balance_rows(name, user)}
        if "balances" in document:
            wanted = document["balances"]
            if not isinstance(wanted, dict):
                raise ControlRefused('balances must be an object such as {"USDT": "1000"}')
            totals = {asset: read_money(asset, total, least=ZERO) for asset, total in wanted.items()}
        else:
            totals = {need_text(document, "asset"): read_money("total", document.get("total"), least=ZERO)}
        for asset, total in totals.items():
            locked = user.find_total(asset) - user.find_free(asset)
            if total < ZERO:
                raise ControlRefused(f"{asset} would become negative: {plain(total)}; withdraw less")
            if total < locked:
                raise ControlRefused(f"{asset}: {plain(locked)} is locked by open orders; cancel them first")
        for asset, total in totals.items():
            venue.adjust_balance(user, asset, total - user.find_total(asset))
        return {"balances": balance_rows(name, user)}

    def _transfer(self, name: str, venue: TradingVenue, user: SimUser, document: dict[str, Any]) -> None:
        asset, fee = need_text(document, "asset"), read_money("fee", document.get("fee", "0"), least=ZERO)
        if "deposit" in document:
            quantity = read_money("deposit", document["deposit"], least=ZERO)
        else:
            quantity = -read_money("withdraw", document["withdraw"], least=ZERO)
        total, free = user.find_total(asset) + quantity - fee, user.find_free(asset) + quantity - fee
        if total < ZERO:
            raise ControlRefused(f"{asset} would become negative: {plain(total)}; withdraw less")
        if free < ZERO:
            locked = user.find_total(asset) - user.find_free(asset)
            raise ControlRefused(f"{asset}: {plain(locked)} is locked by open orders; cancel them first")
        venue.transfer(user, asset, quantity, fee)

    def add_user(self, request: HttpRequest) -> Document:
        """{"user", "key", "secret", "balances"?, "permissions"?, "symbols"?, "addresses"?}; to a known user: its new
        key."""
        document = read_object(request)
        name, venue = self._venue(document)
        user_name, key, secret = (need_text(document, field) for field in ("user", "key", "secret"))
        owner = venue.users_by_key.get(key)
        if owner is not None and owner.name != user_name:
            raise ControlRefused(f"the key already belongs to user {owner.name}; give another key")
        permissions = tuple(_read_texts(document, "permissions", list(venue.profile.rights)))
        symbols = tuple(_read_texts(document, "symbols", [])) if document.get("symbols") is not None else None
        addresses = tuple(_read_texts(document, "addresses", []))
        totals = {
            asset: read_money(asset, total, least=ZERO)
            for asset, total in document.get("balances", {}).items()
        }
        user = venue.users.get(user_name)
        if user is None:
            user = venue.create_user(user_name, key, secret, totals)
        venue.give_key(user, key, secret, permissions, symbols, addresses)
        return user_row(name, user)

    def change_listing(self, request: HttpRequest) -> Document:
        document = read_object(request)
        name, venue = self._venue(document)
        symbol = _known_symbol(venue, document)
        changes: dict[str, object] = {}
        for field, content in document.items():
            if field in LISTING_MONEY:
                changes[field] = read_money(field, content, least=ZERO)
            elif field in LISTING_FIELDS and type(content) is LISTING_FIELDS[field]:
                changes[field] = content
            elif field not in ("venue", "symbol"):
                raise ControlRefused(
                    f"{field}={content!r} cannot be changed; fields: {sorted([*LISTING_FIELDS, *LISTING_MONEY])}"
                )
        if changes.get("side_type", 1) not in (1, 2, 3, 4):
            raise ControlRefused("side_type must be 1 (both), 2 (buy only), 3 (sell only) or 4 (closed)")
        venue.listings[symbol] = venue.listings[symbol].changed(**changes)
        return listing_row(
            name,
            venue.listings[symbol],
            plain(venue.last_price(symbol)),
            is_pinned=symbol in venue.prices.pins,
        )

    def change_settings(self, request: HttpRequest) -> Document:
        document = read_object(request)
        _name, venue = self._venue(document)
        venue.settings.change_all({field: content for field, content in document.items() if field != "venue"})
        self._wire(document)[1].clear_limits()
        self._app.streams.watch_all()
        return venue.settings.as_json()

    def advance_ticks(self, request: HttpRequest) -> Document:
        document = read_object(request)
        _, venue = self._venue(document)
        count = document.get("count", 1)
        if isinstance(count, bool) or not isinstance(count, int) or not 0 < count <= MOST_TICKS:
            raise ControlRefused(f"count is {count!r}; give a whole number from 1 to {MOST_TICKS}")
        venue.clock.advance(count)
        venue.advance_ticks()
        return {"tick": venue.tick}

    def reset(self, request: HttpRequest) -> Document:
        """All is forgotten but the first user's key and first balances."""
        self._app.clear()
        for _name, wire in self._app.hall.opened():
            wire.clear_limits()
            wire.forget_streams()
            wire.venue.reset()
        return {"ok": True}


def _known_symbol(venue: TradingVenue, document: dict[str, Any]) -> str:
    symbol = need_text(document, "symbol")
    if symbol not in venue.listings:
        raise ControlRefused(f"there is no symbol {symbol!r}; symbols: {', '.join(venue.listings)}")
    return symbol


def _known_user(venue: TradingVenue, document: dict[str, Any]) -> SimUser:
    name = document.get("user", next(iter(venue.users)))
    user = venue.users.get(name)
    if user is None:
        raise ControlRefused(f"there is no user {name!r}; users: {', '.join(venue.users)}")
    return user


def _known_order(venue: TradingVenue, named: str) -> SimOrder:
    """By the venue's id, or by a client's id over all users: an open one before the newest."""
    order = venue.orders.get(named)
    if order is not None:
        return order
    known = [order for order in venue.orders.values() if order.client_order_id == named]
    if not known:
        raise ControlRefused(f"there is no order {named!r}; give an order_id or a client_order_id")
    return next((order for order in known if order.status.is_open), known[-1])


def _read_texts(document: dict[str, Any], name: str, usual: list[str]) -> list[str]:
    content = document.get(name, usual)
    if not isinstance(content, list) or not all(isinstance(text, str) for text in content):
        raise ControlRefused(f"{name} is {content!r}; give a list of texts")
    return content
