"""Binance's endpoint table and the path of every request through it: weight, key, clock, signature, right, endpoint.

The stream's path is none of them: anybody may open it, and says on it who he is.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from simulator.binance import account, market, orders
from simulator.binance.auth import (
    READING,
    TRADING,
    check_names,
    check_right,
    check_signature,
    find_caller,
    read_parameters,
    signed_text,
)
from simulator.binance.call import BinanceCall, Endpoint
from simulator.binance.errors import BinanceWireRefusal, refusal_of
from simulator.binance.placing import PLACING
from simulator.binance.quotas import DAY_MS, TEN_SECONDS_MS, TOO_MANY, BinanceQuotas
from simulator.binance.talk import BinanceTalk
from simulator.binance.weights import (
    Weight,
    of_book_prices,
    of_day_tickers,
    of_depth,
    of_fills,
    of_open_orders,
    of_test_orders,
)
from simulator.core.accounts import SimUser
from simulator.core.refusals import SimRefusal
from simulator.core.trading import TradingVenue
from simulator.http.messages import HttpAnswer, HttpRequest, json_answer
from simulator.wire import StreamOffer, VenueReply, ViewFaults

STREAM_PATH = "/ws-api/v3"
SYMBOL, SYMBOLS = frozenset({"symbol"}), frozenset({"symbol", "symbols"})
IDS = frozenset({"symbol", "orderId", "origClientOrderId"})
WINDOW = frozenset({"startTime", "endTime", "limit"})
TRANSFERS = WINDOW | {"coin", "offset"}


@dataclass(frozen=True, slots=True)
class BinanceEndpoint:
    """`takes` are the parameters it reads; a signed one has the right that its key needs."""

    answer: Endpoint
    weight: Weight | int
    takes: frozenset[str] = frozenset()
    right: str | None = None
    is_free_when_done: bool = False
    places: bool = False


# Weights as of 2026. All of them weigh on the address, those of the wallet (/sapi) on a bucket of their own.
ENDPOINTS: dict[tuple[str, str], BinanceEndpoint] = {
    ("GET", "/api/v3/ping"): BinanceEndpoint(market.get_ping, 1),
    ("GET", "/api/v3/time"): BinanceEndpoint(market.get_time, 1),
    ("GET", "/api/v3/exchangeInfo"): BinanceEndpoint(
        market.get_exchange_info, 20, SYMBOLS | {"symbolStatus", "permissions", "showPermissionSets"}
    ),
    ("GET", "/api/v3/depth"): BinanceEndpoint(market.get_depth, of_depth, SYMBOL | {"limit"}),
    ("GET", "/api/v3/trades"): BinanceEndpoint(market.get_trades, 25, SYMBOL | {"limit"}),
    ("GET", "/api/v3/aggTrades"): BinanceEndpoint(market.get_aggregate_trades, 4, SYMBOL | {"limit"}),
    ("GET", "/api/v3/klines"): BinanceEndpoint(market.get_klines, 2, SYMBOL | WINDOW | {"interval"}),
    ("GET", "/api/v3/avgPrice"): BinanceEndpoint(market.get_average_price, 2, SYMBOL),
    ("GET", "/api/v3/ticker/24hr"): BinanceEndpoint(
        market.get_day_ticker, of_day_tickers, SYMBOLS | {"type"}
    ),
    ("GET", "/api/v3/ticker/price"): BinanceEndpoint(market.get_price_ticker, of_book_prices, SYMBOLS),
    ("GET", "/api/v3/ticker/bookTicker"): BinanceEndpoint(market.get_book_ticker, of_book_prices, SYMBOLS),
    ("GET", "/fapi/v1/exchangeInfo"): BinanceEndpoint(market.get_no_contracts, 1),
    ("GET", "/dapi/v1/exchangeInfo"): BinanceEndpoint(market.get_no_contracts, 1),
    ("GET", "/api/v3/account"): BinanceEndpoint(
        account.get_account, 20, frozenset({"omitZeroBalances"}), READING
    ),
    ("GET", "/api/v3/account/commission"): BinanceEndpoint(account.get_commission, 20, SYMBOL, READING),
    ("GET", "/api/v3/rateLimit/order"): BinanceEndpoint(account.get_order_counts, 40, frozenset(), READING),
    ("POST", "/api/v3/order"): BinanceEndpoint(
        orders.post_order, 1, PLACING, TRADING, is_free_when_done=True, places=True
    ),
    ("POST", "/api/v3/order/test"): BinanceEndpoint(
        orders.post_order_test, of_test_orders, PLACING | {"computeCommissionRates"}, TRADING
    ),
    ("GET", "/api/v3/order"): BinanceEndpoint(orders.get_order, 4, IDS, READING),
    ("DELETE", "/api/v3/order"): BinanceEndpoint(
        orders.delete_order,
        1,
        IDS | {"newClientOrderId", "cancelRestrictions"},
        TRADING,
        is_free_when_done=True,
    ),
    ("GET", "/api/v3/openOrders"): BinanceEndpoint(orders.get_open_orders, of_open_orders, SYMBOL, READING),
    ("DELETE", "/api/v3/openOrders"): BinanceEndpoint(
        orders.delete_open_orders, 1, SYMBOL, TRADING, is_free_when_done=True
    ),
    ("GET", "/api/v3/allOrders"): BinanceEndpoint(
        orders.get_all_orders, 20, SYMBOL | WINDOW | {"orderId"}, READING
    ),
    ("GET", "/api/v3/myTrades"): BinanceEndpoint(
        orders.get_my_trades, of_fills, SYMBOL | WINDOW | {"orderId", "fromId"}, READING
    ),
    ("GET", "/sapi/v1/account/apiRestrictions"): BinanceEndpoint(
        account.get_key_rights, 1, frozenset(), READING
    ),
    ("GET", "/sapi/v1/asset/tradeFee"): BinanceEndpoint(account.get_trade_fees, 1, SYMBOL, READING),
    ("GET", "/sapi/v1/margin/allPairs"): BinanceEndpoint(market.get_no_pairs, 1, frozenset(), READING),
    ("GET", "/sapi/v1/margin/isolated/allPairs"): BinanceEndpoint(
        market.get_no_pairs, 10, frozenset(), READING
    ),
    ("GET", "/sapi/v1/capital/config/getall"): BinanceEndpoint(
        account.get_currencies, 10, frozenset(), READING
    ),
    ("GET", "/sapi/v1/capital/deposit/hisrec"): BinanceEndpoint(account.get_deposits, 1, TRANSFERS, READING),
    ("GET", "/sapi/v1/capital/withdraw/history"): BinanceEndpoint(
        account.get_withdrawals, 1, TRANSFERS, READING
    ),
}


class BinanceWire:
    usual_rejection = (-2010, "Market is closed.")

    def __init__(self, venue: TradingVenue) -> None:
        self.venue = venue
        self.quotas = BinanceQuotas(venue)

    def respond(self, request: HttpRequest, path: str, view: ViewFaults) -> VenueReply:
        if path == STREAM_PATH:
            return self._offer_stream(request)
        endpoint = ENDPOINTS.get((request.method, path))
        if endpoint is None:
            return VenueReply(self._no_endpoint(path))
        family, address = ("sapi" if path.startswith("/sapi/") else "api"), request.address
        user: SimUser | None = None
        weight, is_done = 0, False
        try:
            parameters = read_parameters(request)
            weight = endpoint.weight if isinstance(endpoint.weight, int) else endpoint.weight(parameters)
            self.quotas.check_weight(family, address, weight)
            if endpoint.right is not None:
                user = find_caller(request.headers.get("x-mbx-apikey", ""), self.venue.users_by_key)
            answer = self._call(request, endpoint, parameters, user, view)
            is_done = True
            shaped = answer if isinstance(answer, HttpAnswer) else json_answer(answer)
        except BinanceWireRefusal as refused:
            weight = 0 if refused.code == -1003 else weight
            shaped = self._refused(refused)
        except SimRefusal as refused:
            shaped = self._refused(refusal_of(refused))
        if not (is_done and endpoint.is_free_when_done):
            self.quotas.add_weight(family, address, weight)
        headers = self._headers(family, address, user if is_done and endpoint.places else None)
        return VenueReply(_with_headers(shaped, headers), user.name if user else None)

    def _call(
        self,
        request: HttpRequest,
        endpoint: BinanceEndpoint,
        parameters: Mapping[str, str],
        user: SimUser | None,
        view: ViewFaults,
    ) -> object:
        now_ms = self.venue.clock.now_ms() + view.skew_ms
        if endpoint.right is not None and user is not None:
            text = signed_text(request.query, request.body.decode("utf-8", errors="replace"))
            check_signature(parameters, text, user, now_ms)
            check_right(user, endpoint.right)
        check_names(parameters, endpoint.takes, is_signed=endpoint.right is not None)
        return endpoint.answer(BinanceCall(self.venue, dict(parameters), view, now_ms, self.quotas, user))

    def _no_endpoint(self, path: str) -> HttpAnswer:
        is_known = any(known == path for _, known in ENDPOINTS)
        status, words = (405, "Method Not Allowed") if is_known else (404, "Not Found")
        return HttpAnswer(
            status, f"<html><body><h2>{status} {words}</h2></body></html>".encode(), "text/html"
        )

    def _headers(self, family: str, address: str, placed_by: SimUser | None) -> tuple[tuple[str, str], ...]:
        used = str(self.quotas.used_weight(family, address))
        if family == "sapi":
            return (("X-SAPI-USED-IP-WEIGHT-1M", used),)
        headers = (("X-MBX-USED-WEIGHT", used), ("X-MBX-USED-WEIGHT-1M", used))
        if placed_by is None:
            return headers
        counts = (("10S", TEN_SECONDS_MS), ("1D", DAY_MS))
        return headers + tuple(
            (f"X-MBX-ORDER-COUNT-{name}", str(self.quotas.count_orders(placed_by, interval_ms)))
            for name, interval_ms in counts
        )

    # -- streams ---------------------------------------------------------------------------------------------------

    def _offer_stream(self, request: HttpRequest) -> VenueReply:
        is_upgrade = request.headers.get("upgrade", "").lower() == "websocket"
        if not is_upgrade or "sec-websocket-key" not in request.headers:
            return VenueReply(HttpAnswer(426, b"Upgrade Required", "text/plain", (("Upgrade", "websocket"),)))
        try:
            self.quotas.check_connection(request.address)
            self.quotas.check_weight("api", request.address, 2)
        except BinanceWireRefusal as refused:
            return VenueReply(self._refused(refused))
        self.quotas.add_weight("api", request.address, 2)
        tells_limits = request.query_pairs().get("returnRateLimits", "true").lower() == "true"
        talk = BinanceTalk(self.venue, self.quotas, request.address, tells_limits=tells_limits)
        return VenueReply(HttpAnswer(101, b""), None, StreamOffer(talk, self.venue.feed))

    def forget_streams(self) -> None:
        """Subscriptions live and die with their connections."""

    # -- limits ----------------------------------------------------------------------------------------------------

    def is_banned(self, request: HttpRequest) -> int:
        return self.quotas.abuse.find_ban(request.address, time.monotonic())

    def ban(self, request: HttpRequest, seconds: int) -> None:
        self.quotas.abuse.ban(request.address, time.monotonic(), seconds)

    def clear_limits(self) -> None:
        self.quotas.clear()

    # -- answers ---------------------------------------------------------------------------------------------------

    def _refused(self, refused: BinanceWireRefusal) -> HttpAnswer:
        answer = self.error(refused.status, refused.code, refused.message)
        if refused.retry_after is None:
            return answer
        return _with_headers(answer, (("Retry-After", str(refused.retry_after)),))

    def error(self, status: int, code: int, message: str) -> HttpAnswer:
        return json_answer({"code": code, "msg": message}, status)

    def limit_answer(self, retry_after: int) -> HttpAnswer:
        reason = TOO_MANY.format(limit=self.quotas.weight_limit("api"))
        return self._refused(BinanceWireRefusal(429, -1003, reason, retry_after))

    def ban_answer(self, retry_after: int) -> HttpAnswer:
        return self._refused(self.quotas.banned(retry_after))

    def maintenance_answer(self) -> HttpAnswer:
        return self.error(503, -1016, "This service is no longer available.")


def _with_headers(answer: HttpAnswer, headers: tuple[tuple[str, str], ...]) -> HttpAnswer:
    return HttpAnswer(answer.status, answer.body, answer.content_type, answer.headers + headers)
