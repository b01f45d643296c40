"""One authenticated or public call as the endpoint functions see it, with typed access to its parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from simulator.core.accounts import SimUser
from simulator.core.market import MarketView
from simulator.core.money import ZERO, parse_plain
from simulator.core.rows import Listing
from simulator.core.trading import TradingVenue
from simulator.http.messages import HttpAnswer
from simulator.mexc.errors import bad_parameter, invalid_symbol, missing
from simulator.mexc.listen_keys import ListenKeys
from simulator.mexc.shapes import Shape
from simulator.wire import ViewFaults


@dataclass(frozen=True, slots=True)
class MexcCall:
    venue: TradingVenue
    parameters: dict[str, str]
    view: ViewFaults
    now_ms: int
    listen_keys: ListenKeys
    caller: SimUser | None = None

    @property
    def user(self) -> SimUser:
        assert self.caller is not None, "only signed endpoints have a user"
        return self.caller

    @property
    def market(self) -> MarketView:
        return MarketView(self.venue, self.now_ms)

    def find(self, name: str) -> str | None:
        return self.parameters.get(name) or None

    def need(self, name: str) -> str:
        content = self.find(name)
        if content is None:
            raise missing(name)
        return content

    def listing(self) -> Listing:
        listing = self.venue.listings.get(self.need("symbol"))
        if listing is None:
            raise invalid_symbol()
        return listing

    def find_listings(self, most: int | None = None) -> list[Listing] | None:
        """The listings named by `symbol` or `symbols` (comma list), None when neither is given."""
        named = self.find("symbol") or self.find("symbols")
        if named is None:
            return None
        symbols = named.split(",")
        if any(symbol not in self.venue.listings for symbol in symbols):
            raise invalid_symbol()
        if most is not None and len(symbols) > most:
            raise bad_parameter(f"symbol, at most {most}")
        return [self.venue.listings[symbol] for symbol in symbols]

    def find_money(self, name: str) -> Decimal | None:
        """A positive plain decimal; exponents, signs and zero are refused."""
        content = self.find(name)
        if content is None:
            return None
        number = parse_plain(content)
        if number is None or number <= ZERO:
            raise bad_parameter(name)
        return number

    def find_whole(self, name: str) -> int | None:
        content = self.find(name)
        if content is None:
            return None
        if not content.isascii() or not content.isdigit() or len(content) > 15:
            raise bad_parameter(name)
        return int(content)

    def limit(self, usual: int, most: int) -> int:
        wanted = self.find_whole("limit")
        return min(most, wanted) if wanted else usual


Endpoint = Callable[[MexcCall], "HttpAnswer | Shape | list[Shape] | list[object]"]
