"""The one WebSocket out: connects, shakes hands, sends texts, receives whole messages, and can be cut at any time.

It stands beside `http` and keeps its rules: no redirects, no proxies from the environment, no cookies, no compression
(so the size cap holds for what is unpacked), TLS verified with the same roots, a time limit on every step. Everything
is done by the calling thread over a plain socket, with the protocol's own part of the library and none of its threads:
what a host does, or leaves undone, cannot hold a call for longer than it was given. Only looking up the host's name has
the resolver's own limit.

`cut` may be called from any thread: it shuts the socket down, which ends a `receive`, a `send` or a handshake under way
at once, and there is no closing handshake whose answer would have to be waited for. Never logs, and neither an address
nor a key gets into an exception.
"""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from collections import deque
from contextlib import suppress

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus, PayloadTooBig
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from .http import USER_AGENT, shared_ssl_context

# Far more than any message of a private stream has; a larger one is not what we subscribed to.
MAX_MESSAGE_BYTES = 64 * 1024
_CONNECT_SECONDS = 3.0
_SEND_SECONDS = 2.0
_CUT_SECONDS = 1.0
_CHUNK = 64 * 1024
_SHORTEST_WAIT = 0.001  # a socket with no time at all would be one that does not block
_DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)
# The library would log the address with its key at DEBUG. Not registered anywhere, so no configuration reaches it.
_SILENT = logging.Logger("websocket")
_SILENT.disabled = True


class SocketLost(Exception):
    """The connection could not be had or is gone; the text says why. `http_status`: the handshake was refused so."""

    def __init__(self, reason: str, *, http_status: int = 0, retry_after: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.http_status = http_status
        self.retry_after = retry_after


class StreamSocket:
    """One WebSocket, used once, by one thread; only `cut` is for all."""

    def __init__(self, max_message_bytes: int = MAX_MESSAGE_BYTES) -> None:
        self._max = max_message_bytes
        self._protocol: ClientProtocol | None = None
        self._socket: socket.socket | None = None
        self._in_use = threading.Lock()
        self._is_cut = False
        self._pieces: list[bytes] = []
        self._is_text = False
        self._messages: deque[str | bytes] = deque()

    # -- opening -----------------------------------------------------------------------------------------------
    def open(self, url: str, seconds: float) -> None:
        """Connect and shake hands within that time. Raises SocketLost."""
        until = time.monotonic() + seconds
        address = parse_uri(url)
        with self._in_use:
            try:
                self._connect(address.host, address.port, until)
                if address.secure:
                    self._begin_tls(address.host, until)
                self._protocol = ClientProtocol(address, max_size=self._max, logger=_SILENT)
                self._shake_hands(self._protocol, until)
            except ssl.SSLCertVerificationError as error:
                raise SocketLost(f"the host's certificate is not trusted: {error.verify_message}") from None
            except OSError as error:
                raise self._lost(error) from None

    def _connect(self, host: str, port: int, until: float) -> None:
        trouble: OSError = OSError("the host has no address")
        for family, kind, number, _name, where in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            self._socket = socket.socket(family, kind, number)
            try:
                self._limit(min(until, time.monotonic() + _CONNECT_SECONDS))
                self._socket.connect(where)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return
            except OSError as error:
                self._socket.close()
                trouble = error
        raise trouble

    def _begin_tls(self, host: str, until: float) -> None:
        assert self._socket is not None
        context = shared_ssl_context()
        wrapped = context.wrap_socket(self._socket, server_hostname=host, do_handshake_on_connect=False)
        self._socket = wrapped
        self._limit(until)
        wrapped.do_handshake()

    def _shake_hands(self, protocol: ClientProtocol, until: float) -> None:
        request = protocol.connect()
        request.headers["User-Agent"] = USER_AGENT
        protocol.send_request(request)
        self._write_out(protocol)
        while protocol.state is State.CONNECTING and protocol.handshake_exc is None:
            if not self._receive_some(protocol, until) or time.monotonic() > until:
                raise TimeoutError
        refusal = protocol.handshake_exc
        if isinstance(refusal, InvalidStatus):
            response = refusal.response
            status, pause = response.status_code, response.headers.get("Retry-After", "")
            raise SocketLost(f"the handshake got HTTP {status}", http_status=status, retry_after=pause)
        if refusal is not None:
            raise SocketLost(f"the handshake failed ({type(refusal).__name__})")

    # -- talking -----------------------------------------------------------------------------------------------
    def send(self, text: str) -> None:
        """Raises SocketLost."""
        with self._in_use:
            protocol = self._open_protocol()
            try:
                protocol.send_text(text.encode())
                self._write_out(protocol)
            except OSError as error:
                raise self._lost(error) from None

    def receive(self, seconds: float) -> str | bytes | None:
        """The next message, or None when none was complete in time. What came before the end is still given out."""
        until = time.monotonic() + seconds
        with self._in_use:
            while not self._messages:
                protocol = self._open_protocol()
                try:
                    came = self._receive_some(protocol, until)
                except OSError as error:
                    raise self._lost(error) from None
                # Bytes that come one by one do not extend the time.
                if not self._messages and not (came and time.monotonic() < until):
                    return None
            return self._messages.popleft()

    def cut(self) -> None:
        """End it now, from any thread, as often as one likes. Never raises."""
        self._is_cut = True
        found = self._socket
        if found is None:
            return
        with suppress(OSError):
            # The plain socket's: that of TLS would take its state away from under a thread that reads.
            socket.socket.shutdown(found, socket.SHUT_RDWR)
        if self._in_use.acquire(timeout=_CUT_SECONDS):
            try:
                found.close()
            finally:
                self._in_use.release()

    # -- steps -------------------------------------------------------------------------------------------------
    def _open_protocol(self) -> ClientProtocol:
        protocol = self._protocol
        if self._is_cut or protocol is None:
            raise SocketLost("closed by ourselves")
        if protocol.state is not State.OPEN:
            raise SocketLost(self._why_ended(protocol))
        return protocol

    def _why_ended(self, protocol: ClientProtocol) -> str:
        said = protocol.close_rcvd
        if said is not None:
            return f"the venue closed it with code {said.code} {said.reason[:100]}".rstrip()
        if isinstance(protocol.parser_exc, PayloadTooBig):
            return f"a message is larger than {self._max} bytes"
        if isinstance(protocol.parser_exc, EOFError):
            return "the venue ended the connection without a word"
        return f"the venue broke the protocol of WebSockets ({type(protocol.parser_exc).__name__})"

    def _receive_some(self, protocol: ClientProtocol, until: float) -> bool:
        """Take in what the socket has, with a look at least; False when nothing came in time."""
        assert self._socket is not None
        self._limit(until)
        try:
            data = self._socket.recv(_CHUNK)
        except TimeoutError:
            return False
        if data:
            protocol.receive_data(data)
        else:
            protocol.receive_eof()
        for event in protocol.events_received():
            if isinstance(event, Frame):
                self._take(event)
        if protocol.state is State.OPEN:
            self._write_out(protocol)  # answers to pings
        return True

    def _take(self, frame: Frame) -> None:
        if frame.opcode not in _DATA:
            return
        if frame.opcode is not Opcode.CONT:
            self._is_text = frame.opcode is Opcode.TEXT
        self._pieces.append(bytes(frame.data))
        if frame.fin:
            whole = b"".join(self._pieces)
            self._pieces.clear()
            # What is no UTF-8 stays readable enough to be shown and to be refused.
            self._messages.append(whole.decode("utf-8", "replace") if self._is_text else whole)

    def _write_out(self, protocol: ClientProtocol) -> None:
        data = b"".join(protocol.data_to_send())
        if data and self._socket is not None:
            self._socket.settimeout(_SEND_SECONDS)
            self._socket.sendall(data)

    def _limit(self, until: float) -> None:
        """The time for the next step of the socket."""
        if self._is_cut:
            raise SocketLost("closed by ourselves")
        assert self._socket is not None
        self._socket.settimeout(max(until - time.monotonic(), _SHORTEST_WAIT))

    def _lost(self, error: OSError) -> SocketLost:
        if self._is_cut:
            return SocketLost("closed by ourselves")
        if isinstance(error, TimeoutError):
            return SocketLost("the host took too long")
        return SocketLost(f"{type(error).__name__}: {error.strerror or 'no details'}")
