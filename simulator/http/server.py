"""An asyncio HTTP/1.1 server on h11: one protocol object per connection, requests handled in order of arrival.

h11 parses and frames; this module owns the sockets, so it can do what frameworks cannot: close without an answer, cut
a body off in the middle, hold a request before or after it is processed. A request that is being held is processed
even if its client has gone away, because its bytes had already arrived. An upgrade that the dispatcher grants hands
the transport over to a WebSocket.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from typing import TYPE_CHECKING, Protocol

import h11

from simulator.http.messages import Arrival, Delivery, HttpAnswer, HttpRequest

if TYPE_CHECKING:
    from simulator.http.websocket import StreamSession, WebSocketLine

MAX_BODY = 1 << 20
KEEP_ALIVE_SECONDS = 75


class RequestDispatcher(Protocol):
    def admit(self, request: HttpRequest) -> Arrival: ...
    def process(self, arrival: Arrival) -> Delivery: ...


class VenueConnection(asyncio.Protocol):
    _count = 0

    def __init__(self, dispatcher: RequestDispatcher) -> None:
        self._dispatcher = dispatcher
        self._http = h11.Connection(h11.SERVER)
        self._head: h11.Request | None = None
        self._body = bytearray()
        self._first_byte: tuple[float, int] | None = None
        self._is_busy = False
        self._idle: asyncio.TimerHandle | None = None
        self._stream: WebSocketLine | None = None
        VenueConnection._count += 1
        self._number = VenueConnection._count

    # -- socket events ---------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._wait_for_request()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._idle is not None:
            self._idle.cancel()
        if self._stream is not None:
            self._stream.lost()

    def data_received(self, data: bytes) -> None:
        if self._stream is not None:
            self._stream.receive(data)
            return
        if self._first_byte is None:
            self._first_byte = (time.monotonic(), time.time_ns() // 1_000_000)
        if self._idle is not None:
            self._idle.cancel()
        self._http.receive_data(data)
        self._read_events()

    def eof_received(self) -> bool:
        if self._stream is not None:
            return False
        self._http.receive_data(b"")
        self._read_events()
        return self._is_busy  # an answer may still be owed

    def _wait_for_request(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = self._loop.call_later(KEEP_ALIVE_SECONDS, self._transport.close)

    # -- parsing ---------------------------------------------------------------------------------------------------

    def _read_events(self) -> None:
        while not self._is_busy:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                self._refuse(error.error_status_hint or 400, "malformed HTTP request")
                return
            if event in (h11.NEED_DATA, h11.PAUSED):
                self._continue_if_awaited()
                return
            if isinstance(event, h11.ConnectionClosed):
                self._transport.close()
                return
            self._take_event(event)

    def _take_event(self, event: object) -> None:
        if isinstance(event, h11.Request):
            self._head = event
            self._body.clear()
        elif isinstance(event, h11.Data):
            self._body += event.data
            if len(self._body) > MAX_BODY:
                self._refuse(413, "request body above 1 MiB")
        elif isinstance(event, h11.EndOfMessage):
            self._admit()

    def _continue_if_awaited(self) -> None:
        if self._http.they_are_waiting_for_100_continue:
            interim = self._http.send(h11.InformationalResponse(status_code=100, headers=[]))
            self._transport.write(interim or b"")

    def _refuse(self, status: int, reason: str) -> None:
        self._is_busy = True
        if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._write(
                HttpAnswer(
                    status, reason.encode(), content_type="text/plain", headers=(("connection", "close"),)
                ),
                None,
            )
        self._transport.close()

    # -- one request -----------------------------------------------------------------------------------------------

    def _admit(self) -> None:
        self._is_busy = True
        arrival = self._dispatcher.admit(self._as_request())
        if arrival.delay:
            self._loop.call_later(arrival.delay, self._process, arrival)
        else:
            self._process(arrival)

    def _as_request(self) -> HttpRequest:
        assert self._head is not None
        target = self._head.target.decode("latin-1")
        path, _, query = target.partition("?")
        peer = self._transport.get_extra_info("peername") or ("", 0)
        at_monotonic, at_wall = self._first_byte or (time.monotonic(), time.time_ns() // 1_000_000)
        return HttpRequest(
            method=self._head.method.decode("ascii"),
            path=path,
            query=query,
            headers={name.decode("ascii"): content.decode("latin-1") for name, content in self._head.headers},
            body=bytes(self._body),
            address=str(peer[0]),
            connection=self._number,
            arrived_monotonic=at_monotonic,
            arrived_wall_ms=at_wall,
        )

    def _process(self, arrival: Arrival) -> None:
        try:
            delivery = self._dispatcher.process(arrival)
        except (
            Exception
        ):  # a defect of the simulator must be loud, and must not look like an ordered connection drop
            traceback.print_exc()
            delivery = Delivery(HttpAnswer(500, b"defect of the simulator, see its log", "text/plain"))
        if delivery.delay:
            self._loop.call_later(delivery.delay, self._deliver, arrival.request, delivery)
        else:
            self._deliver(arrival.request, delivery)

    def _deliver(self, request: HttpRequest, delivery: Delivery) -> None:
        if self._transport.is_closing():
            return
        if delivery.session is not None:
            self._upgrade(request, delivery.session)
            return
        if delivery.answer is None:
            self._transport.abort()
            return
        self._write(delivery.answer, delivery.cut_after)
        self._start_next_cycle()

    def _upgrade(self, request: HttpRequest, session: StreamSession) -> None:
        from simulator.http.websocket import WebSocketLine  # most runs open none, and start faster without it

        self._stream = WebSocketLine(self._transport, session)
        self._stream.open(request, self._http.trailing_data[0])

    def _write(self, answer: HttpAnswer, cut_after: int | None) -> None:
        headers = [
            ("content-type", answer.content_type),
            ("content-length", str(len(answer.body))),
            *answer.headers,
        ]
        head = self._http.send(h11.Response(status_code=answer.status, headers=headers)) or b""
        if cut_after is not None:
            self._transport.write(head + answer.body[:cut_after])
            self._transport.close()
            return
        body = self._http.send(h11.Data(data=answer.body)) or b""
        self._transport.write(head + body + (self._http.send(h11.EndOfMessage()) or b""))

    def _start_next_cycle(self) -> None:
        if (
            self._transport.is_closing()
            or self._http.our_state is h11.MUST_CLOSE
            or self._http.their_state is not h11.DONE
        ):
            self._transport.close()
            return
        self._http.start_next_cycle()
        self._is_busy = False
        pending, _ = self._http.trailing_data
        self._first_byte = (time.monotonic(), time.time_ns() // 1_000_000) if pending else None
        self._wait_for_request()
        self._read_events()
