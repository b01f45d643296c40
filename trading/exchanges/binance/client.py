"""BinanceExchange: one account at Binance Spot v3, in the words of the Exchange protocol.

Reads are here; what may open or close risk is in `acting`, public data in `market_data`, fills in `fills`. Holds no
state but its line's connection, clock and slots. Thread-safe.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from trading.domain.errors import VenueError, VenueRefused
from trading.domain.outcomes import (
    BalanceReport,
    CancelAccepted,
    CancelOutcome,
    CancelRefused,
    CandleReport,
    FillReport,
    InstrumentReport,
    KeyRights,
    NotSentOutcome,
    OrderReport,
    PlaceOutcome,
    PlaceRequest,
    PriceReport,
    QueryFailed,
    QueryOutcome,
    TransferReport,
    Unknown,
)

from ..base import Capabilities, Connection, Observer
from ..candles import stamp
from ..endpoint import Pairs
from ..http import WireAnswer
from ..limiter import Limiter
from ..venue_exchange import VenueExchange
from ..venues import ADDRESSES
from .acting import BinanceActing
from .candles import read_candles
from .classify import classify_query, find_read_error
from .codes import NOT_FOUND_CODES, NOTHING_OPEN_CODE
from .constants import (
    ACCOUNT,
    ALL_OPEN_ORDERS,
    CANCEL,
    CANCEL_SYMBOL,
    DEPOSITS,
    KEY_RIGHTS,
    OPEN_ORDERS,
    PING,
    QUERY_ORDER,
    TEST_ORDER,
    TRANSFERS_PAGE,
    TRANSFERS_REACH_DAYS,
    WITHDRAWALS,
)
from .fills import read_fills, read_fills_of_order
from .line import BinanceLine
from .market_data import read_instruments, read_prices
from .order_form import MAX_CLIENT_ORDER_ID, order_key_pairs, order_number
from .parse import join_id, parse_balances, parse_orders
from .wallet import parse_account_rights, parse_deposits, parse_key_rights, parse_withdrawals

CAPABILITIES = Capabilities(
    test_order=True,
    cancel_all_account=False,
    cancel_all_symbol=True,
    market_by_quote=True,
    dead_man_timer=False,
    reports_status_on_place=True,
    private_stream=True,
    max_client_order_id=MAX_CLIENT_ORDER_ID,
    processing_bound_seconds=10.0,  # so long the venue waits for its matching engine
)
_QUERY_RETRIES = 1  # the resolver has its own schedule; a failed question is an answer to it


class BinanceExchange(VenueExchange):
    """See Exchange for what each method promises."""

    capabilities = CAPABILITIES
    warm_up_endpoint = PING

    def __init__(self, connection: Connection, limiter: Limiter, observer: Observer) -> None:
        line = BinanceLine(connection, limiter, observer)
        super().__init__(connection, line, BinanceActing(line))

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
        self._need_keys()
        if self._is_test_installation():
            return parse_account_rights(self._line.read(ACCOUNT))
        return parse_key_rights(self._line.read(KEY_RIGHTS), self._venue_now())

    def _is_test_installation(self) -> bool:
        """Those have no wallet API."""
        return urlsplit(self.connection.base_url).hostname in ADDRESSES[self.connection.venue].testnet

    def fetch_balances(self) -> list[BalanceReport]:
        return parse_balances(self._line.read(ACCOUNT, [("omitZeroBalances", "true")]))

    def fetch_open_orders(self, symbol: str | None = None, *, urgent: bool = False) -> list[OrderReport]:
        if symbol is None:
            return parse_orders(self._line.read(ALL_OPEN_ORDERS, urgent=urgent))
        return parse_orders(self._line.read(OPEN_ORDERS, [("symbol", symbol)], urgent=urgent))

    def fetch_fills(
        self, symbol: str, *, since: datetime | None = None, exchange_order_id: str | None = None
    ) -> list[FillReport]:
        if not exchange_order_id:
            return read_fills(self._line, symbol, since)
        found = read_fills_of_order(self._line, symbol, exchange_order_id)
        return [fill for fill in found if since is None or fill.filled_at >= since]

    def fetch_transfers(self, since: datetime) -> list[TransferReport]:
        if self._is_test_installation():
            raise VenueRefused("Binance's test installations have no list of deposits and withdrawals.")
        start = max(since, self._venue_now() - timedelta(days=TRANSFERS_REACH_DAYS) + timedelta(minutes=1))
        # No end is named: our clock reads late by design, and what came just now would be left out.
        pairs: Pairs = [("startTime", stamp(start)), ("limit", str(TRANSFERS_PAGE))]
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
        named = join_id(symbol, int(order_number(symbol, exchange_order_id))) if exchange_order_id else ""
        return classify_query(answer.http_status, body, symbol, client_order_id, named)

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
        """Of an account: symbol by symbol, because the venue cancels no more at once."""
        if symbol is not None:
            return self._cancel_symbol(symbol)
        try:
            listed = {report.symbol for report in self.fetch_open_orders(urgent=True)}
        except VenueError as error:
            return NotSentOutcome(f"The open orders could not be listed: {error.message}")
        return _sum_up({name: self._cancel_symbol(name) for name in sorted(listed)})

    def _cancel_symbol(self, symbol: str) -> CancelOutcome:
        outcome = self._acting.cancel(CANCEL_SYMBOL, lambda: [("symbol", symbol)])
        if isinstance(outcome, CancelRefused) and outcome.venue_code == NOTHING_OPEN_CODE:
            return CancelAccepted(outcome.exchanged)  # nothing of the symbol is open, as was wanted
        return outcome


def _sum_up(outcomes: dict[str, CancelOutcome]) -> CancelOutcome:
    """The first that is not accepted, worst first, with its symbol; unknown as well where only a part was sent."""
    unsent = {name: one for name, one in outcomes.items() if isinstance(one, NotSentOutcome)}
    for name, one in outcomes.items():
        if isinstance(one, Unknown):
            return Unknown(f"{name}: {one.reason}", one.exchanged)
    if unsent and len(unsent) < len(outcomes):
        return Unknown(f"not sent for {', '.join(unsent)}: {next(iter(unsent.values())).reason}")
    for name, one in outcomes.items():
        if isinstance(one, CancelRefused):
            return CancelRefused(one.venue_code, f"{name}: {one.message}", one.exchanged)
    return next(iter(outcomes.values()), CancelAccepted())
