"""A venue that answers by a table, over real HTTP: for what a whole venue cannot be made to say."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.exchanges.making import CountingObserver, make_exchange
from tests.exchanges.raw_server import RawServer, raw_server
from trading.domain.enums import VenueName
from trading.exchanges.base import Exchange

Asked = dict[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class ScriptedVenue:
    """`replies` by `METHOD /path`: a reply, or a function of the parameters. Remembers what was asked."""

    replies: dict[str, Reply | Callable[[Asked], Reply]] = field(default_factory=dict)
    asked: list[tuple[str, Asked]] = field(default_factory=list)
    exchange: Exchange | None = None

    def questions(self, line: str) -> list[Asked]:
        return [asked for name, asked in self.asked if name == line]

    def behave(self, server: RawServer, link: socket.socket) -> None:
        while request := server.read_request(link):
            method, target, _ = request.split(b"\r\n", 1)[0].decode().split(" ")
            parts = urlsplit(target)
            name, asked = f"{method} {parts.path}", dict(parse_qsl(parts.query))
            self.asked.append((name, asked))
            link.sendall(_frame(self._find(name, asked)))

    def _find(self, name: str, asked: Asked) -> Reply:
        if name == "GET /api/v3/time":
            return Reply({"serverTime": int(time.time() * 1000)})
        found = self.replies.get(name, Reply({"code": -1000, "msg": f"nobody scripted {name}"}, 500))
        return found if isinstance(found, Reply) else found(asked)


def _frame(reply: Reply) -> bytes:
    body = json.dumps(reply.body).encode()
    headers = {"Content-Length": str(len(body)), **reply.headers}
    lines = [f"HTTP/1.1 {reply.status} Word", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


@contextmanager
def scripted(
    observer: CountingObserver | None = None, **more: Any
) -> Iterator[tuple[Exchange, ScriptedVenue]]:
    venue = ScriptedVenue()
    with raw_server(venue.behave) as server:
        exchange = make_exchange(server.base_url, venue=VenueName.BINANCE, observer=observer, **more)
        try:
            yield exchange, venue
        finally:
            exchange.close()
