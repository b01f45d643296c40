"""The client against scripted answers: which question it asks, what it concludes, when it stays away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.exchanges.binance.samples import CANCELED, ORDER, PLACED, SYMBOL, TRADE
from tests.exchanges.binance.scripted_venue import Asked, Reply, ScriptedVenue, scripted
from tests.exchanges.making import CountingObserver, make_place_request
from trading.domain.enums import Environment, VenueName
from trading.domain.errors import (
    ConfigurationError,
    InvalidInput,
    MalformedAnswer,
    VenueRefused,
)
from trading.domain.outcomes import (
    CancelAccepted,
    CancelRefused,
    NotSentOutcome,
    OrderFound,
    Placed,
    QueryFailed,
    Refused,
    Unknown,
)
from trading.exchanges.base import Connection, Credentials, Exchange
from trading.exchanges.registry import connect

ORDERS, ORDER_LINE, TRADES = "/api/v3/openOrders", "/api/v3/order", "GET /api/v3/myTrades"


@pytest.fixture
def observer() -> CountingObserver:
    return CountingObserver()


@pytest.fixture
def pair(observer: CountingObserver) -> Iterator[tuple[Exchange, ScriptedVenue]]:
    with scripted(observer) as found:
        yield found


def error(code: int, message: str = "text", status: int = 400, **headers: str) -> Reply:
    return Reply(
        {"code": code, "msg": message}, status, {name.replace("_", "-"): v for name, v in headers.items()}
    )


def place(exchange: Exchange):
    return exchange.place_order(make_place_request(venue_time_ms=exchange.venue_time_ms()))


# -- orders ----------------------------------------------------------------------------------------------------


def test_an_order_goes_out_signed_once_and_its_record_holds_no_secret(pair) -> None:
    exchange, venue = pair
    venue.replies[f"POST {ORDER_LINE}"] = Reply(PLACED)
    assert exchange.acquire_place_slot(1)
    outcome = place(exchange)
    assert isinstance(outcome, Placed) and outcome.exchange_order_id == "BTCUSDT:28"
    (asked,) = venue.questions(f"POST {ORDER_LINE}")
    assert (asked["timeInForce"], asked["newOrderRespType"], asked["recvWindow"]) == ("GTC", "RESULT", "2000")
    assert len(asked["signature"]) == 64 and asked["signature"] not in str(outcome)


def test_a_stamp_the_venue_dislikes_is_refused_and_never_sent_again(pair) -> None:
    exchange, venue = pair
    venue.replies[f"POST {ORDER_LINE}"] = error(
        -1021, "Timestamp for this request is outside of the recvWindow."
    )
    outcome = place(exchange)
    assert isinstance(outcome, Refused) and not outcome.reached_matching
    assert len(venue.questions(f"POST {ORDER_LINE}")) == 1
    before = len(venue.questions("GET /api/v3/time"))
    exchange.venue_time_ms()
    assert len(venue.questions("GET /api/v3/time")) > before, "the clock is measured before the next stamp"


def test_too_many_orders_hold_back_new_orders_and_nothing_else(pair) -> None:
    exchange, venue = pair
    venue.replies |= {
        f"POST {ORDER_LINE}": error(-1015, "Too many new orders.", 429, Retry_After="30"),
        f"DELETE {ORDER_LINE}": Reply(CANCELED),
        f"GET {ORDER_LINE}": Reply(ORDER),
    }
    outcome = place(exchange)
    assert isinstance(outcome, Refused) and outcome.retry_after_seconds == 30
    assert isinstance(place(exchange), NotSentOutcome)
    assert not exchange.acquire_place_slot(0)
    assert len(venue.questions(f"POST {ORDER_LINE}")) == 1
    assert isinstance(exchange.cancel_order("LTCBTC", exchange_order_id="LTCBTC:4"), CancelAccepted)
    assert isinstance(exchange.query_order("LTCBTC", client_order_id="myOrder1"), OrderFound)


def test_too_much_weight_closes_the_venue_for_cancels_as_well(pair) -> None:
    exchange, venue = pair
    venue.replies[f"GET {ORDER_LINE}"] = error(-1003, "Too much request weight used.", 429, Retry_After="30")
    assert isinstance(exchange.query_order("LTCBTC", client_order_id="myOrder1"), QueryFailed)
    assert isinstance(exchange.cancel_order("LTCBTC", client_order_id="myOrder1"), NotSentOutcome)
    assert venue.questions(f"DELETE {ORDER_LINE}") == []


def test_what_the_address_has_used_is_told_and_near_the_limit_new_orders_wait(pair, observer) -> None:
    exchange, venue = pair
    venue.replies[f"DELETE {ORDER_LINE}"] = Reply(CANCELED)
    venue.replies[f"GET {ORDER_LINE}"] = Reply(ORDER, headers={"X-MBX-USED-WEIGHT-1M": "600"})
    exchange.query_order("LTCBTC", client_order_id="myOrder1")
    assert observer.tokens["venue_weight"] == 5400 and exchange.acquire_place_slot(0)
    venue.replies[f"GET {ORDER_LINE}"] = Reply(ORDER, headers={"X-MBX-USED-WEIGHT-1M": "5500"})
    exchange.query_order("LTCBTC", client_order_id="myOrder1")
    assert observer.tokens["venue_weight"] == 500
    assert not exchange.acquire_place_slot(0)
    assert isinstance(exchange.cancel_order("LTCBTC", client_order_id="myOrder1"), CancelAccepted)


def test_an_order_is_asked_for_by_the_number_the_venue_shows(pair) -> None:
    exchange, venue = pair
    venue.replies[f"GET {ORDER_LINE}"] = Reply(ORDER)
    for named in ("LTCBTC:1", "1"):
        found = exchange.query_order("LTCBTC", exchange_order_id=named)
        assert isinstance(found, OrderFound) and found.report.exchange_order_id == "LTCBTC:1"
    with pytest.raises(InvalidInput):
        exchange.query_order("LTCBTC", exchange_order_id="BTCUSDT:1")
    assert [asked["orderId"] for asked in venue.questions(f"GET {ORDER_LINE}")] == ["1", "1"]


# -- canceling all ---------------------------------------------------------------------------------------------


def open_in(*symbols: str) -> Reply:
    return Reply([ORDER | {"symbol": symbol} for symbol in symbols])


def test_all_of_an_account_is_canceled_symbol_by_symbol(pair) -> None:
    exchange, venue = pair
    venue.replies |= {f"GET {ORDERS}": open_in("B", "A", "B"), f"DELETE {ORDERS}": Reply([CANCELED])}
    assert isinstance(exchange.cancel_all(), CancelAccepted)
    assert [asked["symbol"] for asked in venue.questions(f"DELETE {ORDERS}")] == ["A", "B"]
    assert "symbol" not in venue.questions(f"GET {ORDERS}")[0]


def test_nothing_open_is_what_was_wanted(pair) -> None:
    exchange, venue = pair
    venue.replies |= {f"GET {ORDERS}": open_in(), f"DELETE {ORDERS}": error(-2011, "Unknown order sent.")}
    assert isinstance(exchange.cancel_all(), CancelAccepted)
    assert venue.questions(f"DELETE {ORDERS}") == []
    assert isinstance(exchange.cancel_all("BTCUSDT"), CancelAccepted)


@pytest.mark.parametrize(
    ("of_b", "outcome"),
    [(error(-1007, status=504), Unknown), (error(-2015, "Invalid API-key."), CancelRefused)],
)
def test_one_symbol_that_is_not_canceled_is_told_by_name(pair, of_b: Reply, outcome: type) -> None:
    exchange, venue = pair

    def answer(asked: Asked) -> Reply:
        return of_b if asked["symbol"] == "B" else Reply([CANCELED])

    venue.replies |= {f"GET {ORDERS}": open_in("A", "B", "C"), f"DELETE {ORDERS}": answer}
    found = exchange.cancel_all()
    assert isinstance(found, outcome) and "B: " in str(found)
    assert len(venue.questions(f"DELETE {ORDERS}")) == 3


def test_without_a_list_nothing_of_an_account_is_canceled_and_that_is_said(pair) -> None:
    exchange, venue = pair
    venue.replies[f"GET {ORDERS}"] = error(-2015, "Invalid API-key.")
    assert isinstance(exchange.cancel_all(), NotSentOutcome)
    assert venue.questions(f"DELETE {ORDERS}") == []


# -- fills -----------------------------------------------------------------------------------------------------

START = datetime(2026, 11, 1, tzinfo=UTC)


class Book:
    """Fills of one symbol a minute apart, told as the venue tells them."""

    def __init__(self, many: int) -> None:
        self.first_ms = int(START.timestamp() * 1000)
        self.rows: list[dict[str, Any]] = [
            TRADE | {"symbol": "BTCUSDT", "id": n, "orderId": n // 1500, "time": self.first_ms + n * 60_000}
            for n in range(many)
        ]

    def answer(self, asked: Asked) -> Reply:
        rows, limit = self.rows, int(asked["limit"])
        if "orderId" in asked:
            rows = [row for row in rows if row["orderId"] == int(asked["orderId"])]
        if "fromId" in asked:
            return Reply([row for row in rows if row["id"] >= int(asked["fromId"])][:limit])
        if "startTime" in asked:
            first, last = int(asked["startTime"]), int(asked["endTime"])
            if last - first > 86_400_000:
                return error(-1127, "More than 24 hours between startTime and endTime.")
            rows = [row for row in rows if first <= row["time"] <= last]
        return Reply(rows[-limit:])


def test_few_fills_take_one_question(pair) -> None:
    exchange, venue = pair
    venue.replies[TRADES] = Book(400).answer
    found = exchange.fetch_fills("BTCUSDT", since=START + timedelta(minutes=100))
    assert [fill.venue_fill_id for fill in found] == [f"BTCUSDT:{n}" for n in range(100, 400)]
    assert len(venue.questions(TRADES)) == 1


def test_what_lies_before_the_newest_page_is_found_once_in_windows_of_a_day(pair) -> None:
    exchange, venue = pair
    venue.replies[TRADES] = Book(4000).answer
    found = exchange.fetch_fills("BTCUSDT", since=START + timedelta(minutes=10))
    assert [fill.venue_fill_id for fill in found] == [f"BTCUSDT:{n}" for n in range(10, 4000)]
    assert len(venue.questions(TRADES)) < 20


def test_all_fills_of_one_order_are_paged_by_their_numbers(pair) -> None:
    exchange, venue = pair
    venue.replies[TRADES] = Book(3100).answer
    found = exchange.fetch_fills("BTCUSDT", exchange_order_id="BTCUSDT:1")
    assert [fill.venue_fill_id for fill in found] == [f"BTCUSDT:{n}" for n in range(1500, 3000)]
    assert [asked["fromId"] for asked in venue.questions(TRADES)] == ["0", "2500"]


@pytest.mark.parametrize("row", [TRADE, TRADE | {"symbol": "BTCUSDT", "orderId": 2}])
def test_fills_of_another_symbol_or_order_spoil_the_list(pair, row: dict) -> None:
    exchange, venue = pair
    venue.replies[TRADES] = Reply([row])
    with pytest.raises(MalformedAnswer):
        exchange.fetch_fills("BTCUSDT", exchange_order_id="BTCUSDT:1")


# -- public ----------------------------------------------------------------------------------------------------


def test_several_symbols_are_looked_up_among_all_and_one_alone(pair) -> None:
    exchange, venue = pair
    prices = [{"symbol": name, "price": "10"} for name in ("A", "B", "C")]
    books = [{"symbol": "A", "bidPrice": "9", "askPrice": "0.00000000"}]
    venue.replies |= {
        "GET /api/v3/ticker/price": lambda asked: Reply(prices[0] if "symbol" in asked else prices),
        "GET /api/v3/ticker/bookTicker": lambda asked: Reply(books[0] if "symbol" in asked else books),
    }
    assert [price.symbol for price in exchange.fetch_prices(["C", "A", "unknown"])] == ["C", "A"]
    (one,) = exchange.fetch_prices(["A"])
    assert (one.bid, one.ask) == (9, None)
    assert venue.questions("GET /api/v3/ticker/price") == [{}, {"symbol": "A"}]


def test_a_symbol_the_venue_does_not_know_is_not_told_and_other_errors_are(pair) -> None:
    exchange, venue = pair
    unknown = error(-1121, "Invalid symbol.")
    venue.replies |= {"GET /api/v3/ticker/price": unknown, "GET /api/v3/exchangeInfo": unknown}
    assert exchange.fetch_prices(["NOPE"]) == [] and exchange.fetch_instruments(["NOPE"]) == []
    venue.replies["GET /api/v3/ticker/price"] = error(-1100)
    with pytest.raises(VenueRefused):
        exchange.fetch_prices(["NOPE"])


def test_one_symbol_that_cannot_be_read_hides_no_other(pair) -> None:
    exchange, venue = pair
    rows = [SYMBOL | {"symbol": f"S{n}", "baseAsset": f"S{n}"} for n in range(30)]
    venue.replies["GET /api/v3/exchangeInfo"] = Reply({"symbols": [*rows, SYMBOL | {"status": "DREAMING"}]})
    assert len(exchange.fetch_instruments()) == 30


# -- keys and environments -------------------------------------------------------------------------------------


def test_the_test_installations_have_no_wallet_and_nothing_is_asked_there() -> None:
    connection = Connection(
        VenueName.BINANCE,
        Environment.TESTNET,
        "https://testnet.binance.vision",
        "main",
        Credentials("key", "secret"),
    )
    exchange = connect(connection)
    with pytest.raises(VenueRefused, match="no list of deposits"):
        exchange.fetch_transfers(START)
    exchange.close()


def test_a_question_that_needs_a_key_says_so(pair) -> None:
    exchange, venue = pair
    address = exchange.connection.base_url
    keyless = connect(Connection(VenueName.BINANCE, Environment.SIMULATED, address, "main"))
    with pytest.raises(ConfigurationError):
        keyless.fetch_key_rights()
    with pytest.raises(VenueRefused, match="needs an API key"):
        keyless.fetch_balances()
    keyless.close()
    assert venue.asked == []


def test_transfers_never_ask_further_back_than_the_venue_tells(pair) -> None:
    exchange, venue = pair
    for name in ("deposit/hisrec", "withdraw/history"):
        venue.replies[f"GET /sapi/v1/capital/{name}"] = Reply([])
    assert exchange.fetch_transfers(START - timedelta(days=400)) == []
    (asked,) = venue.questions("GET /sapi/v1/capital/withdraw/history")
    assert "endTime" not in asked, "what came just now is not left out"
    assert exchange.venue_time_ms() - int(asked["startTime"]) < 90 * 86_400_000
