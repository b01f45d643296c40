"""What the control interface shows: the ledger, the journal, faults, prices, users. Reading changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.control.reading import ControlRefused, read_page
from simulator.control.rows import balance_rows, fill_row, listing_row, order_row, stream_row, user_row
from simulator.core.money import plain
from simulator.core.trading import TradingVenue
from simulator.dispatch import SimulatorApp
from simulator.http.messages import HttpRequest

Document = dict[str, object]


class ControlViews:
    def __init__(self, app: SimulatorApp) -> None:
        self._app = app

    def _venues(self, request: HttpRequest) -> Iterator[tuple[str, TradingVenue]]:
        """The open venues, or the one that is asked for, opened if it was not."""
        wanted = request.query_pairs().get("venue")
        if wanted is not None and self._app.hall.find(wanted) is None:
            raise ControlRefused(f"there is no venue {wanted!r}; venues: {', '.join(self._app.hall.names)}")
        for name, wire in self._app.hall.opened():
            if wanted in (None, name):
                wire.venue.advance_ticks()
                yield name, wire.venue

    def list_orders(self, request: HttpRequest) -> Document:
        since, limit = read_page(request)
        rows = [
            order_row(name, order)
            for name, venue in self._venues(request)
            for order in list(venue.orders.values())[since:]
        ]
        return {"orders": rows[:limit]}

    def list_fills(self, request: HttpRequest) -> Document:
        since, limit = read_page(request)
        rows = [fill_row(name, fill) for name, venue in self._venues(request) for fill in venue.fills[since:]]
        return {"fills": rows[:limit]}

    def list_balances(self, request: HttpRequest) -> Document:
        wanted = request.query_pairs().get("user")
        users = [
            (name, user)
            for name, venue in self._venues(request)
            for user in venue.users.values()
            if wanted in (None, user.name)
        ]
        return {"balances": [row for name, user in users for row in balance_rows(name, user)]}

    def list_requests(self, request: HttpRequest) -> Document:
        since, limit = read_page(request)
        rows = self._app.journal.read(since, limit)
        return {
            "requests": rows,
            "next": rows[-1]["seq"] if rows else since,
            "totals": self._app.journal.totals(),
        }

    def list_streams(self, request: HttpRequest) -> Document:
        """The newest ended connections and the open ones, and what happened to them."""
        since, limit = read_page(request)
        hub = self._app.streams
        events = hub.journal.read(since, limit)
        return {
            "streams": [stream_row(connection) for connection in (*hub.ended, *hub.open.values())],
            "events": events,
            "next": events[-1]["seq"] if events else since,
        }

    def list_faults(self, request: HttpRequest) -> Document:
        return {"faults": [rule.as_json() for rule in self._app.faults.rules if not rule.is_spent()]}

    def list_prices(self, request: HttpRequest) -> Document:
        return {
            "prices": [
                listing_row(
                    name, listing, plain(venue.last_price(symbol)), is_pinned=symbol in venue.prices.pins
                )
                for name, venue in self._venues(request)
                for symbol, listing in venue.listings.items()
            ]
        }

    def list_users(self, request: HttpRequest) -> Document:
        return {
            "users": [
                user_row(name, user) for name, venue in self._venues(request) for user in venue.users.values()
            ]
        }

    def show_settings(self, request: HttpRequest) -> Document:
        return {name: venue.settings.as_json() for name, venue in self._venues(request)}

    def check_books(self, request: HttpRequest) -> Document:
        """Whether every balance equals deposits + fills - fees and every lock its reservations."""
        differences = [
            difference for _, venue in self._venues(request) for difference in venue.check_conservation()
        ]
        return {"ok": not differences, "differences": differences}

    def show_health(self, request: HttpRequest) -> Document:
        return {
            "ok": True,
            "in_flight": self._app.in_flight,
            "requests": self._app.journal.last,
            "streams": len(self._app.streams.open),
            "venues": {
                name: {
                    "tick": venue.tick,
                    "seed": venue.seed,
                    "orders": len(venue.orders),
                    "fills": len(venue.fills),
                    "open_orders": sum(map(len, venue.open_of.values())),
                    "now_ms": venue.clock.now_ms(),
                    "resets": venue.resets,
                }
                for name, venue in self._venues(request)
            },
        }
