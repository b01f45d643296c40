"""BybitExchange: one account at Bybit v5 spot, in the words of the Exchange protocol.

Holds no state but its line's connection, clock and slots. Thread-safe. Knows one category, spot, and one kind of
account, the unified one; never borrows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from trading.domain.outcomes import (
    BalanceReport,
    CancelOutcome,
    CandleReport,
    FillReport,
    InstrumentReport,
    KeyRights,
    NotSentOutcome,
    OrderReport,
    PlaceOutcome,
    PlaceRequest,
    PriceReport,
    QueryOutcome,
    TransferReport,
)

from ..base import Capabilities, Connection, Observer
from ..limiter import Limiter
from ..venue_exchange import VenueExchange
from .acting import BybitActing
from .candles import read_candles
from .constants import ACCOUNT_TYPE, CANCEL, CANCEL_ALL, KEY_INFO, MAX_CLIENT_ORDER_ID, TIME, WALLET
from .fills import read_fills
from .line import BybitLine
from .market_data import read_instruments, read_prices
from .order_form import cancel_all_pairs, cancel_pairs
from .order_reads import query_order, read_open_orders
from .parse import parse_balances, parse_key_rights
from .transfers import read_transfers

CAPABILITIES = Capabilities(
    test_order=False,
    cancel_all_account=True,
    cancel_all_symbol=True,
    market_by_quote=True,
    dead_man_timer=False,  # the venue's own is for institutions
    reports_status_on_place=False,
    private_stream=True,
    max_client_order_id=MAX_CLIENT_ORDER_ID,
    processing_bound_seconds=10.0,  # Bybit states none; Binance documents 10 s for the same design
)


class BybitExchange(VenueExchange):
    """See Exchange for what each method promises."""

    capabilities = CAPABILITIES
    warm_up_endpoint = TIME

    def __init__(self, connection: Connection, limiter: Limiter, observer: Observer) -> None:
        line = BybitLine(connection, limiter, observer)
        super().__init__(connection, line, BybitActing(line))

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
        return parse_key_rights(self._line.read(KEY_INFO), key=keys.key)

    def fetch_balances(self) -> list[BalanceReport]:
        return parse_balances(self._line.read(WALLET, [("accountType", ACCOUNT_TYPE)]))

    def fetch_open_orders(self, symbol: str | None = None, *, urgent: bool = False) -> list[OrderReport]:
        return read_open_orders(self._line, symbol, urgent=urgent)

    def fetch_fills(
        self, symbol: str, *, since: datetime | None = None, exchange_order_id: str | None = None
    ) -> list[FillReport]:
        return read_fills(self._line, symbol, since, exchange_order_id or "")

    def fetch_transfers(self, since: datetime) -> list[TransferReport]:
        return read_transfers(self._line, since)

    def query_order(
        self, symbol: str, *, client_order_id: str = "", exchange_order_id: str = "", urgent: bool = False
    ) -> QueryOutcome:
        return query_order(self._line, symbol, client_order_id, exchange_order_id, urgent=urgent)

    # -- acting ------------------------------------------------------------------------------------------------
    def test_order(self, request: PlaceRequest) -> PlaceOutcome:
        return NotSentOutcome("Bybit has no test order for spot: its testnet takes real ones")

    def cancel_order(
        self, symbol: str, *, client_order_id: str = "", exchange_order_id: str = ""
    ) -> CancelOutcome:
        return self._acting.cancel(CANCEL, lambda: cancel_pairs(symbol, client_order_id, exchange_order_id))

    def cancel_all(self, symbol: str | None = None) -> CancelOutcome:
        return self._acting.cancel(CANCEL_ALL, lambda: cancel_all_pairs(symbol))
