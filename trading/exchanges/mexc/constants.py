"""MEXC Spot v3 in tables: endpoints with their weights, limits, words and error codes. Data only, each with its source.

Source tags: D26 official pages www.mexc.com/api-docs/spot-v3 as of April 2026 (they win over the older single page);
LIVE answers seen on api.mexc.com in 2026; GCT, CCXT, HB, JK the adapters of gocryptotrader, ccxt, hummingbot and
Mexc.Net, their recorded answers and production logs. The error codes have their own table in `codes`.
"""

from __future__ import annotations

from collections.abc import Mapping

from trading.domain.enums import OrderType, Side, TimeInForce, VenueOrderStatus

from ..endpoint import MIB, VenueEndpoint

PING = VenueEndpoint("ping", "GET", "/api/v3/ping", is_signed=False)
TIME = VenueEndpoint("time", "GET", "/api/v3/time", is_signed=False)
# Over 2,000 symbols of about 750 bytes: larger than any other answer.
EXCHANGE_INFO = VenueEndpoint(
    "exchangeInfo", "GET", "/api/v3/exchangeInfo", 25, is_signed=False, max_bytes=16 * MIB
)
TICKER_PRICE = VenueEndpoint("tickerPrice", "GET", "/api/v3/ticker/price", 10, is_signed=False)
BOOK_TICKER = VenueEndpoint("bookTicker", "GET", "/api/v3/ticker/bookTicker", 10, is_signed=False)
KLINES = VenueEndpoint("klines", "GET", "/api/v3/klines", is_signed=False)
SELF_SYMBOLS = VenueEndpoint("selfSymbols", "GET", "/api/v3/selfSymbols")
ACCOUNT = VenueEndpoint("account", "GET", "/api/v3/account", 10, bucket="account")
KEY_INFO = VenueEndpoint(
    "apiKeyInfo", "GET", "/api/v3/apiKeyInfo"
)  # POST on this path changes the key: never
OPEN_ORDERS = VenueEndpoint("openOrders", "GET", "/api/v3/openOrders", 3)
QUERY_ORDER = VenueEndpoint("queryOrder", "GET", "/api/v3/order", 2)
MY_TRADES = VenueEndpoint("myTrades", "GET", "/api/v3/myTrades", 10)
DEPOSITS = VenueEndpoint("deposits", "GET", "/api/v3/capital/deposit/hisrec")
WITHDRAWALS = VenueEndpoint("withdrawals", "GET", "/api/v3/capital/withdraw/history")
PLACE = VenueEndpoint("placeOrder", "POST", "/api/v3/order", bucket="orders")
TEST_ORDER = VenueEndpoint("testOrder", "POST", "/api/v3/order/test")
CANCEL = VenueEndpoint("cancelOrder", "DELETE", "/api/v3/order", bucket="orders")
CANCEL_SYMBOL = VenueEndpoint("cancelSymbol", "DELETE", "/api/v3/openOrders", bucket="orders")
CANCEL_ACCOUNT = VenueEndpoint("cancelAccount", "DELETE", "/api/v3/order/all", bucket="orders")
# The private stream's key, a secret like the API key. Signed although the pages list no parameters [CCXT, HB, JK, GCT].
CREATE_LISTEN_KEY = VenueEndpoint("createListenKey", "POST", "/api/v3/userDataStream")
EXTEND_LISTEN_KEY = VenueEndpoint("extendListenKey", "PUT", "/api/v3/userDataStream")
DELETE_LISTEN_KEY = VenueEndpoint("deleteListenKey", "DELETE", "/api/v3/userDataStream")

# Minutes of a candle -> the venue's word; an hour is 60m and not 1h [D26].
CANDLE_WORDS: Mapping[int, str] = {1: "1m", 5: "5m", 15: "15m", 30: "30m", 60: "60m"}
CANDLE_PAGE = 500  # 1000 documented [D26], 500 in practice [CCXT]
CANDLE_PAGE_CUTS = frozenset({100, CANDLE_PAGE, 1000})

# Documented limits [D26] and the part of them we use. A bucket can spend its burst and its rate in one window, so
# burst + rate x window <= share x limit. MEXC sends no usage headers: a margin is all the protection there is.
SHARE_PERCENT = 80
ORDERS_PER_SECOND = 12  # per account: place, cancel, cancel-all and batch together
ACCOUNT_PER_SECOND = 2  # GET /account
WEIGHT_PER_10_SECONDS = 300  # per address, all endpoints together

OPEN_ORDERS_CUT = 1000  # rows at which the list may have been cut
FILL_PAGE_LIMIT = 1000
FILL_PAGE_CUTS = frozenset({100, 1000})  # the page limit is 100 [D26] or 1000 [readers of the page, 2026-09]
FILLS_REACH_DAYS = 30

RETRY_AFTER_429_SECONDS = 10.0  # when the header is missing: the longest documented window
RETRY_AFTER_418_SECONDS = 120.0  # the shortest documented ban
RETRY_AFTER_MOST_SECONDS = 3 * 86400.0  # the longest documented ban

STATUS_WORDS: Mapping[str, VenueOrderStatus] = {
    "NEW": VenueOrderStatus.OPEN,
    "PARTIALLY_FILLED": VenueOrderStatus.PARTIALLY_FILLED,
    "FILLED": VenueOrderStatus.FILLED,
    "CANCELED": VenueOrderStatus.CANCELED,
    "PARTIALLY_CANCELED": VenueOrderStatus.CANCELED,  # terminal, with fills
}

# There is no timeInForce parameter: it is accepted and ignored, and the order rests [ccxt #25003]. It is the type.
TYPE_WORDS: Mapping[tuple[OrderType, TimeInForce], str] = {
    (OrderType.MARKET, TimeInForce.GTC): "MARKET",
    (OrderType.LIMIT, TimeInForce.GTC): "LIMIT",
    (OrderType.LIMIT, TimeInForce.IOC): "IMMEDIATE_OR_CANCEL",
    (OrderType.LIMIT, TimeInForce.FOK): "FILL_OR_KILL",
    (OrderType.LIMIT_MAKER, TimeInForce.GTC): "LIMIT_MAKER",
}
# Back from the venue. Other words belong to orders made elsewhere (stop orders of the web page) and have no type here.
ORDER_TYPES: Mapping[str, OrderType] = {word: kind for (kind, _), word in TYPE_WORDS.items()}

# status of a symbol: "1" online, "2" paused, "3" offline; "ENABLED" until August 2024.
ONLINE_WORDS = frozenset({"1", "ENABLED"})
OFFLINE_WORDS = frozenset({"2", "3"})
SIDES_OF_TYPE: Mapping[int, tuple[Side, ...]] = {
    1: (Side.BUY, Side.SELL),
    2: (Side.BUY,),
    3: (Side.SELL,),
    4: (),
}

# What a transfer may still become does not matter for a balance it has already moved; what was called off, does.
DEAD_DEPOSITS = frozenset({7, 8, 10})  # rejected, refunded, invalid [D26]
DEAD_WITHDRAWALS = frozenset({8, 9})  # failed, canceled [D26]
TRANSFERS_PAGE_LIMIT = 1000

HARMLESS_RIGHTS = frozenset(
    {
        "SPOT_ACCOUNT_READ",
        "SPOT_ACCOUNT_WRITE",
        "SPOT_DEAL_READ",
        "SPOT_DEAL_WRITE",
        "SPOT_TRANSFER_READ",
        "SPOT_WITHDRAW_READ",  # reads the history of deposits and withdrawals; moves nothing
        "CONTRACT_ACCOUNT_READ",
        "CONTRACT_DEAL_READ",
    }
)
RIGHT_SUFFIXES: Mapping[str, str] = {"_R": "_READ", "_W": "_WRITE"}  # some pages abbreviate [D26]
PERMANENT_KEY_DAYS = -999
