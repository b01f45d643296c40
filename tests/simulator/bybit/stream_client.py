"""A real WebSocket client of Bybit's private stream: signs in, subscribes, and reads what has been sent so far."""

from __future__ import annotations

import hmac
import json
import time
from hashlib import sha256
from typing import Any

from websockets.sync.client import connect

from simulator.testing import SimulatedVenue

PATIENCE = 15
Message = dict[str, Any]


class BybitStream:
    def __init__(self, venue: SimulatedVenue, *topics: str, sign_in: bool = True, query: str = "") -> None:
        self.venue = venue
        self.line = connect(venue.stream_url + query, proxy=None, open_timeout=PATIENCE)
        if sign_in:
            assert self.sign_in()["success"]
        if topics:
            assert self.say("subscribe", *topics)["success"]

    def sign_in(
        self, *, key: str | None = None, secret: str | None = None, ends_in_ms: int = 10_000
    ) -> Message:
        expires = int(time.time() * 1_000) + ends_in_ms
        covered = f"GET/realtime{expires}".encode()
        signature = hmac.new((secret or self.venue.secret).encode(), covered, sha256).hexdigest()
        return self.say("auth", key or self.venue.key, expires, signature)

    def say(self, op: str, *args: object, **more: object) -> Message:
        self.line.send(json.dumps({"op": op, "args": list(args), **more}))
        return self.receive()

    def receive(self) -> Message:
        text = self.line.recv(timeout=PATIENCE)
        assert isinstance(text, str)
        return json.loads(text)

    def messages(self) -> list[Message]:
        """Everything sent so far: what comes before the answer to a ping."""
        self.line.send('{"op":"ping"}')
        messages = []
        while (message := self.receive()).get("op") != "pong":
            messages.append(message)
        return messages

    def rows(self, topic: str) -> list[Message]:
        return [row for message in self.messages() if message["topic"] == topic for row in message["data"]]

    def close(self) -> None:
        self.line.close()
