"""Bybit's endpoint table and the path of every request through it: address, key, limits, clock, signature, right.

Answers come in one envelope, refusals with HTTP 200 as well; an address that asks too often gets HTTP 403.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from simulator.bybit import account, market, orders
from simulator.bybit.auth import check_right, check_signature, find_caller
from simulator.bybit.call import BybitCall, Endpoint, read_parameters
from simulator.bybit.errors import SERVER_ERROR, TOO_MANY_VISITS, BybitRefusal, forbidden, refusal_of
from simulator.bybit.profile import SPOT_TRADE
from simulator.bybit.talk import BybitTalk
from simulator.core.accounts import SimUser
from simulator.core.limits import RequestLimits
from simulator.core.refusals import SimRefusal
from simulator.core.trading import TradingVenue
from simulator.http.messages import HttpAnswer, HttpRequest, json_answer
from simulator.wire import StreamOffer, VenueReply, ViewFaults

REQUESTS_PER_ADDRESS, ADDRESS_SECONDS = 600, 5
ADDRESS_BAN_SECONDS = 600
STREAM_PATH = "/v5/private"
STREAMS_PER_ADDRESS, STREAMS_SECONDS = 500, 300
TOO_FREQUENT = "403, access too frequent"
MINUTE = 60
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class BybitEndpoint:
    answer: Endpoint
    capacity: int = 0  # of requests per account in so many seconds; without one it is public
    seconds: int = 1
    right: str | None = None
    writes: bool = False
    says: str = "OK"  # texts of success differ and mean nothing


ENDPOINTS: dict[tuple[str, str], BybitEndpoint] = {
    ("GET", "/v5/market/time"): BybitEndpoint(market.get_time),
    ("GET", "/v5/market/instruments-info"): BybitEndpoint(market.get_instruments),
    ("GET", "/v5/market/tickers"): BybitEndpoint(market.get_tickers),
    ("GET", "/v5/market/orderbook"): BybitEndpoint(market.get_order_book),
    ("GET", "/v5/market/kline"): BybitEndpoint(market.get_klines),
    ("GET", "/v5/market/recent-trade"): BybitEndpoint(market.get_recent_trades),
    ("GET", "/v5/market/price-limit"): BybitEndpoint(market.get_price_limit, says=""),
    ("POST", "/v5/order/create"): BybitEndpoint(orders.post_create, 20, right=SPOT_TRADE, writes=True),
    ("POST", "/v5/order/cancel"): BybitEndpoint(orders.post_cancel, 20, right=SPOT_TRADE, writes=True),
    ("POST", "/v5/order/cancel-all"): BybitEndpoint(
        orders.post_cancel_all, 20, right=SPOT_TRADE, writes=True
    ),
    ("GET", "/v5/order/realtime"): BybitEndpoint(orders.get_realtime, 50, right=SPOT_TRADE),
    ("GET", "/v5/order/history"): BybitEndpoint(orders.get_history, 50, right=SPOT_TRADE),
    ("GET", "/v5/execution/list"): BybitEndpoint(orders.get_executions, 50, right=SPOT_TRADE),
    ("GET", "/v5/account/wallet-balance"): BybitEndpoint(account.get_wallet_balance, 50),
    ("GET", "/v5/account/fee-rate"): BybitEndpoint(account.get_fee_rate, 5),
    ("GET", "/v5/account/info"): BybitEndpoint(account.get_account_info, 50),
    ("GET", "/v5/user/query-api"): BybitEndpoint(account.get_key_info, 10, says=""),
    ("GET", "/v5/asset/coin/query-info"): BybitEndpoint(account.get_coins, 5, says=""),
    ("GET", "/v5/asset/deposit/query-record"): BybitEndpoint(
        account.get_deposits, 100, MINUTE, says="success"
    ),
    ("GET", "/v5/asset/withdraw/query-record"): BybitEndpoint(
        account.get_withdrawals, 300, MINUTE, says="success"
    ),
}


class TooManyVisits(BybitRefusal):
    """The account has used this endpoint's share up."""

    def __init__(self) -> None:
        super().__init__(*TOO_MANY_VISITS)


class BybitWire:
    usual_rejection = (170210, "New order rejected.")

    def __init__(self, venue: TradingVenue) -> None:
        self.venue = venue
        self.limits = RequestLimits()
        self._cached_since_ms = venue.clock.now_ms()

    def respond(self, request: HttpRequest, path: str, view: ViewFaults) -> VenueReply:
        if path == STREAM_PATH:
            return self._offer_stream(request)
        now_ms = self.venue.clock.now_ms() + view.skew_ms
        user: SimUser | None = None
        headers: Headers = ()
        try:
            self._check_address(request)
            endpoint = _find_endpoint(request, path)
            if endpoint.capacity:
                user = find_caller(request, self.venue.users_by_key)
                headers, is_over = self._count(endpoint, path, user, now_ms)
                if is_over:
                    raise TooManyVisits
            result = self._call(request, endpoint, user, view, now_ms)
            answer = _in_envelope(0, endpoint.says, result, now_ms, headers=headers)
        except SimRefusal as refused:
            answer = _refused(refusal_of(refused), now_ms, headers)
        except BybitRefusal as refused:
            answer = _refused(refused, now_ms, headers)
        return VenueReply(answer, user.name if user else None)

    def _call(
        self,
        request: HttpRequest,
        endpoint: BybitEndpoint,
        user: SimUser | None,
        view: ViewFaults,
        now_ms: int,
    ) -> dict[str, object]:
        if request.method == "GET" and request.body:
            raise forbidden("a GET request has no body")
        if user is not None:
            check_signature(request, user, now_ms)
            check_right(user, endpoint.right, writes=endpoint.writes)
        parameters = read_parameters(request)
        return endpoint.answer(BybitCall(self.venue, parameters, view, now_ms, self._cached_since_ms, user))

    # -- streams ---------------------------------------------------------------------------------------------------

    def _offer_stream(self, request: HttpRequest) -> VenueReply:
        """Anybody may open one; nothing is told on it before its client has signed in."""
        is_upgrade = request.headers.get("upgrade", "").lower() == "websocket"
        if not is_upgrade or "sec-websocket-key" not in request.headers:
            return VenueReply(HttpAnswer(426, b"Upgrade Required", "text/plain", (("Upgrade", "websocket"),)))
        settings, now = self.venue.settings, time.monotonic()
        if settings.limits_enabled and self.limits.take(
            "streams",
            request.address,
            STREAMS_PER_ADDRESS,
            STREAMS_SECONDS,
            1,
            now,
            settings.limits_scale,
        ):
            return VenueReply(HttpAnswer(403, TOO_FREQUENT.encode(), "text/plain"))
        talk = BybitTalk(self.venue, request.connection, request.query_pairs().get("max_active_time"))
        return VenueReply(HttpAnswer(101, b""), None, StreamOffer(talk, self.venue.feed))

    def forget_streams(self) -> None:
        """A reset venue starts with an empty cache."""
        self._cached_since_ms = self.venue.clock.now_ms()

    # -- limits ----------------------------------------------------------------------------------------------------

    def _check_address(self, request: HttpRequest) -> None:
        settings, now = self.venue.settings, time.monotonic()
        if settings.limits_enabled and self.limits.take(
            "address",
            request.address,
            REQUESTS_PER_ADDRESS,
            ADDRESS_SECONDS,
            1,
            now,
            settings.limits_scale,
        ):
            self.limits.ban(request.address, now, ADDRESS_BAN_SECONDS)
            raise forbidden(TOO_FREQUENT)

    def _count(self, endpoint: BybitEndpoint, path: str, user: SimUser, now_ms: int) -> tuple[Headers, bool]:
        """The headers that tell what is left, and whether this request was one too many."""
        settings = self.venue.settings
        if not settings.limits_enabled:
            return (), False
        wait = self.limits.take(
            path, user.name, endpoint.capacity, endpoint.seconds, 1, time.monotonic(), settings.limits_scale
        )
        left = self.limits.find_left(path, user.name, settings.limits_scale)
        most = int(endpoint.capacity * settings.limits_scale)
        return _limit_headers(most, left, now_ms + wait * 1_000), bool(wait)

    def is_banned(self, request: HttpRequest) -> int:
        return self.limits.find_ban(request.address, time.monotonic())

    def ban(self, request: HttpRequest, seconds: int) -> None:
        self.limits.ban(request.address, time.monotonic(), seconds)

    def clear_limits(self) -> None:
        self.limits.clear()

    # -- answers ---------------------------------------------------------------------------------------------------

    def error(self, status: int, code: int, message: str) -> HttpAnswer:
        return _in_envelope(code, message, {}, self.venue.clock.now_ms(), status)

    def limit_answer(self, retry_after: int) -> HttpAnswer:
        now_ms = self.venue.clock.now_ms()
        headers = _limit_headers(20, 0, now_ms + retry_after * 1_000)
        return _in_envelope(*TOO_MANY_VISITS, {}, now_ms, headers=headers)

    def ban_answer(self, retry_after: int) -> HttpAnswer:
        """How long it lasts is not told."""
        return HttpAnswer(403, TOO_FREQUENT.encode(), "text/plain")

    def maintenance_answer(self) -> HttpAnswer:
        return self.error(503, *SERVER_ERROR)


def _find_endpoint(request: HttpRequest, path: str) -> BybitEndpoint:
    endpoint = ENDPOINTS.get((request.method, path))
    if endpoint is not None:
        return endpoint
    if any(known == path for _, known in ENDPOINTS):
        raise BybitRefusal(10001, f"Request method '{request.method}' not supported", status=400)
    raise BybitRefusal(10017, "Route not found.", status=404)


def _limit_headers(most: int, left: int, reset_ms: int) -> Headers:
    return (
        ("X-Bapi-Limit", str(most)),
        ("X-Bapi-Limit-Status", str(left)),
        ("X-Bapi-Limit-Reset-Timestamp", str(reset_ms)),
    )


def _refused(refused: BybitRefusal, now_ms: int, headers: Headers) -> HttpAnswer:
    if refused.status == 403:
        return HttpAnswer(403, refused.message.encode(), "text/plain")
    return _in_envelope(refused.code, refused.message, {}, now_ms, refused.status, headers)


def _in_envelope(
    code: int, message: str, result: object, now_ms: int, status: int = 200, headers: Headers = ()
) -> HttpAnswer:
    document = {"retCode": code, "retMsg": message, "result": result, "retExtInfo": {}, "time": now_ms}
    return json_answer(document, status, headers)
