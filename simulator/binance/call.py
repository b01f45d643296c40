"""One authenticated or public call as the endpoint functions see it, with typed access to its parameters."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from simulator.binance.auth import as_milliseconds
from simulator.binance.errors import BinanceWireRefusal, illegal, invalid_symbol, missing, not_valid
from simulator.binance.quotas import BinanceQuotas
from simulator.binance.shapes import Shape
from simulator.core.accounts import SimUser
from simulator.core.market import MarketView
from simulator.core.rows import Listing
from simulator.core.trading import TradingVenue
from simulator.http.messages import HttpAnswer
from simulator.wire import ViewFaults

PRECISION = 8
_DECIMAL = re.compile(r"([0-9]{1,20})(\.[0-9]{1,20})?")
_WHOLE = re.compile(r"[0-9]{1,20}")
_SYMBOL = re.compile(r"[^\W a-z]{1,20}")


@dataclass(frozen=True, slots=True)
class BinanceCall:
    venue: TradingVenue
    parameters: dict[str, str]
    view: ViewFaults
    now_ms: int
    quotas: BinanceQuotas
    caller: SimUser | None = None

    @property
    def user(self) -> SimUser:
        assert self.caller is not None, "only signed endpoints have a user"
        return self.caller

    @property
    def market(self) -> MarketView:
        return MarketView(self.venue, self.now_ms)

    def find(self, name: str) -> str | None:
        return self.parameters.get(name)

    def need(self, name: str) -> str:
        content = self.find(name)
        if content is None:
            raise missing(name)
        return content

    def listing(self) -> Listing:
        return self._listing_of(self.need("symbol"), "symbol")

    def _listing_of(self, symbol: str, name: str) -> Listing:
        if not _SYMBOL.fullmatch(symbol):
            raise illegal(name, "^[A-Z0-9-_.]{1,20}$")
        listing = self.venue.listings.get(symbol)
        if listing is None:
            raise invalid_symbol()
        return listing

    def find_listings(self) -> list[Listing] | None:
        """The listings named by `symbol` or by `symbols` (a JSON list), None when neither is given."""
        one, many = self.find("symbol"), self.find("symbols")
        if one is not None and many is not None:
            raise BinanceWireRefusal(400, -1101, "Too many parameters sent for this endpoint.")
        if one is not None:
            return [self._listing_of(one, "symbol")]
        if many is None:
            return None
        symbols = _read_texts("symbols", many)
        if len(set(symbols)) != len(symbols):
            raise BinanceWireRefusal(400, -1151, "Symbol is present multiple times in the list.")
        return [self._listing_of(symbol, "symbols") for symbol in symbols]

    def find_texts(self, name: str) -> list[str] | None:
        """One word, or a JSON list of them."""
        content = self.find(name)
        if content is None or not content.startswith("["):
            return None if content is None else [content]
        return _read_texts(name, content)

    def find_money(self, name: str) -> Decimal | None:
        """A plain decimal with at most eight decimals; signs and exponents are refused."""
        content = self.find(name)
        if content is None:
            return None
        if not _DECIMAL.fullmatch(content):
            raise illegal(name, f"^{_DECIMAL.pattern}$")
        if len(content.partition(".")[2].rstrip("0")) > PRECISION:
            raise BinanceWireRefusal(400, -1111, f"Parameter '{name}' has too much precision.")
        return Decimal(content)

    def find_whole(self, name: str) -> int | None:
        content = self.find(name)
        if content is None:
            return None
        if not _WHOLE.fullmatch(content):
            raise illegal(name, f"^{_WHOLE.pattern}$")
        if int(content) >= 2**63:
            raise BinanceWireRefusal(400, -1108, f"Parameter '{name}' overflowed.")
        return int(content)

    def find_time(self, name: str) -> int | None:
        stamp = self.find_whole(name)
        return None if stamp is None else as_milliseconds(stamp)

    def find_flag(self, name: str, usual: bool) -> bool:
        content = self.find(name)
        if content not in (None, "true", "false"):
            raise not_valid(name)
        return usual if content is None else content == "true"

    def limit(self, usual: int, most: int) -> int:
        wanted = self.find_whole("limit")
        return min(most, wanted) if wanted else usual


def _read_texts(name: str, content: str) -> list[str]:
    try:
        texts = json.loads(content)
    except ValueError:
        texts = None
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise BinanceWireRefusal(400, -1135, f"JSON sent for parameter '{name}' is not valid")
    return texts


Answer = HttpAnswer | Shape | list[Shape] | list[object]
Endpoint = Callable[[BinanceCall], Answer]
