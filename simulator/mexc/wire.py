"""MEXC's endpoint table and the path of every request through it: limits, key, clock, signature, right, endpoint.

The stream's path is none of them: whoever has a listen key may open it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from simulator.core.accounts import SimUser
from simulator.core.limits import RequestLimits
from simulator.core.refusals import SimRefusal
from simulator.core.trading import TradingVenue
from simulator.http.messages import HttpAnswer, HttpRequest, json_answer
from simulator.mexc import account, market, orders
from simulator.mexc.auth import check_content_type, check_right, check_signature, find_caller, read_parameters
from simulator.mexc.call import Endpoint, MexcCall
from simulator.mexc.errors import MexcWireRefusal, refusal_of
from simulator.mexc.listen_keys import ListenKeys
from simulator.mexc.talk import INVALID_KEY, TOO_MANY_CONNECTIONS, MexcTalk
from simulator.wire import StreamOffer, VenueReply, ViewFaults

ACCOUNT_READ, DEAL_READ, DEAL_WRITE = "SPOT_ACCOUNT_READ", "SPOT_DEAL_READ", "SPOT_DEAL_WRITE"
WITHDRAW_READ = "SPOT_WITHDRAW_READ"
STREAM_PATH = "/ws"
TOO_MANY = (
    "Too many requests; current limit is 300 weight per 10 seconds. Please slow down to avoid an IP ban."
)


@dataclass(frozen=True, slots=True)
class MexcEndpoint:
    answer: Endpoint
    weight: int
    right: str | None = None
    counts_as_order: bool = False
    per_second: int | None = None


# Weights and rates as of 2026. Public endpoints weigh on the address, signed ones on the account.
ENDPOINTS: dict[tuple[str, str], MexcEndpoint] = {
    ("GET", "/api/v3/ping"): MexcEndpoint(market.get_ping, 1),
    ("GET", "/api/v3/time"): MexcEndpoint(market.get_time, 1),
    ("GET", "/api/v3/defaultSymbols"): MexcEndpoint(market.get_default_symbols, 1),
    ("GET", "/api/v3/exchangeInfo"): MexcEndpoint(market.get_exchange_info, 25),
    ("GET", "/api/v3/depth"): MexcEndpoint(market.get_depth, 3),
    ("GET", "/api/v3/trades"): MexcEndpoint(market.get_trades, 5),
    ("GET", "/api/v3/aggTrades"): MexcEndpoint(market.get_aggregate_trades, 1),
    ("GET", "/api/v3/klines"): MexcEndpoint(market.get_klines, 1),
    ("GET", "/api/v3/avgPrice"): MexcEndpoint(market.get_average_price, 1),
    ("GET", "/api/v3/ticker/24hr"): MexcEndpoint(market.get_day_ticker, 25),
    ("GET", "/api/v3/ticker/price"): MexcEndpoint(market.get_price_ticker, 10),
    ("GET", "/api/v3/ticker/bookTicker"): MexcEndpoint(market.get_book_ticker, 10),
    ("GET", "/api/v1/contract/detail"): MexcEndpoint(market.get_contracts, 1),
    ("GET", "/api/v3/selfSymbols"): MexcEndpoint(account.get_self_symbols, 1, ACCOUNT_READ),
    ("GET", "/api/v3/account"): MexcEndpoint(account.get_account, 10, ACCOUNT_READ, per_second=2),
    ("GET", "/api/v3/tradeFee"): MexcEndpoint(account.get_trade_fee, 20, ACCOUNT_READ),
    ("GET", "/api/v3/uid"): MexcEndpoint(account.get_uid, 1, ACCOUNT_READ),
    ("GET", "/api/v3/kyc/status"): MexcEndpoint(account.get_kyc_status, 1, ACCOUNT_READ),
    ("GET", "/api/v3/mxDeduct/enable"): MexcEndpoint(account.get_third_asset_deduction, 1, ACCOUNT_READ),
    ("GET", "/api/v3/apiKeyInfo"): MexcEndpoint(account.get_api_key_info, 1, ACCOUNT_READ),
    ("GET", "/api/v3/capital/config/getall"): MexcEndpoint(account.get_currencies, 10, ACCOUNT_READ),
    ("GET", "/api/v3/capital/deposit/hisrec"): MexcEndpoint(account.get_deposits, 1, WITHDRAW_READ),
    ("GET", "/api/v3/capital/withdraw/history"): MexcEndpoint(account.get_withdrawals, 1, WITHDRAW_READ),
    ("POST", "/api/v3/order"): MexcEndpoint(orders.post_order, 1, DEAL_WRITE, counts_as_order=True),
    ("POST", "/api/v3/order/test"): MexcEndpoint(orders.post_order_test, 1, DEAL_WRITE),
    ("GET", "/api/v3/order"): MexcEndpoint(orders.get_order, 2, DEAL_READ),
    ("DELETE", "/api/v3/order"): MexcEndpoint(orders.delete_order, 1, DEAL_WRITE, counts_as_order=True),
    ("GET", "/api/v3/openOrders"): MexcEndpoint(orders.get_open_orders, 3, DEAL_READ),
    ("DELETE", "/api/v3/openOrders"): MexcEndpoint(
        orders.delete_open_orders, 1, DEAL_WRITE, counts_as_order=True
    ),
    ("DELETE", "/api/v3/order/all"): MexcEndpoint(
        orders.delete_all_orders, 1, DEAL_WRITE, counts_as_order=True
    ),
    ("GET", "/api/v3/allOrders"): MexcEndpoint(orders.get_all_orders, 10, DEAL_READ),
    ("POST", "/api/v3/userDataStream"): MexcEndpoint(account.post_listen_key, 1, ACCOUNT_READ),
    ("GET", "/api/v3/userDataStream"): MexcEndpoint(account.get_listen_keys, 1, ACCOUNT_READ),
    ("PUT", "/api/v3/userDataStream"): MexcEndpoint(account.put_listen_key, 1, ACCOUNT_READ),
    ("DELETE", "/api/v3/userDataStream"): MexcEndpoint(account.delete_listen_key, 1, ACCOUNT_READ),
    ("GET", "/api/v3/myTrades"): MexcEndpoint(orders.get_my_trades, 10, ACCOUNT_READ),
}


class MexcWire:
    usual_rejection = (30016, "Trading disabled")

    def __init__(self, venue: TradingVenue) -> None:
        self.venue = venue
        self.limits = RequestLimits()
        self.listen_keys = ListenKeys(venue)

    def respond(self, request: HttpRequest, path: str, view: ViewFaults) -> VenueReply:
        if path == STREAM_PATH:
            return self._offer_stream(request)
        user: SimUser | None = None
        try:
            endpoint = self._find_endpoint(request.method, path)
            if endpoint.right is not None:
                user = find_caller(request, self.venue.users_by_key)
            self._check_limits(request, endpoint, user)
            answer = self._call(request, endpoint, user, view)
        except MexcWireRefusal as refused:
            return VenueReply(self._refused(refused), user.name if user else None)
        except SimRefusal as refused:
            return VenueReply(self._refused(refusal_of(refused)), user.name if user else None)
        shaped = answer if isinstance(answer, HttpAnswer) else json_answer(answer)
        return VenueReply(shaped, user.name if user else None)

    @staticmethod
    def _find_endpoint(method: str, path: str) -> MexcEndpoint:
        endpoint = ENDPOINTS.get((method, path))
        if endpoint is not None:
            return endpoint
        if any(known == path for _, known in ENDPOINTS):
            raise MexcWireRefusal(405, 405, f"Request method '{method}' not supported")
        raise MexcWireRefusal(404, 404, "Not Found")

    def _call(
        self, request: HttpRequest, endpoint: MexcEndpoint, user: SimUser | None, view: ViewFaults
    ) -> object:
        now_ms = self.venue.clock.now_ms() + view.skew_ms
        if endpoint.right is not None:
            check_content_type(request)
        parameters = read_parameters(request)
        if endpoint.right is not None and user is not None:
            check_signature(request, user, parameters, now_ms)
            check_right(user, endpoint.right)
        return endpoint.answer(MexcCall(self.venue, parameters, view, now_ms, self.listen_keys, user))

    # -- streams ---------------------------------------------------------------------------------------------------

    def _offer_stream(self, request: HttpRequest) -> VenueReply:
        """A wrong key is told on the open connection, in plain text; without one there is nothing but PONG."""
        is_upgrade = request.headers.get("upgrade", "").lower() == "websocket"
        if not is_upgrade or "sec-websocket-key" not in request.headers:
            return VenueReply(HttpAnswer(426, b"Upgrade Required", "text/plain", (("Upgrade", "websocket"),)))
        given = request.query_pairs().get("listenKey")
        key = self.listen_keys.find(given) if given else None
        refusal = INVALID_KEY if given and key is None else None
        if key is not None and key.is_full():
            key, refusal = None, TOO_MANY_CONNECTIONS
        talk = MexcTalk(self.venue, key, time.monotonic())
        offer = StreamOffer(talk, self.venue.feed, refusal)
        return VenueReply(HttpAnswer(101, b""), talk.user.name if talk.user else None, offer)

    def forget_streams(self) -> None:
        self.listen_keys.clear()

    # -- limits ----------------------------------------------------------------------------------------------------

    def _check_limits(self, request: HttpRequest, endpoint: MexcEndpoint, user: SimUser | None) -> None:
        settings = self.venue.settings
        if not settings.limits_enabled:
            return
        now = time.monotonic()
        for bucket, owner, capacity, seconds, units in self._windows_of(request, endpoint, user):
            wait = self.limits.take(bucket, owner, capacity, seconds, units, now, settings.limits_scale)
            if wait:
                self.limits.note_excess(request.address, now)
                raise MexcWireRefusal(429, 429, TOO_MANY, retry_after=wait)

    @staticmethod
    def _windows_of(
        request: HttpRequest, endpoint: MexcEndpoint, user: SimUser | None
    ) -> list[tuple[str, str, int, int, int]]:
        if user is None:
            return [("address", request.address, 300, 10, endpoint.weight)]
        windows = [("account", user.name, 500, 10, endpoint.weight)]
        if endpoint.counts_as_order:
            windows.append(("orders", user.name, 12, 1, 1))
        if endpoint.per_second is not None:
            windows.append((request.path, user.name, endpoint.per_second, 1, 1))
        return windows

    def is_banned(self, request: HttpRequest) -> int:
        return self.limits.find_ban(request.address, time.monotonic())

    def ban(self, request: HttpRequest, seconds: int) -> None:
        self.limits.ban(request.address, time.monotonic(), seconds)

    def clear_limits(self) -> None:
        self.limits.clear()

    # -- answers ---------------------------------------------------------------------------------------------------

    def _refused(self, refused: MexcWireRefusal) -> HttpAnswer:
        if refused.retry_after is not None:
            return self.limit_answer(refused.retry_after)
        return self.error(refused.status, refused.code, refused.message)

    def error(self, status: int, code: int, message: str) -> HttpAnswer:
        return json_answer(
            {"msg": message, "code": code} if code == 400 else {"code": code, "msg": message}, status
        )

    def limit_answer(self, retry_after: int) -> HttpAnswer:
        return json_answer({"code": 429, "msg": TOO_MANY}, 429, (("Retry-After", str(retry_after)),))

    def ban_answer(self, retry_after: int) -> HttpAnswer:
        return json_answer(
            {"code": 418, "msg": "IP banned; please obey Retry-After."},
            418,
            (("Retry-After", str(retry_after)),),
        )

    def maintenance_answer(self) -> HttpAnswer:
        return json_answer({"code": 503, "msg": "Service unavailable, system maintenance."}, 503)
