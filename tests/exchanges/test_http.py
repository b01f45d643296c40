"""The line out proves what left, keeps to its bounds, and shows no secret."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.exchanges.raw_server import (
    RawServer,
    answers,
    closes_after_reading,
    closes_at_once,
    raw_server,
    refused_port,
    sends,
    stalls,
)
from trading.domain.errors import NotSent
from trading.exchanges.http import HttpLine, WireFailure, WireRequest, _Trip

SECRET = "canary-secret"


@contextmanager
def _line(timeout_seconds: float = 5.0) -> Iterator[HttpLine]:
    line = HttpLine(timeout_seconds=timeout_seconds, secrets=(SECRET,))
    try:
        yield line
    finally:
        line.close()


def _request(base_url: str, **more: object) -> WireRequest:
    url = f"{base_url}/api/v3/order?symbol=X&signature=abcdef"
    return WireRequest("POST", url, "/api/v3/order?symbol=X", **more)  # type: ignore[arg-type]


def _fail(line: HttpLine, request: WireRequest) -> WireFailure:
    with pytest.raises(WireFailure) as caught:
        line.send(request)
    return caught.value


def test_the_bytes_sent_are_the_bytes_given() -> None:
    target = "/api/v3/batchOrders?batchOrders=%5B%7B%22a%22%3A1%7D%5D&x=a%20b&signature=12"
    with raw_server(answers("200 OK", "{}")) as server, _line() as line:
        answer = line.send(WireRequest("POST", server.base_url + target, "/x"))
    assert server.received.startswith(f"POST {target} HTTP/1.1\r\n".encode())
    assert answer.body == b"{}"
    assert answer.exchanged.sent_at is not None
    assert answer.sent <= answer.answered


def test_a_body_is_sent_byte_for_byte_and_the_headers_of_the_answer_are_kept() -> None:
    body = b'{"qty": "0.001",  "side":"Buy"}'
    with raw_server(answers("200 OK", "{}", "X-Bapi-Limit-Status: 9")) as server, _line() as line:
        answer = line.send(_request(server.base_url, content=body))
    assert server.received.endswith(b"\r\n\r\n" + body)
    assert answer.headers["x-bapi-limit-status"] == "9"
    assert "qty" not in repr(_request(server.base_url, content=body))


def test_a_url_that_the_library_would_rewrite_does_not_leave() -> None:
    with raw_server(answers("200 OK", "{}")) as server, _line() as line:
        failure = _fail(line, WireRequest("GET", f'{server.base_url}/x?a="b c"', "/x"))
        assert not failure.may_have_left
        _assert_nothing_came_before(line, server)


def _assert_nothing_came_before(line: HttpLine, server: RawServer) -> None:
    """The server reads its connections in order: after this one answer it has read all that was sent before."""
    line.send(_request(server.base_url))
    assert server.received.count(b" HTTP/1.1\r\n") == 1
    assert server.received.startswith(b"POST /api/v3/order?symbol=X&")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_refused_connection_is_not_sent(scheme: str) -> None:
    with _line() as line:
        failure = _fail(line, _request(f"{scheme}://127.0.0.1:{refused_port()}"))
    assert not failure.may_have_left
    assert "ConnectError" in failure.reason


def test_a_name_without_an_address_is_not_sent() -> None:
    with _line() as line:
        assert not _fail(line, _request("http://nowhere.invalid")).may_have_left


def test_a_broken_tls_handshake_is_not_sent() -> None:
    def speaks_no_tls(_server: RawServer, link) -> None:
        link.sendall(b"no tls here, whatever you say" * 10)
        link.recv(4096)

    with raw_server(speaks_no_tls) as server, _line() as line:
        failure = _fail(line, _request(server.base_url.replace("http:", "https:")))
    assert not failure.may_have_left


def test_a_guard_stops_the_request_with_zero_bytes_and_the_line_stays_usable() -> None:
    def guard() -> None:
        raise NotSent("the permit ran out")

    with raw_server(answers("200 OK", "{}")) as server, _line() as line:
        failure = _fail(line, _request(server.base_url, guard=guard))
        assert failure.reason == "the permit ran out"
        assert not failure.may_have_left
        _assert_nothing_came_before(line, server)
        assert server.connections == 2, "the stop came after connecting, at the last moment"


def test_the_guard_is_asked_once_and_at_the_librarys_last_moment() -> None:
    events: list[str] = []

    def guard() -> None:
        events.append("guard")

    with raw_server(answers("200 OK", "{}")) as server, _line() as line:
        request = _request(server.base_url, guard=guard)
        trip = _Trip(request)
        original = trip.on_trace
        trip.on_trace = lambda event, info: (original(event, info), events.append(event))  # type: ignore
        line._exchange(trip)
    assert events.count("guard") == 1
    assert events[events.index("guard") + 1] == "http11.send_request_headers.started"
    assert all(event.startswith("connection.") for event in events[: events.index("guard")])


def test_a_guard_that_breaks_stops_the_request_too() -> None:
    def guard() -> None:
        raise PermissionError("the flag file cannot be read")

    with raw_server(answers("200 OK", "{}")) as server, _line() as line:
        assert not _fail(line, _request(server.base_url, guard=guard)).may_have_left
        _assert_nothing_came_before(line, server)


@pytest.mark.parametrize(
    "behaviour",
    [
        closes_after_reading,
        sends(b"garbage\r\n\r\n"),
        sends(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
        sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"),
        answers("200 OK", b"\x1f\x8b", "Content-Encoding: gzip"),
        answers("200 OK", b"x" * (1 << 20) + b"x"),
    ],
)
def test_whatever_breaks_after_sending_leaves_doubt(behaviour) -> None:
    with raw_server(behaviour) as server, _line() as line:
        failure = _fail(line, _request(server.base_url))
        assert failure.may_have_left
        assert server.connections == 1, "nothing is ever sent twice"


def test_a_server_that_closes_at_once_leaves_doubt_unless_nothing_was_written() -> None:
    with raw_server(closes_at_once) as server, _line() as line:
        failure = _fail(line, _request(server.base_url))
        assert failure.may_have_left
        assert server.connections == 1


def test_a_stalled_server_leaves_doubt() -> None:
    with raw_server(stalls) as server, _line(timeout_seconds=0.2) as line:
        failure = _fail(line, _request(server.base_url))
        assert failure.may_have_left
        assert "ReadTimeout" in failure.reason
        assert server.received.count(b"POST ") == 1


def test_a_dripping_answer_is_cut_off() -> None:
    def drips(server: RawServer, link) -> None:
        server.read_request(link)
        link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not server.is_stopping.wait(0.005):
            link.sendall(b"x")

    # A read time-out alone would never strike here: every read brings a byte.
    with raw_server(drips) as server, _line(timeout_seconds=0.2) as line:
        line._longest = 0.1
        failure = _fail(line, _request(server.base_url))
        assert "took longer than" in failure.reason
        assert failure.exchanged.http_status == 200


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    with raw_server(answers("302 Found", "", "Location: /elsewhere")) as server, _line() as line:
        assert line.send(_request(server.base_url)).http_status == 302
        assert b"elsewhere" not in server.received


def test_cookies_and_proxies_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{refused_port()}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{refused_port()}")
    with raw_server(answers("200 OK", "{}", "Set-Cookie: a=b")) as server, _line() as line:
        line.send(_request(server.base_url))
        line.send(_request(server.base_url))
        assert b"ookie" not in server.received


def test_the_connection_is_kept_and_known_to_be_warm() -> None:
    with raw_server(answers("200 OK", "{}")) as server, _line() as line:
        assert line.is_cold
        line.send(_request(server.base_url))
        assert not line.is_cold
        line.send(_request(server.base_url))
        assert server.connections == 1


def _interrupting(error: type[BaseException]):
    """A server that lets the process be interrupted once it holds the request."""

    def behave(server: RawServer, link) -> None:
        server.read_request(link)
        os.kill(os.getpid(), signal.SIGUSR1)
        server.is_stopping.wait(5)

    def on_signal(_number: int, _frame: object) -> None:
        raise error

    return behave, on_signal


@pytest.mark.parametrize(("error", "expected"), [(SystemExit, SystemExit), (TimeoutError, WireFailure)])
def test_an_interruption_after_sending(error: type[BaseException], expected: type[BaseException]) -> None:
    """An exception such as a worker's time limit becomes doubt; a process told to exit exits."""
    behave, on_signal = _interrupting(error)
    before = signal.signal(signal.SIGUSR1, on_signal)
    try:
        with raw_server(behave) as server, _line() as line, pytest.raises(expected) as caught:
            line.send(_request(server.base_url))
    finally:
        signal.signal(signal.SIGUSR1, before)
    if isinstance(caught.value, WireFailure):
        assert caught.value.may_have_left


def test_what_is_kept_of_an_answer_is_redacted_and_short() -> None:
    body = '{"msg":"' + SECRET + '","signature":"abc"}' + " " * 200_000
    with raw_server(answers("400 Bad Request", body)) as server, _line() as line:
        kept = line.send(_request(server.base_url)).exchanged
    assert SECRET not in kept.answer
    assert "abc" not in kept.answer
    assert len(kept.answer) == 64 * 1024
    assert kept.path == "/api/v3/order?symbol=X"


def test_nothing_secret_shows_in_reprs_exceptions_or_logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="httpcore")
    with raw_server(closes_after_reading) as server, _line() as line:
        headers = {"X-MEXC-APIKEY": SECRET}
        request = _request(server.base_url, headers=headers)
        failure = _fail(line, request)
        shown = f"{request!r}{failure!r}{failure}{failure.exchanged!r}{caplog.text}{failure.__cause__!r}"
        assert SECRET.encode() in server.received
    assert SECRET not in shown
    assert "abcdef" not in shown


def test_a_forked_child_gets_a_client_of_its_own() -> None:
    with raw_server(answers("200 OK", "{}")) as server, _line() as line:
        line.send(_request(server.base_url))
        parents = line._get_client()
        child = os.fork()
        if child == 0:
            os._exit(0 if line._get_client() is not parents else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
