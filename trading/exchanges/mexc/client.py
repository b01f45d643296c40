"""MexcExchange: one account at MEXC Spot v3, in the words of the Exchange protocol.

Reads are here; what may open or close risk is in `acting`, public data in `market_data`. Holds no state but its line's
connection, clock and slots. Thread-safe.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from trading.domain.errors import (
    MalformedAnswer,
    VenueError,
    VenueRefused,
)
from trading.domain.outcomes import (
    BalanceReport,
    CancelOutcome,
    CandleReport,
    FillReport,
    InstrumentReport,
    KeyRights,
    OrderReport,
    PlaceOutcome,
    PlaceRequest,
    PriceReport,
    QueryFailed,
    QueryOutcome,
    TransferReport,
)

from ..base import Capabilities, Connection, Observer
from ..endpoint import Pairs
from ..fill_windows import collect_fills
from ..http import WireAnswer
from ..limiter import Limiter
from ..venue_exchange import VenueExchange
from .acting import MexcActing
from .candles import read_candles
from .classify import classify_query, find_read_error
from .codes import NOT_FOUND_CODES
from .constants import (
    ACCOUNT,
    CANCEL,
    CANCEL_ACCOUNT,
    CANCEL_SYMBOL,
    DEPOSITS,
    FILL_PAGE_CUTS,
    FILL_PAGE_LIMIT,
    FILLS_REACH_DAYS,
    KEY_INFO,
    MY_TRADES,
    OPEN_ORDERS,
    OPEN_ORDERS_CUT,
    PING,
    QUERY_ORDER,
    TEST_ORDER,
    TRANSFERS_PAGE_LIMIT,
    WITHDRAWALS,
)
from .line import MexcLine
from .market_data import read_instruments, read_prices
from .order_form import MAX_CLIENT_ORDER_ID, order_key_pairs
from .parse import (
    parse_balances,
    parse_deposits,
    parse_fills,
    parse_key_rights,
    parse_orders,
    parse_withdrawals,
)

CAPABILITIES = Capabilities(
    test_order=True,
    cancel_all_account=True,
    cancel_all_symbol=True,
    market_by_quote=True,
    dead_man_timer=False,
    reports_status_on_place=False,
    private_stream=True,
    max_client_order_id=MAX_CLIENT_ORDER_ID,
    processing_bound_seconds=10.0,  # MEXC states none; Binance documents 10 s for the same design
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_QUERY_RETRIES = 1  # the resolver has its own schedule; a failed question is an answer to it
_AHEAD_MS = 5000  # our clock reads late by design: look this far past it for fills


class MexcExchange(VenueExchange):
    """See Exchange for what each method promises."""

    capabilities = CAPABILITIES
    warm_up_endpoint = PING

    def __init__(self, connection: Connection, limiter: Limiter, observer: Observer) -> None:
        line = MexcLine(connection, limiter, observer)
        super().__init__(connection, line, MexcActing(line))

    # -- public ------------------------------------------------------------------------------------------------
    def fetch_instruments(self, symbols: Sequence[str] | None = None) -> list[InstrumentReport]:
        return read_instruments(self._line, symbols)

    def fetch_prices(self, symbols: Sequence[str]) -> list[PriceReport]:
        return read_prices(self._line, symbols)

    def fetch_candles(
        self, symbol: str, *, interval_minutes: int, since: datetime, until: datetime
    ) -> list[CandleReport]:
        return read_candles(self._line, symbol, interval_minutes, since, until, self._venue_now())

    # -- account -----------------------------------------------------------------------------------------------
    def fetch_key_rights(self) -> KeyRights:
        keys = self._need_keys()
        return parse_key_rights(self._line.read(KEY_INFO, [("accessKey", keys.key)]), key=keys.key)

    def fetch_balances(self) -> list[BalanceReport]:
        return parse_balances(self._line.read(ACCOUNT))

    def fetch_open_orders(self, symbol: str | None = None, *, urgent: bool = False) -> list[OrderReport]:
        pairs = [("symbol", symbol)] if symbol else []
        found = parse_orders(self._line.read(OPEN_ORDERS, pairs, urgent=urgent))
        if len(found) >= OPEN_ORDERS_CUT:
            raise VenueError(
                f"The list of open orders has {len(found)} rows and may be cut.", code="open_orders_cut"
            )
        return found

    def fetch_fills(
        self, symbol: str, *, since: datetime | None = None, exchange_order_id: str | None = None
    ) -> list[FillReport]:
        now_ms = self.venue_time_ms()
        start_ms = now_ms - FILLS_REACH_DAYS * 86_400_000
        if since is not None:
            since_ms = (since - _EPOCH) // timedelta(milliseconds=1)
            start_ms = min(max(start_ms, since_ms), now_ms)
        page = partial(self._fetch_fill_page, symbol, exchange_order_id or "")
        found = collect_fills(page, [(start_ms, now_ms + _AHEAD_MS)], FILL_PAGE_CUTS)
        return [fill for fill in found if since is None or fill.filled_at >= since]

    def _fetch_fill_page(
        self, symbol: str, exchange_order_id: str, start_ms: int, end_ms: int
    ) -> list[FillReport]:
        pairs: Pairs = [
            ("symbol", symbol),
            *([("orderId", exchange_order_id)] if exchange_order_id else []),
            ("startTime", str(start_ms)),
            ("endTime", str(end_ms)),
            ("limit", str(FILL_PAGE_LIMIT)),
        ]
        found = parse_fills(self._line.read(MY_TRADES, pairs))
        for fill in found:
            if fill.symbol != symbol or exchange_order_id not in ("", fill.exchange_order_id):
                raise MalformedAnswer(
                    "The list of fills holds one of another symbol or order.", field="fills"
                )
        return found

    def fetch_transfers(self, since: datetime) -> list[TransferReport]:
        start_ms = (since - _EPOCH) // timedelta(milliseconds=1)
        pairs: Pairs = [("startTime", str(start_ms)), ("limit", str(TRANSFERS_PAGE_LIMIT))]
        found = [
            *parse_deposits(self._line.read(DEPOSITS, pairs)),
            *parse_withdrawals(self._line.read(WITHDRAWALS, pairs)),
        ]
        return sorted(found, key=lambda one: (one.at, one.venue_transfer_id))

    def query_order(
        self, symbol: str, *, client_order_id: str = "", exchange_order_id: str = "", urgent: bool = False
    ) -> QueryOutcome:
        pairs = order_key_pairs(symbol, client_order_id, exchange_order_id)
        try:
            answer = self._line.read_answer(
                QUERY_ORDER, pairs, urgent=urgent, retries=_QUERY_RETRIES, judge=self._judge_query
            )
        except VenueError as error:
            return QueryFailed(str(error))
        body = self._line.cleaned(answer.body)
        return classify_query(answer.http_status, body, symbol, client_order_id, exchange_order_id)

    def _judge_query(self, answer: WireAnswer) -> VenueError | None:
        """As for any read, but "no such order" is an answer."""
        error = find_read_error(answer.http_status, self._line.cleaned(answer.body), answer.retry_after)
        if isinstance(error, VenueRefused) and error.venue_code in NOT_FOUND_CODES:
            return None
        return error

    # -- acting ------------------------------------------------------------------------------------------------
    def test_order(self, request: PlaceRequest) -> PlaceOutcome:
        return self._acting.test(TEST_ORDER, request)

    def cancel_order(
        self, symbol: str, *, client_order_id: str = "", exchange_order_id: str = ""
    ) -> CancelOutcome:
        return self._acting.cancel(
            CANCEL, lambda: order_key_pairs(symbol, client_order_id, exchange_order_id)
        )

    def cancel_all(self, symbol: str | None = None) -> CancelOutcome:
        if symbol is None:
            return self._acting.cancel(CANCEL_ACCOUNT, list)
        return self._acting.cancel(CANCEL_SYMBOL, lambda: [("symbol", symbol)])
