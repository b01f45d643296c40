"""What a wire module (one per real venue) offers to the dispatcher, and what the dispatcher tells it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from simulator.core.accounts import SimUser
from simulator.core.events import EventFeed, VenueEvent
from simulator.core.trading import TradingVenue
from simulator.http.messages import HttpAnswer, HttpRequest


@dataclass(slots=True)
class ViewFaults:
    """How the answers of this one request are bent without touching the ledger."""

    skew_ms: int = 0
    hide_orders_seconds: Decimal = Decimal(0)
    hide_fills_seconds: Decimal = Decimal(0)
    repeats_fills: bool = False
    reverses_fills: bool = False
    reject: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True)
class StreamFrame:
    """What tells of an event on a channel: a text or bytes, as the venue sends them."""

    channel: str
    data: str | bytes
    event: VenueEvent


class StreamTalk(Protocol):
    """One connection's conversation in a venue's format: control texts, channels, frames, and how long it lasts.

    `frames` tells what one commit changed on the channels that are subscribed. A venue that pings says by
    `ping_seconds` how often, and the last pong is what `find_end` gets as the last traffic. A `farewell` is said before
    the venue goes away.
    """

    channels: list[str]

    @property
    def user(self) -> SimUser | None:
        """Whose events it carries; at some venues nobody's until it has signed in."""

    def answer(self, text: str, now: float) -> list[str]: ...
    def frames(self, events: list[VenueEvent]) -> list[StreamFrame]: ...
    def ping_seconds(self) -> float: ...
    def farewell(self) -> list[str]: ...
    def begin(self, end: Callable[[str], None]) -> None: ...
    def finish(self, end: Callable[[str], None]) -> None: ...
    def find_end(self, opened_at: float, traffic_at: float) -> tuple[float, str]: ...


@dataclass(frozen=True, slots=True)
class StreamOffer:
    """An upgrade that the venue grants: how it will talk, and of what; a `refusal` is all that is said on it."""

    talk: StreamTalk
    feed: EventFeed
    refusal: str | None = None


@dataclass(slots=True)
class VenueReply:
    answer: HttpAnswer
    user: str | None = None
    offer: StreamOffer | None = None


class VenueWire(Protocol):
    """Speaks one venue's format over a `TradingVenue`; every venue's answers are its own, errors included."""

    venue: TradingVenue
    usual_rejection: tuple[int, str]  # code and message of an ordered `reject` that names none

    def respond(self, request: HttpRequest, path: str, view: ViewFaults) -> VenueReply: ...
    def error(self, status: int, code: int, message: str) -> HttpAnswer: ...
    def limit_answer(self, retry_after: int) -> HttpAnswer: ...
    def ban_answer(self, retry_after: int) -> HttpAnswer: ...
    def maintenance_answer(self) -> HttpAnswer: ...
    def is_banned(self, request: HttpRequest) -> int: ...
    def ban(self, request: HttpRequest, seconds: int) -> None: ...
    def clear_limits(self) -> None: ...
    def forget_streams(self) -> None: ...
