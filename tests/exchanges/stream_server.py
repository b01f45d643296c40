"""The two ends a private stream talks to, under a test's control: a WebSocket server and the office of listen keys.

with talking(lambda link: link.send("hello")) as server:
    StreamSocket().open(server.url, 5)
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from socket import socket
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from tests.exchanges.making import KEY, SECRET, generous_limiter
from tests.exchanges.raw_server import RawServer, raw_server
from trading.domain.enums import Environment, VenueName
from trading.exchanges.base import Connection, Credentials, NullObserver, Observer
from trading.exchanges.mexc.stream import MexcStream
from trading.exchanges.mexc.stream_events import CHANNELS

LISTEN_KEY = "canarylistenkey7d21c0a9"
Talk = Callable[[ServerConnection], None]
ANSWERS: Mapping[str, tuple[str, Any]] = {
    "POST": ("200 OK", {"listenKey": LISTEN_KEY}),
    "PUT": ("200 OK", {"listenKey": LISTEN_KEY}),
    "DELETE": ("200 OK", {"listenKey": LISTEN_KEY}),
}


@dataclass
class TalkingServer:
    url: str
    heard: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


@contextmanager
def talking(talk: Talk, **settings: Any) -> Iterator[TalkingServer]:
    """A server that does what `talk` says with every connection and then closes it."""
    server_side = TalkingServer("")

    def behave(link: ServerConnection) -> None:
        assert link.request is not None
        server_side.paths.append(link.request.path)
        with suppress(ConnectionClosed):
            talk(link)

    scheme = "wss" if "ssl" in settings else "ws"
    with serve(behave, "127.0.0.1", 0, ping_interval=None, close_timeout=1, **settings) as server:
        server_side.url = f"{scheme}://127.0.0.1:{server.socket.getsockname()[1]}/ws"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server_side
        finally:
            server.shutdown()
            thread.join(timeout=5)


def wait_for_end(link: ServerConnection) -> None:
    """Until the other side leaves."""
    for _ in link:
        pass


def acknowledge(link: ServerConnection) -> None:
    """Answer the subscription as the venue does when all is well."""
    wanted = json.loads(link.recv())
    assert wanted == {"method": "SUBSCRIPTION", "params": list(CHANNELS)}
    link.send(say(",".join(CHANNELS)))


def say(text: str, code: int = 0) -> str:
    return json.dumps({"id": 0, "code": code, "msg": text}, ensure_ascii=False)


def says_after_acknowledging(*messages: str | bytes) -> Talk:
    def talk(link: ServerConnection) -> None:
        acknowledge(link)
        for message in messages:
            link.send(message)
        wait_for_end(link)

    return talk


class KeyOffice:
    """Answers the listen-key calls over plain HTTP. `answers` may be changed while it runs."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[str, Any]] = dict(ANSWERS)
        self.calls: list[str] = []
        self.queries: list[str] = []

    def __call__(self, server: RawServer, link: socket) -> None:
        while head := server.read_request(link):
            method, target, _ = head.decode().split(" ", 2)
            if target.startswith("/api/v3/time"):
                status, body = "200 OK", {"serverTime": time.time_ns() // 1_000_000}
            else:
                self.calls.append(method)
                self.queries.append(target)
                status, body = self.answers[method]
            content = (body if isinstance(body, str) else json.dumps(body)).encode()
            link.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content)


class Hands:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@dataclass
class Stage:
    stream: MexcStream
    office: KeyOffice
    server: TalkingServer
    clock: Hands


@contextmanager
def stage(
    talk: Talk, *, observer: Observer | None = None, office: KeyOffice | None = None, **settings: Any
) -> Iterator[Stage]:
    """A stream that is not open yet, with both ends ready; `settings` are the WebSocket server's."""
    offered, clock = office or KeyOffice(), Hands()
    with ExitStack() as stack:
        server = stack.enter_context(talking(talk, **settings))
        rest = stack.enter_context(raw_server(offered))
        connection = Connection(
            VenueName.MEXC, Environment.SIMULATED, rest.base_url, "main", Credentials(KEY, SECRET)
        )
        stream = MexcStream(connection, server.url, generous_limiter(), observer or NullObserver(), now=clock)
        try:
            yield Stage(stream, offered, server, clock)
        finally:
            stream.close()
