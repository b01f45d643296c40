"""One WebSocket on a connection that the HTTP server has handed over; the protocol is websockets' sans-I/O part.

This module owns the transport from the upgrade on. It can also be told to fall silent: the socket stays open and is
read, but nothing leaves any more, not even what the protocol itself would answer.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from websockets.datastructures import Headers
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from simulator.http.messages import HttpRequest

MAX_MESSAGE = 1 << 16
MOST_UNREAD = 4 << 20
CLOSE_SECONDS = 5


class StreamSession(Protocol):
    """Who talks on a WebSocket. `ended` comes once, whoever ended it."""

    def opened(self, line: WebSocketLine) -> None: ...
    def heard(self, text: str) -> None: ...
    def ponged(self, payload: bytes) -> None: ...
    def ended(self, reason: str) -> None: ...


class WebSocketLine:
    def __init__(self, transport: asyncio.Transport, session: StreamSession) -> None:
        self._transport, self._session = transport, session
        self._protocol = ServerProtocol(max_size=MAX_MESSAGE)
        self._pieces: list[bytes] = []
        self._closing: asyncio.TimerHandle | None = None
        self._silent_until = 0.0

    def open(self, request: HttpRequest, pending: bytes) -> None:
        """Answer the upgrade request; `pending` is what came after it already."""
        target = f"{request.path}?{request.query}"
        head = Request(target, Headers(request.headers), method=request.method)
        self._protocol.receive_data(head.serialize())
        (received,) = self._protocol.events_received()
        assert isinstance(received, Request)
        self._protocol.send_response(self._protocol.accept(received))
        is_open = self._protocol.state is State.OPEN
        self._write_out()
        if is_open:
            self._session.opened(self)
            if pending:
                self.receive(pending)

    # -- from the socket -------------------------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._take(event)
        self._write_out()
        if self._protocol.close_expected():
            is_asked = self._protocol.close_rcvd is not None
            self._session.ended("closed by the client" if is_asked else "the client broke the protocol")
            self._abort_later()

    def _take(self, frame: Frame) -> None:
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            self._pieces.append(bytes(frame.data))
            if frame.fin:
                text = b"".join(self._pieces).decode("utf-8", errors="replace")
                self._pieces.clear()
                self._session.heard(text)
        elif frame.opcode is Opcode.PONG:
            self._session.ponged(bytes(frame.data))

    def lost(self) -> None:
        """The socket is gone."""
        if self._closing is not None:
            self._closing.cancel()
        self._session.ended("connection lost")

    # -- to the socket ---------------------------------------------------------------------------------------------

    def send_text(self, text: str) -> None:
        if self._protocol.state is State.OPEN:
            self._protocol.send_text(text.encode())
            self._write_out()

    def send_binary(self, data: bytes) -> None:
        if self._protocol.state is State.OPEN:
            self._protocol.send_binary(data)
            self._write_out()

    def ping(self, payload: bytes) -> None:
        if self._protocol.state is State.OPEN:
            self._protocol.send_ping(payload)
            self._write_out()

    def close(self, code: int, reason: str) -> None:
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(code, reason)
            self._write_out()
            self._abort_later()

    def abort(self) -> None:
        """Cut the connection without a word."""
        self._transport.abort()

    def fall_silent(self, seconds: float) -> None:
        self._silent_until = time.monotonic() + seconds

    def find_silence(self) -> float:
        """Seconds until something may leave again; 0 if it may."""
        return max(0.0, self._silent_until - time.monotonic()) if self._silent_until else 0.0

    def _write_out(self) -> None:
        for piece in self._protocol.data_to_send():
            if self.find_silence():
                continue
            if piece:
                self._transport.write(piece)
            else:
                self._transport.close()
        if self._transport.get_write_buffer_size() > MOST_UNREAD:
            self._session.ended("the client does not read")
            self.abort()

    def _abort_later(self) -> None:
        """A client that does not finish the closing handshake is cut off."""
        if self._closing is None and not self.find_silence():
            self._closing = asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._transport.abort)
