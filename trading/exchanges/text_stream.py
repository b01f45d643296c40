"""A private stream that is JSON text over one socket: what venues without listen keys do alike.

Owns the socket of one connection, and the order of steps: connect, say each greeting, wait until what it asks for is
granted. Afterwards it pings where the venue wants to be pinged, and trusts the connection until one of these: a time
without a sign of life, an end, a text that complains, a text that cannot be read, or an age at which the venue ends it.
The reading thread does everything; `close` from another one cuts the socket, which ends a read under way at once. Each
step has a time limit of its own. A venue adds its greetings and what its texts mean; no key is in any text that leaves.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from trading.domain.errors import MalformedAnswer, VenueError, VenueRefused, VenueThrottled, VenueUnavailable

from .line import VenueLine
from .streams import StreamEvent, StreamLost
from .websocket import SocketLost, StreamSocket

REQUEST_SECONDS = 3.0  # the longest that a request may take which a stream needs before it opens
_CONNECT_SECONDS = 4.0
_GRANT_SECONDS = 3.0
_LONGEST_WAIT_SECONDS = 1.0  # so often at least is looked at what is due


@dataclass(frozen=True, slots=True)
class Heard:
    """One text: what happened, what was granted, or what the venue complained of; none of them: a sign of life."""

    events: tuple[StreamEvent, ...] = ()
    granted: str = ""
    trouble: str = ""


class TextStream:
    """See PrivateStream for what each method promises."""

    ping_text = ""  # for venues that want to be pinged
    ping_seconds = 20.0
    silence_seconds = 45.0
    renewal_seconds: float | None = None
    closed_statuses = frozenset({403, 418, 429})  # a handshake refused so is not tried again for a while
    closed_seconds = 300.0

    def __init__(self, line: VenueLine, address: str, now: Callable[[], float] = time.monotonic) -> None:
        self._line = line
        self._address = address
        self._now = now
        self._lock = threading.Lock()
        self._is_closed = False
        self._socket: StreamSocket | None = None
        self._waiting: deque[StreamEvent] = deque()
        self._opened_at = self._pinged_at = 0.0
        self._heard_at: float | None = None

    # -- what a venue adds -------------------------------------------------------------------------------------
    def greetings(self) -> Iterable[tuple[str, str]]:
        """Texts to say after connecting, in order, each with the word that grants it. May ask the venue's time."""
        raise NotImplementedError

    def understand(self, text: str) -> Heard:
        """Raises MalformedAnswer for a text that cannot be trusted."""
        raise NotImplementedError

    # -- opening and closing -----------------------------------------------------------------------------------
    @property
    def heard_at(self) -> float | None:
        return self._heard_at

    def open(self) -> None:
        is_open = False
        try:
            greetings = list(self.greetings())
            socket = self._keep(StreamSocket())
            self._connect(socket)
            self._opened_at = self._pinged_at = self._heard_at = self._now()
            for text, word in greetings:
                self._send(socket, text)
                self._wait_for(socket, word)
            is_open = True
        finally:
            if not is_open:
                self.close()

    def _keep(self, socket: StreamSocket) -> StreamSocket:
        """From here on `close` takes care of it."""
        with self._lock:
            self._socket = socket
            if self._is_closed:
                raise StreamLost("It was closed before it was open.")
        return socket

    def _connect(self, socket: StreamSocket) -> None:
        try:
            socket.open(self._address, _CONNECT_SECONDS)
        except SocketLost as lost:
            raise self._explain(lost) from None

    def _explain(self, lost: SocketLost) -> VenueError:
        text = f"The stream cannot be opened: {self._line.redact(lost.reason)}."
        if lost.http_status in self.closed_statuses:
            return VenueThrottled(text, retry_after_seconds=self.closed_seconds)
        if 400 <= lost.http_status < 500:
            return VenueRefused(text, http_status=lost.http_status)
        return VenueUnavailable(text)

    def _wait_for(self, socket: StreamSocket, word: str) -> None:
        until = time.monotonic() + _GRANT_SECONDS
        while True:
            left = until - time.monotonic()
            if left <= 0:
                raise StreamLost(f"Not granted in time: {word}.")
            heard = self._receive(socket, left)
            if heard is None:
                continue
            self._waiting += heard.events
            if heard.granted == word:
                return

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            socket, self._socket = self._socket, None
        if socket is not None:
            socket.cut()
        self._line.http.close()

    # -- reading -----------------------------------------------------------------------------------------------
    def read(self, timeout_seconds: float) -> StreamEvent | None:
        until = time.monotonic() + timeout_seconds
        while not self._waiting:
            left = until - time.monotonic()
            socket = self._socket
            if socket is None:
                raise StreamLost("It is not open.")
            self._keep_alive(socket)
            heard = self._receive(socket, max(0.0, min(left, _LONGEST_WAIT_SECONDS)))
            if heard is None:
                self._check_silence()
            else:
                self._waiting += heard.events
            if left <= 0 and not self._waiting:
                return None
        return self._waiting.popleft()

    def _keep_alive(self, socket: StreamSocket) -> None:
        now = self._now()
        if self.renewal_seconds is not None and now - self._opened_at >= self.renewal_seconds:
            raise StreamLost("Renewal: the venue ends every connection after a while.")
        if self.ping_text and now - self._pinged_at >= self.ping_seconds:
            self._pinged_at = now
            self._send(socket, self.ping_text)

    def _check_silence(self) -> None:
        silent = self._now() - (self._heard_at or 0.0)
        if silent > self.silence_seconds:
            raise StreamLost(f"Silent: nothing was heard for {silent:.0f} s, not even a sign of life.")

    def _receive(self, socket: StreamSocket, seconds: float) -> Heard | None:
        try:
            message = socket.receive(seconds)
        except SocketLost as lost:
            raise StreamLost(f"The connection is lost: {self._line.redact(lost.reason)}.") from None
        if message is None:
            return None
        self._heard_at = self._now()
        if not isinstance(message, str):
            raise StreamLost("A frame cannot be read: it is binary.")
        try:
            heard = self.understand(message)
        except MalformedAnswer as error:
            raise StreamLost(f"A frame cannot be read: {self._line.redact(error.message)}") from None
        if heard.trouble:
            raise StreamLost(f"The venue said: {self._line.redact(heard.trouble)}")
        return heard

    def _send(self, socket: StreamSocket, text: str) -> None:
        try:
            socket.send(text)
        except SocketLost as lost:
            raise StreamLost(f"The connection is lost: {self._line.redact(lost.reason)}.") from None
