"""A real WebSocket client of the private stream: subscribes, and reads what the venue has sent so far."""

from __future__ import annotations

import json
from typing import Any

from google.protobuf.json_format import MessageToDict
from websockets.sync.client import ClientConnection, connect

from simulator.mexc.frames import load_wrapper
from simulator.mexc.pushes import ACCOUNT, CHANNELS, DEALS, ORDERS
from simulator.testing import SimulatedVenue
from tests.simulator.mexc_client import SignedClient

PATIENCE = 15
BODIES = {ORDERS: "privateOrders", DEALS: "privateDeals", ACCOUNT: "privateAccount"}
KEY_PATH = "/api/v3/userDataStream"


def new_listen_key(client: SignedClient) -> str:
    return client.call("POST", KEY_PATH).json()["listenKey"]


def dial(venue: SimulatedVenue, listen_key: str | None) -> ClientConnection:
    query = "" if listen_key is None else f"?listenKey={listen_key}"
    return connect(venue.stream_url + query, proxy=None, open_timeout=PATIENCE)


class StreamClient:
    def __init__(self, venue: SimulatedVenue, listen_key: str | None, *channels: str) -> None:
        self.line = dial(venue, listen_key)
        if channels:
            assert self.say("SUBSCRIPTION", *channels) == ",".join(channels)

    @classmethod
    def follow(cls, venue: SimulatedVenue, client: SignedClient, *channels: str) -> StreamClient:
        """On a new listen key; all private channels unless some are named."""
        return cls(venue, new_listen_key(client), *(channels or CHANNELS.values()))

    def say(self, method: str, *channels: str) -> str:
        """The text of the answer."""
        self.send(json.dumps({"method": method, "params": list(channels)}))
        return self.hear()

    def send(self, text: str) -> None:
        self.line.send(text)

    def hear(self) -> str:
        answer = json.loads(self.line.recv(timeout=PATIENCE))
        assert (answer["id"], answer["code"]) == (0, 0)
        return answer["msg"]

    def receive(self) -> tuple[str, dict[str, Any]]:
        return self.read(self.line.recv(timeout=PATIENCE))

    @staticmethod
    def read(frame: str | bytes) -> tuple[str, dict[str, Any]]:
        """The channel and the body; fields at their zero value are missing, as on the wire."""
        assert isinstance(frame, bytes)
        document = MessageToDict(load_wrapper().FromString(frame))
        return document["channel"], document[BODIES[document["channel"]]]

    def frames(self) -> list[bytes]:
        """Everything sent so far: what comes before the answer to a PING."""
        self.send('{"method":"PING"}')
        frames: list[bytes] = []
        while isinstance(received := self.line.recv(timeout=PATIENCE), bytes):
            frames.append(received)
        assert received == '{"id":0,"code":0,"msg":"PONG"}'
        return frames

    def events(self, channel: str | None = None) -> list[dict[str, Any]]:
        read = [self.read(frame) for frame in self.frames()]
        return [body for seen, body in read if channel in (None, seen)]

    def close(self) -> None:
        self.line.close()
