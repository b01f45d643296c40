"""Placing and canceling against a server that misbehaves: at most one request, and every ending is an outcome."""

from __future__ import annotations

import logging
import os
import signal

import pytest

from tests.exchanges.making import KEY, SECRET, CountingObserver, make_exchange, make_place_request
from tests.exchanges.raw_server import (
    RawServer,
    answers,
    closes_after_reading,
    raw_server,
    refused_port,
    sends,
    stalls,
)
from trading.domain.outcomes import (
    CancelAccepted,
    NotSentOutcome,
    Placed,
    Refused,
    Unknown,
)
from trading.exchanges.base import Connection, Exchange
from trading.exchanges.clock import boot_seconds
from trading.exchanges.limiter import LocalLimiter

ACKNOWLEDGED = '{"symbol":"BTCUSDT","orderId":"C02__1","side":"BUY","type":"LIMIT","origQty":"0.0010"}'
TRUNCATED = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + ACKNOWLEDGED.encode()


def _place(exchange: Exchange, **changes):
    return exchange.place_order(make_place_request(**changes))


def test_a_good_answer_is_placed_with_its_record() -> None:
    observer = CountingObserver()
    with raw_server(answers("200 OK", ACKNOWLEDGED)) as server:
        outcome = _place(make_exchange(server.base_url, observer=observer))
    assert isinstance(outcome, Placed)
    assert outcome.exchange_order_id == "C02__1"
    assert outcome.exchanged.method == "POST"
    assert outcome.exchanged.http_status == 200
    assert outcome.exchanged.sent_at is not None
    assert observer.outcomes("placeOrder") == ["ok"]
    assert set(observer.tokens) == {"weight", "orders", "pace"}


def test_the_permits_stamp_and_window_are_signed_not_the_present() -> None:
    with raw_server(answers("200 OK", ACKNOWLEDGED)) as server:
        _place(make_exchange(server.base_url), venue_time_ms=1_700_000_000_123, window_ms=1500)
    assert b"recvWindow=1500&timestamp=1700000000123&signature=" in server.received
    assert server.connections == 1, "the clock was not asked"


@pytest.mark.parametrize(
    "behaviour",
    [
        closes_after_reading,
        sends(TRUNCATED),
        sends(b"\x00\x01\x02"),
        answers("200 OK", "<html>busy</html>"),
        answers("200 OK", ""),
        answers("200 OK", "x" * (2 << 20)),
        answers("200 OK", ACKNOWLEDGED.replace("C02__1", "") + " "),
        answers("200 OK", ACKNOWLEDGED.replace("BTCUSDT", "ETHUSDT")),
        answers("302 Found", "", "Location: http://127.0.0.1/"),
        answers("403 Forbidden", "<html>firewall</html>"),
        answers("429 Too Many Requests", "slow down"),
        answers("400 Bad Request", '{"code":-2010,"msg":"Duplicate order sent."}'),
        answers("400 Bad Request", '{"code":123456,"msg":"new"}'),
        answers("500 Internal Server Error", '{"code":30004,"msg":"x"}'),
        answers("504 Gateway Timeout", ""),
    ],
)
def test_what_is_not_definite_is_unknown_and_sent_once(behaviour) -> None:
    with raw_server(behaviour) as server:
        outcome = _place(make_exchange(server.base_url))
        assert isinstance(outcome, Unknown)
        assert outcome.exchanged.sent_at is not None
        assert server.received.count(b"POST ") == 1


def test_silence_is_unknown() -> None:
    observer = CountingObserver()
    with raw_server(stalls) as server:
        outcome = _place(make_exchange(server.base_url, timeout_seconds=0.2, observer=observer))
        assert isinstance(outcome, Unknown)
        assert server.received.count(b"POST ") == 1
    assert observer.outcomes("placeOrder") == ["unknown"]


def test_a_refused_connection_is_not_sent() -> None:
    outcome = _place(make_exchange(f"http://127.0.0.1:{refused_port()}"))
    assert isinstance(outcome, NotSentOutcome)
    assert outcome.exchanged.sent_at is None


def test_a_dead_permit_does_not_even_connect() -> None:
    with raw_server(answers("200 OK", ACKNOWLEDGED)) as server:
        outcome = _place(make_exchange(server.base_url), deadline=boot_seconds() - 0.001)
        assert isinstance(outcome, NotSentOutcome)
        assert "permit ran out" in outcome.reason
        assert server.connections == 0


def test_a_halt_at_the_last_moment_stops_a_new_order_with_zero_bytes_but_never_a_cancel() -> None:
    asked: list[bool] = []

    def stop_requested() -> bool:
        asked.append(True)
        return len(asked) > 1  # not yet when preparing, engaged when the headers are about to be written

    with raw_server(answers("200 OK", '{"symbol":"BTCUSDT","orderId":"C02__1"}')) as server:
        exchange = make_exchange(server.base_url, stop_requested=stop_requested)
        outcome = _place(exchange)
        assert isinstance(outcome, NotSentOutcome)
        assert "halt" in outcome.reason
        assert isinstance(exchange.cancel_order("BTCUSDT", client_order_id="c"), CancelAccepted)
    assert server.received.count(b"POST ") == 0
    assert server.received.count(b"DELETE ") == 1
    assert len(asked) == 2, "a cancel is not asked about halts"


def test_a_stop_flag_that_cannot_be_read_stops() -> None:
    def stop_requested() -> bool:
        raise PermissionError("unreadable")

    with raw_server(answers("200 OK", ACKNOWLEDGED)) as server:
        outcome = _place(make_exchange(server.base_url, stop_requested=stop_requested))
        assert isinstance(outcome, NotSentOutcome)
        assert server.connections == 0


def test_an_order_without_a_form_is_not_sent() -> None:
    with raw_server(answers("200 OK", ACKNOWLEDGED)) as server:
        outcome = _place(make_exchange(server.base_url), client_order_id="much too long " * 5)
        assert isinstance(outcome, NotSentOutcome)
        assert "client_order_id" in outcome.reason
        assert server.connections == 0


def test_a_connection_without_a_key_sends_no_order() -> None:
    from trading.domain.enums import Environment, VenueName
    from trading.exchanges.registry import connect

    with raw_server(answers("200 OK", ACKNOWLEDGED)) as server:
        exchange = connect(Connection(VenueName.MEXC, Environment.SIMULATED, server.base_url, "keyless"))
        assert isinstance(_place(exchange), NotSentOutcome)
        assert server.connections == 0


def test_a_slot_lets_exactly_one_order_pass_without_waiting() -> None:
    with raw_server(answers("200 OK", ACKNOWLEDGED)) as server:
        exchange = make_exchange(server.base_url, limiter=LocalLimiter())
        assert exchange.acquire_place_slot(0)
        assert not exchange.acquire_place_slot(0)
        assert isinstance(_place(exchange), Placed)
        refused = _place(exchange)
        assert isinstance(refused, NotSentOutcome)
        assert "slot" in refused.reason
        assert server.received.count(b"POST ") == 1


def test_cancels_get_through_when_orders_used_up_their_share() -> None:
    with raw_server(answers("200 OK", '{"symbol":"BTCUSDT","orderId":"C02__1"}')) as server:
        exchange = make_exchange(server.base_url, limiter=LocalLimiter())
        while exchange.acquire_place_slot(0):
            pass
        assert isinstance(exchange.cancel_order("BTCUSDT", client_order_id="c"), CancelAccepted)


@pytest.mark.parametrize("status", ["429 Too Many Requests", "418 I'm a teapot"])
def test_after_429_and_418_nothing_leaves_before_its_time_not_even_a_cancel(status: str) -> None:
    body = '{"code":429,"msg":"Too Many Requests"}'
    with raw_server(answers(status, body, "Retry-After: 60")) as server:
        exchange = make_exchange(server.base_url)
        first = _place(exchange)
        assert isinstance(first, Refused)
        assert not first.reached_matching
        assert first.retry_after_seconds == 60
        assert isinstance(_place(exchange), NotSentOutcome)
        cancel = exchange.cancel_order("BTCUSDT", client_order_id="c")
        assert isinstance(cancel, NotSentOutcome)
        assert server.received.count(b"HTTP/1.1\r\n") == 1


def test_a_clock_refusal_is_definite_and_the_next_stamp_is_measured_anew() -> None:
    body = '{"code":700003,"msg":"Timestamp for this request is outside of the recvWindow."}'
    with raw_server(answers("400 Bad Request", body)) as server:
        exchange = make_exchange(server.base_url)
        outcome = _place(exchange)
        assert isinstance(outcome, Refused)
        assert (outcome.venue_code, outcome.exchanged.venue_code) == ("700003", "700003")
        assert server.received.count(b"POST ") == 1, "an order is never sent again"


def test_a_cancel_goes_out_even_if_the_clock_cannot_be_asked() -> None:
    def behave(server: RawServer, link) -> None:
        while head := server.read_request(link):
            good = b'{"symbol":"X","orderId":"1"}'
            status, body = (b"200 OK", good) if head.startswith(b"DELETE") else (b"503 Busy", b"")
            link.sendall(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))

    with raw_server(behave) as server:
        assert isinstance(
            make_exchange(server.base_url).cancel_order("X", client_order_id="c"), CancelAccepted
        )


def test_a_cancel_needs_a_name() -> None:
    with raw_server(answers("200 OK", "{}")) as server:
        assert isinstance(make_exchange(server.base_url).cancel_order("X"), NotSentOutcome)
        assert server.connections == 0


def _interrupt_with(error: type[BaseException]):
    def behave(server: RawServer, link) -> None:
        server.read_request(link)
        os.kill(os.getpid(), signal.SIGUSR1)
        server.is_stopping.wait(5)

    def on_signal(_number: int, _frame: object) -> None:
        raise error

    return behave, on_signal


def test_a_process_told_to_exit_exits_and_the_request_counts_as_unknown() -> None:
    observer = CountingObserver()
    behave, on_signal = _interrupt_with(SystemExit)
    before = signal.signal(signal.SIGUSR1, on_signal)
    try:
        with raw_server(behave) as server, pytest.raises(SystemExit):
            _place(make_exchange(server.base_url, observer=observer))
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert observer.outcomes("placeOrder") == ["unknown"]


def test_a_time_limit_of_the_worker_is_doubt() -> None:
    behave, on_signal = _interrupt_with(RuntimeError)
    before = signal.signal(signal.SIGUSR1, on_signal)
    try:
        with raw_server(behave) as server:
            outcome = _place(make_exchange(server.base_url))
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert isinstance(outcome, Unknown)
    assert outcome.exchanged.sent_at is not None


@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request", "500 Internal Server Error"])
def test_no_secret_is_in_an_outcome_or_a_log(status: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    body = f'{{"code":30004,"msg":"bad key {KEY} or {SECRET}","signature":"5ca1ab1e"}}'
    with raw_server(answers(status, body)) as server:
        exchange = make_exchange(server.base_url)
        outcome = _place(exchange)
        asked = exchange.query_order("BTCUSDT", client_order_id="c")
        shown = f"{outcome!r} {asked!r} {exchange.connection!r} {caplog.text}"
        signature = server.received.split(b"&signature=")[1][:64].decode()
    assert KEY.encode() in server.received
    for secret in (KEY, SECRET, signature, "5ca1ab1e"):
        assert secret not in shown


def test_only_an_order_that_flattens_passes_the_stop_flag() -> None:
    with raw_server(answers("200 OK", ACKNOWLEDGED)) as server:
        exchange = make_exchange(server.base_url, stop_requested=lambda: True)
        assert isinstance(_place(exchange), NotSentOutcome)
        assert server.received == b""
        assert not isinstance(exchange.place_order(make_place_request(flattens=True)), NotSentOutcome)
        assert b"/api/v3/order" in server.received
