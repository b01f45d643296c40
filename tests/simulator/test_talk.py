"""How long the venue keeps a connection, and what becomes of a client that does not read."""

from __future__ import annotations

import asyncio

import pytest

from simulator.http import websocket
from simulator.http.messages import HttpRequest
from simulator.http.websocket import MOST_UNREAD, WebSocketLine
from simulator.mexc.listen_keys import ListenKeys
from simulator.mexc.pushes import ORDERS
from simulator.mexc.talk import MexcTalk
from tests.loops import run_alone
from tests.simulator.test_events import open_venue

HOUR = 3_600
ENDS = {
    "nothing subscribed": (False, 100, (40, "no subscription for 30 s")),
    "silent": (True, 100, (160, "no traffic for 60 s")),
    "key not extended": (True, HOUR - 30, (HOUR, "listen key expired")),
    "open for a day": (True, 24 * HOUR, (24 * HOUR + 10, "open for 24 hours")),
}


@pytest.mark.parametrize("name", ENDS)
def test_the_first_limit_that_is_reached_ends_it(name: str):
    is_subscribed, traffic_at, expected = ENDS[name]
    now = [0.0]
    venue = open_venue()
    keys = ListenKeys(venue, now=lambda: now[0])
    key = keys.create(venue.users["trader"])
    talk = MexcTalk(venue, key, 10)
    if is_subscribed:
        talk.answer(f'{{"method":"SUBSCRIPTION","params":["{ORDERS}"]}}', 10)
    if traffic_at > HOUR:
        now[0] = traffic_at
        keys.extend(key)
    assert talk.find_end(10, traffic_at) == expected


class FullTransport:
    """A socket whose other end reads nothing: what is written stays in the buffer."""

    def __init__(self) -> None:
        self.is_aborted, self.waiting = False, 0

    def write(self, data: bytes) -> None:
        self.waiting += len(data)

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def abort(self) -> None:
        self.is_aborted = True


class RecordingSession:
    def __init__(self) -> None:
        self.ends: list[str] = []

    def opened(self, line: WebSocketLine) -> None: ...
    def heard(self, text: str) -> None: ...
    def ponged(self, payload: bytes) -> None: ...

    def ended(self, reason: str) -> None:
        self.ends.append(reason)


def open_line(transport: FullTransport, session: RecordingSession) -> WebSocketLine:
    line = WebSocketLine(transport, session)
    headers = {
        "host": "venue",
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    line.open(HttpRequest("GET", "/mexc/ws", "", headers, b"", "127.0.0.1", 1, 0, 0), b"")
    return line


def test_a_client_that_does_not_read_is_cut_off_before_it_fills_the_memory():
    transport, session = FullTransport(), RecordingSession()
    line = open_line(transport, session)
    line.send_binary(b"x" * 1_000)
    assert not transport.is_aborted
    line.send_binary(b"x" * MOST_UNREAD)
    assert transport.is_aborted
    assert session.ends == ["the client does not read"]


def test_a_client_that_does_not_answer_a_close_is_cut_off(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(websocket, "CLOSE_SECONDS", 0)
    transport = FullTransport()

    async def close() -> None:
        line = open_line(transport, RecordingSession())
        line.close(1000, "over")
        assert not transport.is_aborted
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    run_alone(close())
    assert transport.is_aborted
