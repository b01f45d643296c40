"""The HTTP server on raw sockets: keep-alive, pieces, pipelines, broken requests, and how the program ends."""

from __future__ import annotations

import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from simulator.testing import PROJECT, SimulatedVenue, start_venue
from tests.simulator.mexc_client import SignedClient

PING = b"GET /mexc/api/v3/ping HTTP/1.1\r\nhost: venue\r\n\r\n"


def connect(venue: SimulatedVenue) -> socket.socket:
    return socket.create_connection(("127.0.0.1", venue.port), timeout=5)


def read_until(line: socket.socket, ending: bytes, times: int = 1) -> bytes:
    received = b""
    while received.count(ending) < times:
        piece = line.recv(65_536)
        if not piece:
            break
        received += piece
    return received


def test_a_connection_serves_many_requests(venue):
    with connect(venue) as line:
        for _ in range(3):
            line.sendall(PING)
            assert read_until(line, b"{}").startswith(b"HTTP/1.1 200")
    connections = {entry["connection"] for entry in venue.requests(path="/api/v3/ping")}
    assert len(connections) == 1


def test_a_request_may_arrive_in_pieces(venue):
    with connect(venue) as line:
        for byte in PING:
            line.sendall(bytes([byte]))
        assert read_until(line, b"{}").startswith(b"HTTP/1.1 200")


def test_pipelined_requests_are_answered_in_order(venue):
    with connect(venue) as line:
        line.sendall(PING * 3)
        assert read_until(line, b"\r\n\r\n{}", 3).count(b"HTTP/1.1 200") == 3


def test_a_request_whose_sender_went_away_is_processed_all_the_same(venue):
    venue.faults([{"match": {"path": "/api/v3/ping"}, "kind": "latency", "seconds": 0.05, "where": "in"}])
    with connect(venue) as line:
        line.sendall(PING)
        line.shutdown(socket.SHUT_WR)
        assert read_until(line, b"{}").startswith(b"HTTP/1.1 200")
    assert len(venue.requests(path="/api/v3/ping")) == 1


def test_what_is_not_http_is_refused_and_the_venue_lives(venue):
    with connect(venue) as line:
        line.sendall(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
        assert read_until(line, b"\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert venue.health()["ok"] is True


def test_a_body_above_a_mebibyte_is_refused(venue):
    with connect(venue) as line:
        line.sendall(
            b"POST /_sim/faults HTTP/1.1\r\nhost: venue\r\ncontent-length: 1100000\r\n\r\n" + b" " * 1_050_000
        )
        assert read_until(line, b"1 MiB").startswith(b"HTTP/1.1 413")


def test_an_expectation_is_met(venue):
    with connect(venue) as line:
        line.sendall(
            b"POST /_sim/faults HTTP/1.1\r\nhost: venue\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n"
        )
        assert read_until(line, b"\r\n\r\n").startswith(b"HTTP/1.1 100")
        line.sendall(b"[]")
        assert read_until(line, b"}").startswith(b"HTTP/1.1 200")


def test_a_stop_signal_ends_it_at_once_with_zero():
    venue = start_venue(tick_ms=0)
    with connect(venue) as line:  # an open connection does not hold it
        line.sendall(PING)
        read_until(line, b"{}")
        assert venue.stop() == 0


def test_a_taken_port_and_a_wrong_flag_are_explained(venue):
    def run(*flags: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "simulator", *flags]
        return subprocess.run(command, capture_output=True, text=True, cwd=PROJECT, timeout=20, check=False)

    taken = run("--port", str(venue.port))
    assert (taken.returncode, "already in use" in taken.stderr, "Traceback" in taken.stderr) == (
        1,
        True,
        False,
    )
    wrong = run("--limits", "many")
    assert (wrong.returncode, "--limits" in wrong.stderr) == (2, True)


def test_the_program_imports_neither_the_product_nor_django():
    count = "sum(name.split('.')[0] in {'django', 'trading', 'levi_site'} for name in sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-c", f"import sys, simulator.__main__; print({count})"],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        check=True,
    )
    assert shown.stdout.strip() == "0"


def test_it_stays_light_in_memory(venue):
    status = Path(f"/proc/{venue.process.pid}/status")
    if not status.exists():
        return  # the figure can be read on Linux only
    resident = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    assert int(resident.split()[1]) < 60_000  # kB, after the other tests' orders; 27 MB when fresh


def test_eight_clients_at_once_place_each_order_once(venue):
    def place_some(worker: int) -> list[int]:
        client = SignedClient(venue.base_url, venue.key, venue.secret)
        statuses = [
            client.place(
                type="MARKET", quoteOrderQty="10", newClientOrderId=f"w{worker}-{number}"
            ).status_code
            for number in range(15)
        ]
        client.close()
        return statuses

    with ThreadPoolExecutor(8) as pool:
        statuses = [status for batch in pool.map(place_some, range(8)) for status in batch]
    assert statuses == [200] * 120
    assert len({order["client_order_id"] for order in venue.orders()}) == len(venue.orders()) == 120
    assert venue.book_differences() == []
