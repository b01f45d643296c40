"""Whatever bytes a host sends, in the handshake or after it, the socket gives messages or says that it is lost."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from trading.exchanges.websocket import SocketLost, StreamSocket

ADDRESS = parse_uri("ws://127.0.0.1:1/ws")
OPCODES = [Opcode.TEXT, Opcode.BINARY, Opcode.CONT, Opcode.PING, Opcode.PONG, Opcode.CLOSE]


@contextmanager
def sent_by_the_host(data: bytes, state: State) -> Iterator[StreamSocket]:
    """A socket whose other end has sent these bytes and nothing more."""
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.sendall(data)
        theirs.shutdown(socket.SHUT_WR)
        line = StreamSocket()
        line._socket = ours
        line._protocol = ClientProtocol(ADDRESS, state=state, max_size=1000)
        try:
            yield line
        finally:
            line.cut()


def is_lost(act: Callable[[], object]) -> bool:
    try:
        act()
    except SocketLost as lost:
        assert lost.reason
        return True
    return False


def read_to_the_end(line: StreamSocket) -> list[str | bytes]:
    """Every message, and then lost for good."""
    found: list[str | bytes] = []
    while not is_lost(lambda: found.append(line.receive(1) or b"")):
        pass
    assert is_lost(lambda: line.receive(1)) and is_lost(lambda: line.send("x"))
    return found


@given(st.binary(max_size=300))
def test_no_bytes_after_the_handshake_crash_it(data: bytes) -> None:
    with sent_by_the_host(data, State.OPEN) as line:
        read_to_the_end(line)


@given(st.lists(st.tuples(st.sampled_from(OPCODES), st.binary(max_size=125), st.booleans()), max_size=6))
def test_no_sequence_of_frames_crashes_it(frames: list[tuple[Opcode, bytes, bool]]) -> None:
    """Written by hand, because the library writes only legal ones."""
    data = b"".join(bytes([opcode | fin << 7, len(text)]) + text for opcode, text, fin in frames)
    with sent_by_the_host(data, State.OPEN) as line:
        assert len(read_to_the_end(line)) <= len(frames)


@given(
    st.one_of(
        st.binary(max_size=300), st.binary(max_size=300).map(lambda more: b"HTTP/1.1 101 Yes\r\n" + more)
    )
)
def test_no_answer_but_the_right_one_opens_it(data: bytes) -> None:
    with sent_by_the_host(data, State.CONNECTING) as line:
        protocol = line._protocol
        assert protocol is not None
        assert is_lost(lambda: line._shake_hands(protocol, time.monotonic() + 60))
