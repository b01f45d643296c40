"""The WebSocket out keeps to its bounds, whatever the other end does, and can be cut at any time."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import socket

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from websockets.frames import CloseCode
from websockets.sync.server import ServerConnection

from tests.exchanges.raw_server import RawServer, answers, closes_at_once, raw_server, refused_port, stalls
from tests.exchanges.stream_server import Talk, talking, wait_for_end
from trading.exchanges.websocket import MAX_MESSAGE_BYTES, SocketLost, StreamSocket

PATIENCE = 20.0


@contextmanager
def opened(talk: Talk) -> Iterator[StreamSocket]:
    with talking(talk) as server:
        line = StreamSocket()
        try:
            line.open(server.url, PATIENCE)
            yield line
        finally:
            line.cut()


def lost(act: Callable[[], object]) -> str:
    with pytest.raises(SocketLost) as caught:
        act()
    return caught.value.reason


def fails_to_open(url: str, seconds: float = PATIENCE) -> SocketLost:
    line = StreamSocket()
    try:
        with pytest.raises(SocketLost) as caught:
            line.open(url, seconds)
    finally:
        line.cut()
    return caught.value


def as_ws(server: RawServer) -> str:
    return f"ws://127.0.0.1:{server.port}/ws?listenKey=canary"


def test_messages_come_whole_and_in_their_kind() -> None:
    def talk(link: ServerConnection) -> None:
        link.send("one")
        link.send([b"t", b"w", b"o"])
        link.send(link.recv())
        wait_for_end(link)

    with opened(talk) as line:
        line.send("three")
        assert [line.receive(PATIENCE) for _ in range(3)] == ["one", b"two", "three"]
        assert line.receive(0) is None


def test_what_came_before_the_end_is_still_given_out() -> None:
    def talk(link: ServerConnection) -> None:
        link.send("Invalid listen key")
        link.close(CloseCode.POLICY_VIOLATION, "go away")

    with opened(talk) as line:
        assert line.receive(PATIENCE) == "Invalid listen key"
        assert lost(lambda: line.receive(PATIENCE)) == "the venue closed it with code 1008 go away"
        assert "1008" in lost(lambda: line.send("hello"))


@pytest.mark.parametrize("pieces", [[b"x" * 3_000_000], [b"x" * 40_000, b"x" * 40_000]])
def test_a_message_that_is_too_large_ends_the_connection(pieces: list[bytes]) -> None:
    with opened(lambda link: (link.send(pieces), wait_for_end(link))[1]) as line:
        reason = lost(lambda: [line.receive(PATIENCE) for _ in range(2)])
    assert reason == f"a message is larger than {MAX_MESSAGE_BYTES} bytes"


def test_pings_of_the_venue_are_answered_while_it_is_read() -> None:
    def talk(link: ServerConnection) -> None:
        answered = link.ping("are you there")
        link.send("answered" if answered.wait(PATIENCE) else "silent")

    with opened(talk) as line:
        assert line.receive(PATIENCE) == "answered"


def test_a_cut_from_another_thread_ends_a_read_at_once() -> None:
    reasons: list[str] = []
    with opened(wait_for_end) as line:
        reader = threading.Thread(target=lambda: reasons.append(lost(lambda: line.receive(3600))))
        reader.start()
        while not line._in_use.locked():
            pass
        line.cut()
        reader.join(PATIENCE)
        assert not reader.is_alive()
        line.cut()
    assert reasons == ["closed by ourselves"]


def test_a_cut_ends_a_handshake_under_way() -> None:
    reasons: list[str] = []
    line = StreamSocket()
    arrived = threading.Event()

    def stall(server: RawServer, link: socket) -> None:
        server.read_request(link)
        arrived.set()
        link.recv(1)

    with raw_server(stall) as server:
        opener = threading.Thread(target=lambda: reasons.append(lost(lambda: line.open(as_ws(server), 3600))))
        opener.start()
        assert arrived.wait(PATIENCE)
        line.cut()
        opener.join(PATIENCE)
        assert not opener.is_alive()
    assert reasons


def test_a_socket_that_was_cut_is_not_opened() -> None:
    with talking(wait_for_end) as server:
        line = StreamSocket()
        line.cut()
        assert lost(lambda: line.open(server.url, PATIENCE)) == "closed by ourselves"
        assert server.paths == []
        line.cut()


@pytest.mark.parametrize(
    "piece", [b"", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: ", b"x"], ids=["silent", "half", "endless"]
)
def test_a_host_that_hangs_does_not_hold_the_thread(piece: bytes) -> None:
    def drip(server: RawServer, link: socket) -> None:
        server.read_request(link)
        while piece and not server.is_stopping.wait(0.02):
            link.sendall(piece)
        stalls(server, link)

    with raw_server(drip) as server:
        assert fails_to_open(as_ws(server), 0.3).reason in (
            "the host took too long",
            "the handshake failed (InvalidMessage)",
        )


def test_bytes_that_come_one_by_one_do_not_extend_a_read() -> None:
    def talk(link: ServerConnection) -> None:
        link.socket.sendall(b"\x82\x7e\xff\x00")  # the head of a message of 65,280 bytes
        while not link.recv_events_thread.join(0.02) and link.recv_events_thread.is_alive():
            link.socket.sendall(b"x")

    with opened(talk) as line:
        assert line.receive(0.3) is None


def test_a_host_that_is_not_there_is_said_to_be_so() -> None:
    assert "refused" in fails_to_open(f"ws://127.0.0.1:{refused_port()}/ws").reason.lower()
    with raw_server(closes_at_once) as server:
        assert fails_to_open(as_ws(server)).http_status == 0


@pytest.mark.parametrize("status", [302, 401, 429, 503])
def test_a_refused_handshake_tells_its_status_and_is_not_followed_anywhere(status: int) -> None:
    with raw_server(answers(f"{status} No", "{}", "Location: ws://127.0.0.1:1/", "Retry-After: 7")) as server:
        refusal = fails_to_open(as_ws(server))
    assert (refusal.http_status, refusal.retry_after) == (status, "7")
    assert "canary" not in refusal.reason
    assert server.connections == 1


def test_a_host_that_breaks_the_protocol_is_left() -> None:
    with opened(lambda link: link.socket.sendall(b"\xff\xff")) as line:
        assert "broke the protocol" in lost(lambda: [line.receive(PATIENCE) for _ in range(2)])


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "ws_proxy", "wss_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{refused_port()}")
    with opened(lambda link: link.send("direct")) as line:
        assert line.receive(PATIENCE) == "direct"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A key and its certificate for 127.0.0.1, signed by nobody who is trusted."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pair = tmp_path / "pair.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pair.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return pair


@pytest.fixture
def server_side(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_certificate_nobody_vouches_for_gets_no_listen_key(server_side: ssl.SSLContext) -> None:
    with talking(wait_for_end, ssl=server_side) as server:
        assert "certificate is not trusted" in fails_to_open(f"{server.url}?listenKey=canary").reason
        assert server.paths == []


def test_a_trusted_certificate_is_good_for_its_own_host_only(
    server_side: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusting = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr("trading.exchanges.websocket.shared_ssl_context", lambda: trusting)
    with talking(lambda link: [link.send(part) for part in link], ssl=server_side) as server:
        other = server.url.replace("127.0.0.1", "localhost")
        assert "certificate is not trusted" in fails_to_open(other).reason
        line = StreamSocket()
        line.open(server.url, PATIENCE)
        line.send("x" * 60_000)
        assert line.receive(PATIENCE) == "x" * 60_000
        reader = threading.Thread(target=lambda: lost(lambda: line.receive(3600)))
        reader.start()
        line.cut()
        reader.join(PATIENCE)
        assert not reader.is_alive()
