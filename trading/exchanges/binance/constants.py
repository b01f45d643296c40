"""Binance Spot v3 in tables: endpoints with their weights, limits and words. Data only, each with its source.

Source tags: DOC the official repository binance-spot-api-docs as of July 2026; WALLET the official pages of the wallet
API (paths below /sapi); CCXT the library of that name. What has no tag is DOC. The error codes have their own table in
`codes`.
"""

from __future__ import annotations

from collections.abc import Mapping

from trading.domain.enums import OrderType, TimeInForce, VenueOrderStatus

from ..endpoint import MIB, VenueEndpoint

PING = VenueEndpoint("ping", "GET", "/api/v3/ping", is_signed=False)
TIME = VenueEndpoint("time", "GET", "/api/v3/time", is_signed=False)
# Thousands of symbols with long lists of permissions each: larger than any other answer.
EXCHANGE_INFO = VenueEndpoint(
    "exchangeInfo", "GET", "/api/v3/exchangeInfo", 20, is_signed=False, max_bytes=64 * MIB
)
TICKER_PRICE = VenueEndpoint("tickerPrice", "GET", "/api/v3/ticker/price", 2, is_signed=False)
BOOK_TICKER = VenueEndpoint("bookTicker", "GET", "/api/v3/ticker/bookTicker", 2, is_signed=False)
ALL_PRICES = VenueEndpoint(
    "tickerPrices", "GET", "/api/v3/ticker/price", 4, is_signed=False, max_bytes=4 * MIB
)
ALL_BOOKS = VenueEndpoint(
    "bookTickers", "GET", "/api/v3/ticker/bookTicker", 4, is_signed=False, max_bytes=4 * MIB
)
KLINES = VenueEndpoint("klines", "GET", "/api/v3/klines", 2, is_signed=False)
ACCOUNT = VenueEndpoint("account", "GET", "/api/v3/account", 20)
OPEN_ORDERS = VenueEndpoint("openOrders", "GET", "/api/v3/openOrders", 6, max_bytes=4 * MIB)
ALL_OPEN_ORDERS = VenueEndpoint("allOpenOrders", "GET", "/api/v3/openOrders", 80, max_bytes=16 * MIB)
QUERY_ORDER = VenueEndpoint("queryOrder", "GET", "/api/v3/order", 4)
MY_TRADES = VenueEndpoint("myTrades", "GET", "/api/v3/myTrades", 20)
TRADES_OF_ORDER = VenueEndpoint("tradesOfOrder", "GET", "/api/v3/myTrades", 5)
# An order or cancel that succeeds weighs nothing since April 2026, one that fails weighs one.
PLACE = VenueEndpoint("placeOrder", "POST", "/api/v3/order", bucket="orders")
TEST_ORDER = VenueEndpoint("testOrder", "POST", "/api/v3/order/test")
CANCEL = VenueEndpoint("cancelOrder", "DELETE", "/api/v3/order")
CANCEL_SYMBOL = VenueEndpoint("cancelSymbol", "DELETE", "/api/v3/openOrders", max_bytes=4 * MIB)
# The wallet API: not on the test installations [WALLET].
# On the WebSocket API; listed here for its weight.
SUBSCRIBE = VenueEndpoint("subscribe", "WS", "", 2)
KEY_RIGHTS = VenueEndpoint("keyRights", "GET", "/sapi/v1/account/apiRestrictions")
DEPOSITS = VenueEndpoint("deposits", "GET", "/sapi/v1/capital/deposit/hisrec")
# Weighs 18,000 of 180,000 per minute of an account [WALLET]: a bucket of ten.
WITHDRAWALS = VenueEndpoint("withdrawals", "GET", "/sapi/v1/capital/withdraw/history", bucket="withdrawals")

# Minutes of a candle -> the venue's word.
CANDLE_WORDS: Mapping[int, str] = {1: "1m", 5: "5m", 15: "15m", 30: "30m", 60: "1h"}
CANDLE_PAGE = 1000
CANDLE_PAGE_CUTS = frozenset({500, CANDLE_PAGE})  # 500 is the venue's page where none is named

# Documented limits and the part of them we use. A bucket can spend its burst and its rate in one window, so
# burst + rate x window <= share x limit.
SHARE_PERCENT = 80
WEIGHT_PER_MINUTE = 6000  # per address, all endpoints together
# New orders of an account that are not filled; the least that `rateLimits` was seen to tell. Fills give them back, and
# cancels do not count.
ORDERS_PER_10_SECONDS = 50
ORDERS_PER_DAY = 160_000
WITHDRAWALS_PER_MINUTE = 10
# The venue's own count of the address's weight: from here on new orders wait for the next minute, because whoever else
# shares the address may use up what cancels need.
WEIGHT_OF_CALM = WEIGHT_PER_MINUTE * 90 // 100
USED_WEIGHT_HEADER = "x-mbx-used-weight-1m"

FILL_PAGE = 1000
FILL_PAGE_CUTS = frozenset({500, FILL_PAGE})
FILL_WINDOW_MS = 86_400_000  # the longest time one question may span
FILLS_REACH_DAYS = 30  # how far back is looked where nobody says since when

RETRY_AFTER_429_SECONDS = 60.0  # when the header is missing: the window of the weight
RETRY_AFTER_ORDERS_SECONDS = 10.0  # the shorter window of the count of orders
RETRY_AFTER_418_SECONDS = 120.0  # the shortest documented ban
RETRY_AFTER_MOST_SECONDS = 3 * 86400.0  # the longest documented ban

STATUS_WORDS: Mapping[str, VenueOrderStatus] = {
    "NEW": VenueOrderStatus.OPEN,
    "PENDING_NEW": VenueOrderStatus.OPEN,  # the waiting leg of somebody's order list
    "PARTIALLY_FILLED": VenueOrderStatus.PARTIALLY_FILLED,
    "FILLED": VenueOrderStatus.FILLED,
    "CANCELED": VenueOrderStatus.CANCELED,
    "REJECTED": VenueOrderStatus.REJECTED,
    "EXPIRED": VenueOrderStatus.EXPIRED,  # the rest of IOC, FOK and MARKET, or by the venue's rules
    "EXPIRED_IN_MATCH": VenueOrderStatus.EXPIRED,  # would have met an order of the same account
}

# (our type, time in force) -> the venue's type and timeInForce; MARKET and LIMIT_MAKER must name none (-1106).
TYPE_WORDS: Mapping[tuple[OrderType, TimeInForce], tuple[str, str]] = {
    (OrderType.MARKET, TimeInForce.GTC): ("MARKET", ""),
    (OrderType.LIMIT, TimeInForce.GTC): ("LIMIT", "GTC"),
    (OrderType.LIMIT, TimeInForce.IOC): ("LIMIT", "IOC"),
    (OrderType.LIMIT, TimeInForce.FOK): ("LIMIT", "FOK"),
    (OrderType.LIMIT_MAKER, TimeInForce.GTC): ("LIMIT_MAKER", ""),
}
# Back from the venue. Other words belong to orders made elsewhere (stop orders of the web page) and have no type here.
ORDER_TYPES: Mapping[str, OrderType] = {word: kind for (kind, _), (word, _) in TYPE_WORDS.items()}

TRADING_WORDS = frozenset({"TRADING"})
CLOSED_WORDS = frozenset(
    {"PRE_TRADING", "POST_TRADING", "END_OF_DAY", "HALT", "AUCTION_MATCH", "BREAK", "CANCEL_ONLY"}
)
PERMISSION = "SPOT"  # what an account needs of each group of a symbol's permission sets

# Rejected, or sent wrongly: never on the balance. The others are or become part of it [WALLET].
DEAD_DEPOSITS = frozenset({2, 7})
DEPOSIT_WORDS = frozenset({0, 1, 2, 6, 7, 8})
DEAD_WITHDRAWALS = frozenset({1, 3, 5})  # canceled, rejected, failed [WALLET; 1 and 5 in older answers]
WITHDRAWAL_WORDS = frozenset({0, 1, 2, 3, 4, 5, 6})
SPOT_WALLET, FUNDING_WALLET = 0, 1
TRANSFERS_PAGE = 1000
TRANSFERS_REACH_DAYS = 90  # the longest time one question may span

CAN_READ, CAN_TRADE, IS_BOUND = "enableReading", "enableSpotAndMarginTrading", "ipRestrict"
EXPIRY = "tradingAuthorityExpirationTime"
HARMLESS_RIGHTS = frozenset({CAN_READ, CAN_TRADE, "enableFixApiTrade", "enableFixReadOnly"})
