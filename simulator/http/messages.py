"""What the server hands to the dispatcher and what it gets back: requests, answers and how to deliver them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True, slots=True)
class HttpRequest:
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    address: str
    connection: int
    arrived_monotonic: float
    arrived_wall_ms: int

    def query_pairs(self) -> dict[str, str]:
        return dict(parse_qsl(self.query, keep_blank_values=True))

    def json_body(self) -> Any:
        """The body as JSON; ValueError when it is none."""
        return json.loads(self.body.decode("utf-8") or "null")


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    status: int
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


def json_answer(document: object, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> HttpAnswer:
    return HttpAnswer(status, json.dumps(document, separators=(",", ":")).encode(), headers=headers)


@dataclass(frozen=True, slots=True)
class Delivery:
    """How an answer leaves: after a delay, cut off after some body bytes, or (answer None) not at all.

    With a `session` (a `StreamSession`) the connection is upgraded and becomes its WebSocket.
    """

    answer: HttpAnswer | None
    delay: float = 0
    cut_after: int | None = None
    session: Any = None


@dataclass(slots=True)
class Arrival:
    """A request on its way in: how long it is held before it counts as received, and what it is met with."""

    request: HttpRequest
    delay: float = 0
    faults: list[Any] = field(default_factory=list)
