"""One authenticated or public call as the endpoint functions see it, with typed access to its parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from simulator.bybit.errors import BybitRefusal, bad_parameter, empty
from simulator.core.accounts import SimUser
from simulator.core.market import MarketView
from simulator.core.money import ZERO, parse_plain
from simulator.core.rows import Listing
from simulator.core.trading import TradingVenue
from simulator.http.messages import HttpRequest
from simulator.wire import ViewFaults

Shape = dict[str, Any]
CATEGORIES = ("spot", "linear", "inverse", "option")


def read_parameters(request: HttpRequest) -> dict[str, Any]:
    if request.method == "GET":
        return dict(request.query_pairs())
    try:
        document = request.json_body()
    except ValueError as error:
        raise bad_parameter("the body is not JSON") from error
    if not isinstance(document, dict):
        raise bad_parameter("the body is not a JSON object")
    return document


@dataclass(frozen=True, slots=True)
class BybitCall:
    venue: TradingVenue
    parameters: dict[str, Any]
    view: ViewFaults
    now_ms: int
    cached_since_ms: int = 0  # closed orders from before are in the history only
    caller: SimUser | None = None

    @property
    def user(self) -> SimUser:
        assert self.caller is not None, "only signed endpoints have a user"
        return self.caller

    @property
    def market(self) -> MarketView:
        return MarketView(self.venue, self.now_ms)

    def find(self, name: str) -> str | None:
        """A text, or a whole number as its digits; an empty text is as good as none."""
        content = self.parameters.get(name)
        if content is None or content == "":
            return None
        if isinstance(content, bool) or not isinstance(content, (str, int)):
            raise bad_parameter(f"{name} is not a text")
        return str(content)

    def need(self, name: str) -> str:
        content = self.find(name)
        if content is None:
            raise empty(name)
        return content

    def need_category(self) -> str:
        category = self.need("category")
        if category not in CATEGORIES:
            raise BybitRefusal(404, "the category is none", status=404)
        return category

    def need_spot(self) -> None:
        if self.need_category() != "spot":
            raise bad_parameter("only category spot is traded here")

    def listing(self) -> Listing:
        self.need_spot()
        listing = self.venue.listings.get(self.need("symbol"))
        if listing is None:
            raise bad_parameter("symbol invalid")
        return listing

    def find_symbol(self) -> str | None:
        self.need_spot()
        return self.listing().symbol if self.find("symbol") else None

    def need_money(self, name: str) -> Decimal:
        """A positive plain decimal in a text; numbers, exponents, signs and zero are refused."""
        content = self.parameters.get(name)
        if content in (None, ""):
            raise empty(name)
        number = parse_plain(content) if isinstance(content, str) else None
        if number is None or number <= ZERO:
            raise BybitRefusal(170130, f"Data sent for parameter '{name}' is not valid.")
        return number

    def find_whole(self, name: str) -> int | None:
        content = self.find(name)
        if content is None:
            return None
        if not content.isascii() or not content.isdigit() or len(content) > 15:
            raise bad_parameter(f"{name} is not a whole number")
        return int(content)

    def limit(self, usual: int, most: int) -> int:
        wanted = self.find_whole("limit")
        if wanted is None:
            return usual
        if not 1 <= wanted <= most:
            raise bad_parameter(f"limit must be from 1 to {most}")
        return wanted


Endpoint = Callable[[BybitCall], Shape]
