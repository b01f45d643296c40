"""A real WebSocket client of the simulated Binance's user data stream: subscribes, and reads what was sent so far."""

from __future__ import annotations

import json
from typing import Any

from websockets.sync.client import ClientConnection, connect

from simulator.testing import SimulatedVenue
from tests.simulator.binance.client import BinanceClient, now_ms, sign

PATIENCE = 15
SUBSCRIBE = "userDataStream.subscribe.signature"
Document = dict[str, Any]


def dial(venue: SimulatedVenue, query: str = "") -> ClientConnection:
    return connect(venue.stream_url + query, proxy=None, open_timeout=PATIENCE, ping_interval=None)


class SocketClient:
    def __init__(self, venue: SimulatedVenue, query: str = "") -> None:
        self.line = dial(venue, query)
        self.waiting: list[Document] = []

    @classmethod
    def follow(cls, venue: SimulatedVenue, client: BinanceClient) -> SocketClient:
        stream = cls(venue)
        assert stream.subscribe(client)["result"] == {"subscriptionId": 0}
        return stream

    def subscribe(self, client: BinanceClient, **changes: Any) -> Document:
        wanted = {"apiKey": client.key, "timestamp": now_ms()} | changes
        text = "&".join(f"{name}={wanted[name]}" for name in sorted(wanted))
        return self.ask(SUBSCRIBE, **{"signature": sign(client.secret, text), **wanted})

    def ask(self, method: str, **parameters: Any) -> Document:
        """The answer; events that come before it wait."""
        self.line.send(json.dumps({"id": "asked", "method": method, "params": parameters}))
        while "event" in (document := self.hear()):
            self.waiting.append(document)
        assert document["id"] == "asked"
        return document

    def hear(self) -> Document:
        text = self.line.recv(timeout=PATIENCE)
        assert isinstance(text, str)
        return json.loads(text)

    def events(self, kind: str | None = None) -> list[Document]:
        """Everything sent so far: what comes before the answer to a question."""
        self.ask("ping")
        seen, self.waiting = [document["event"] for document in self.waiting], []
        return [event for event in seen if kind in (None, event["e"])]

    def close(self) -> None:
        self.line.close()
