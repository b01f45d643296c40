"""MexcStream: the private stream of one account at MEXC, as PrivateStream promises it.

Owns the listen key and the socket of one connection, and the order of steps: key, connect, subscribe to the three
private channels, wait until each is acknowledged. Afterwards it says PING every 15 seconds, extends the key every half
an hour, and trusts the connection until one of these: 40 seconds without a sign of life, an end, a text that complains,
a frame that cannot be read, a key that is not extended, or 23 hours, because the venue ends it after 24.

The reading thread does everything; `close` from another one cuts the socket, which ends a read under way at once, and
gives the key back. Requests and steps have time limits of their own, so that no host that hangs holds the thread for
more than about ten seconds. No key is in any text that leaves this module.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from trading.domain.errors import (
    MalformedAnswer,
    VenueError,
    VenueRefused,
    VenueThrottled,
    VenueUnavailable,
)

from ..base import Connection, Observer
from ..limiter import Limiter
from ..streams import StreamEvent, StreamLost
from ..websocket import SocketLost, StreamSocket
from .classify import retry_after_seconds
from .line import MexcLine
from .listen_key import ListenKey
from .stream_events import CHANNELS, parse_frame
from .stream_talk import PING, Said, read_text_frame, subscribe

PING_SECONDS = 15.0
SILENCE_SECONDS = 40.0
RENEWAL_SECONDS = 23 * 3600.0
_REQUEST_SECONDS = 3.0
_CONNECT_SECONDS = 4.0
_ACKNOWLEDGE_SECONDS = 3.0
_LONGEST_WAIT_SECONDS = 1.0  # so often at least is looked at what is due


class MexcStream:
    """See PrivateStream for what each method promises."""

    def __init__(
        self,
        connection: Connection,
        address: str,
        limiter: Limiter,
        observer: Observer,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._address = address
        self._now = now
        patience = min(connection.timeout_seconds, _REQUEST_SECONDS)
        self._line = MexcLine(replace(connection, timeout_seconds=patience), limiter, observer)
        self._lock, self._farewell = threading.Lock(), threading.Lock()
        self._is_closed = False
        self._key: ListenKey | None = None
        self._socket: StreamSocket | None = None
        self._waiting: deque[StreamEvent] = deque()  # frames that came between the acknowledgements
        self._opened_at = self._pinged_at = 0.0
        self._heard_at: float | None = None

    @property
    def heard_at(self) -> float | None:
        return self._heard_at

    # -- opening and closing -----------------------------------------------------------------------------------
    def open(self) -> None:
        is_open = False
        try:
            key = ListenKey(self._line, self._now)
            socket = self._keep(key, StreamSocket())
            self._connect(socket, key)
            self._opened_at = self._pinged_at = self._heard_at = self._now()
            self._subscribe(socket)
            is_open = True
        finally:
            if not is_open:
                self.close()
                with self._farewell:
                    self._line.http.close()

    def _keep(self, key: ListenKey, socket: StreamSocket) -> StreamSocket:
        """From here on `close` takes care of both."""
        with self._lock:
            self._key, self._socket = key, socket
            if self._is_closed:
                raise StreamLost("It was closed before it was open.")
        return socket

    def _connect(self, socket: StreamSocket, key: ListenKey) -> None:
        try:
            socket.open(key.join_to(self._address), _CONNECT_SECONDS)
        except SocketLost as lost:
            raise self._explain(lost) from None

    def _explain(self, lost: SocketLost) -> VenueError:
        text = f"The stream cannot be opened: {self._line.redact(lost.reason)}."
        status = lost.http_status
        if status in (418, 429):
            pause = retry_after_seconds(status, lost.retry_after)
            return VenueThrottled(text, retry_after_seconds=pause)
        if 400 <= status < 500:
            return VenueRefused(text, http_status=status)
        return VenueUnavailable(text)

    def _subscribe(self, socket: StreamSocket) -> None:
        missing = set(CHANNELS)
        until = time.monotonic() + _ACKNOWLEDGE_SECONDS
        self._send(socket, subscribe(CHANNELS))
        while missing:
            left = until - time.monotonic()
            if left <= 0:
                raise StreamLost(f"Not acknowledged in time: {', '.join(sorted(missing))}.")
            said = self._receive(socket, left)
            if isinstance(said, StreamEvent):
                self._waiting.append(said)
            elif said is not None:
                missing -= set(said.granted)

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            socket, self._socket = self._socket, None
            key, self._key = self._key, None
        if socket is not None:
            socket.cut()
        # Whoever took the key sends its last request; nobody else closes the line under it.
        if key is not None:
            with self._farewell:
                # Broad: closing never raises, and the key dies by itself within the hour.
                with suppress(Exception):
                    key.give_back()
                self._line.http.close()

    # -- reading -----------------------------------------------------------------------------------------------
    def read(self, timeout_seconds: float) -> StreamEvent | None:
        until = time.monotonic() + timeout_seconds
        while not self._waiting:
            left = until - time.monotonic()
            socket, key = self._socket, self._key
            if socket is None or key is None:
                raise StreamLost("It is not open.")
            self._keep_alive(socket, key)
            said = self._receive(socket, max(0.0, min(left, _LONGEST_WAIT_SECONDS)))
            if isinstance(said, StreamEvent):
                return said
            if said is None:
                self._check_silence()
            if left <= 0:
                return None
        return self._waiting.popleft()

    def _keep_alive(self, socket: StreamSocket, key: ListenKey) -> None:
        now = self._now()
        if now - self._opened_at >= RENEWAL_SECONDS:
            raise StreamLost("Renewal: the venue ends every connection after a day.")
        if now - self._pinged_at >= PING_SECONDS:
            self._pinged_at = now
            self._send(socket, PING)
        try:
            key.extend_if_due()
        except VenueError as error:
            raise StreamLost(f"The listen key was not extended: {error.message}") from None

    def _check_silence(self) -> None:
        silent = self._now() - (self._heard_at or 0.0)
        if silent > SILENCE_SECONDS:
            raise StreamLost(f"Silent: nothing was heard for {silent:.0f} s, not even an answer to a PING.")

    def _receive(self, socket: StreamSocket, seconds: float) -> StreamEvent | Said | None:
        """What came, if anything did: an event, or a text that is no complaint (also for frames of other channels)."""
        try:
            message = socket.receive(seconds)
        except SocketLost as lost:
            raise StreamLost(f"The connection is lost: {self._line.redact(lost.reason)}.") from None
        if message is None:
            return None
        self._heard_at = self._now()
        if isinstance(message, str):
            said = read_text_frame(message, CHANNELS)
            if said.trouble:
                raise StreamLost(f"The venue said: {self._line.redact(said.trouble)}")
            return said
        try:
            return parse_frame(message) or Said()
        except MalformedAnswer as error:
            raise StreamLost(f"A frame cannot be read: {error.message}") from None

    def _send(self, socket: StreamSocket, text: str) -> None:
        try:
            socket.send(text)
        except SocketLost as lost:
            raise StreamLost(f"The connection is lost: {self._line.redact(lost.reason)}.") from None
