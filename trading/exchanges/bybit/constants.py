"""Bybit v5 spot in tables: endpoints with their weights, limits and words. Data only, each with its source.

Source tags: DOC the venue's own documentation of v5 as of July 2026; CCXT the adapter of ccxt. Nothing here was tried
at the real venue. The error codes have their own table in `codes`.
"""

from __future__ import annotations

from collections.abc import Mapping

from trading.domain.enums import OrderType, Side, TimeInForce, VenueOrderStatus

from ..endpoint import MIB, VenueEndpoint

CATEGORY = "spot"
ACCOUNT_TYPE = "UNIFIED"

TIME = VenueEndpoint("time", "GET", "/v5/market/time", is_signed=False)
# Several hundred symbols of about 700 bytes.
INSTRUMENTS = VenueEndpoint(
    "instrumentsInfo", "GET", "/v5/market/instruments-info", is_signed=False, max_bytes=8 * MIB
)
TICKERS = VenueEndpoint("tickers", "GET", "/v5/market/tickers", is_signed=False, max_bytes=4 * MIB)
KLINES = VenueEndpoint("kline", "GET", "/v5/market/kline", is_signed=False)
WALLET = VenueEndpoint("walletBalance", "GET", "/v5/account/wallet-balance", bucket="wallet")
KEY_INFO = VenueEndpoint("queryApi", "GET", "/v5/user/query-api", bucket="key")
REALTIME_ORDERS = VenueEndpoint("realtimeOrders", "GET", "/v5/order/realtime", bucket="order_queries")
ORDER_HISTORY = VenueEndpoint("orderHistory", "GET", "/v5/order/history", bucket="history")
EXECUTIONS = VenueEndpoint("executions", "GET", "/v5/execution/list", bucket="executions")
DEPOSITS = VenueEndpoint("deposits", "GET", "/v5/asset/deposit/query-record", bucket="deposits")
WITHDRAWALS = VenueEndpoint("withdrawals", "GET", "/v5/asset/withdraw/query-record", bucket="withdrawals")
PLACE = VenueEndpoint("placeOrder", "POST", "/v5/order/create", bucket="orders")
CANCEL = VenueEndpoint("cancelOrder", "POST", "/v5/order/cancel", bucket="cancels")
CANCEL_ALL = VenueEndpoint("cancelAll", "POST", "/v5/order/cancel-all", bucket="cancel_all")

# Documented limits [DOC] and the part of them we use; a bucket can spend its burst and its rate in one window.
SHARE_PERCENT = 80
REQUESTS_PER_5_SECONDS = 600  # per address, all hosts of the venue together
# Per account (the venue's UID) and endpoint: requests, in so many seconds, and the part new work may not touch.
ACCOUNT_LIMITS: Mapping[str, tuple[int, int, int]] = {
    "orders": (20, 1, 0),
    "cancels": (20, 1, 0),
    "cancel_all": (20, 1, 0),
    "order_queries": (50, 1, 40),
    "history": (50, 1, 40),
    "executions": (50, 1, 0),
    "wallet": (50, 1, 0),
    "key": (10, 1, 0),
    "deposits": (100, 60, 0),
    "withdrawals": (300, 60, 0),
}

RETRY_AFTER_CODE_SECONDS = 1.0  # the window of an account's limits
RETRY_AFTER_429_SECONDS = 5.0  # protection of the whole venue: no time is documented, so the address's window
RETRY_AFTER_403_SECONDS = 600.0  # "wait for at least 10 minutes" [DOC]
RESET_MOST_SECONDS = 60.0
# The text of an address that sent too much; any other 403 is about the country, the key or the path [DOC].
TOO_FREQUENT = "too frequent"

MAX_CLIENT_ORDER_ID = 36
ORDER_PAGE = 50
FILL_PAGE = 100
TRANSFER_PAGE = 50
MOST_PAGES = 200  # so many pages of one list are a cursor that leads nowhere
FILLS_REACH_DAYS = 30  # for those who ask for no instant; the venue keeps two years
FILL_WINDOW_DAYS = 7
TRANSFER_WINDOW_DAYS = 29  # "less than 30 days" [DOC]

# Minutes of a candle -> the venue's word [DOC].
CANDLE_WORDS: Mapping[int, str] = {1: "1", 5: "5", 15: "15", 30: "30", 60: "60"}
CANDLE_PAGE = 1000

SIDE_WORDS: Mapping[Side, str] = {Side.BUY: "Buy", Side.SELL: "Sell"}
SIDES: Mapping[str, Side] = {word: side for side, word in SIDE_WORDS.items()}

# "Cancelled" of spot has no fills and PartiallyFilledCanceled has; Triggered is a moment of a conditional order [DOC].
STATUS_WORDS: Mapping[str, VenueOrderStatus] = {
    "New": VenueOrderStatus.OPEN,
    "Untriggered": VenueOrderStatus.OPEN,
    "Triggered": VenueOrderStatus.OPEN,
    "PartiallyFilled": VenueOrderStatus.PARTIALLY_FILLED,
    "Filled": VenueOrderStatus.FILLED,
    "PartiallyFilledCanceled": VenueOrderStatus.CANCELED,
    "Cancelled": VenueOrderStatus.CANCELED,
    "Deactivated": VenueOrderStatus.CANCELED,
    "Rejected": VenueOrderStatus.REJECTED,
}
# What the fields of an order's end say when they say nothing [DOC].
NO_REASON_WORDS = frozenset({"", "EC_NoError", "UNKNOWN"})

# (type, time in force) -> (orderType, timeInForce); a market order is IOC whatever is sent [DOC].
TYPE_WORDS: Mapping[tuple[OrderType, TimeInForce], tuple[str, str]] = {
    (OrderType.MARKET, TimeInForce.GTC): ("Market", ""),
    (OrderType.LIMIT, TimeInForce.GTC): ("Limit", "GTC"),
    (OrderType.LIMIT, TimeInForce.IOC): ("Limit", "IOC"),
    (OrderType.LIMIT, TimeInForce.FOK): ("Limit", "FOK"),
    (OrderType.LIMIT_MAKER, TimeInForce.GTC): ("Limit", "PostOnly"),
}
ORDER_TYPES = ("LIMIT", "MARKET", "LIMIT_MAKER")

# Executions of spot are trades; the other words belong to derivatives and move nothing here [DOC].
TRADE_WORD = "Trade"
OTHER_EXECUTIONS = frozenset(
    {"AdlTrade", "Funding", "BustTrade", "Delivery", "Settle", "MovePosition", "CorporateAction"}
)

TRADING_WORD = "Trading"
CLOSED_WORDS = frozenset({"PreLaunch", "Delivering", "Closed"})

# Statuses of a deposit whose money is, or was, on the account [DOC]; before that it has moved no balance.
CREDITED_DEPOSITS = frozenset({3, 7, 10012, 70012, 70013})
UNCREDITED_DEPOSITS = frozenset({0, 1, 2, 4, 10011, 70011})
DEAD_WITHDRAWALS = frozenset({"CancelByUser", "Reject", "Fail"})
LIVING_WITHDRAWALS = frozenset(
    {"SecurityCheck", "Pending", "success", "BlockchainConfirmed", "MoreInformationRequired", "Unknown"}
)

SPOT_RIGHT = "Spot:SpotTrade"
# Reads histories; moves nothing.
HARMLESS_RIGHTS = frozenset({SPOT_RIGHT, "Exchange:ExchangeHistory", "Wallet:SubMemberTransferList"})
EVERY_ADDRESS = "*"
