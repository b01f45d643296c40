"""Requests to a venue: metered, sent, counted, the clock kept. What every venue's line does alike; knows no orders.

`read` asks and may ask again (back-off with jitter, a fresh stamp each time, one re-measuring of the clock when the
venue dislikes a stamp) and raises the VenueError family. `send` sends once and returns the raw answer, or raises
WireFailure; it never repeats, waits or interprets. A venue adds how a request is stamped and signed, what an answer
means, and on which answers the limiter closes it for everybody.
"""

from __future__ import annotations

import random
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from trading.domain.errors import (
    MalformedAnswer,
    NotSent,
    VenueError,
    VenueRefused,
    VenueThrottled,
    VenueUnavailable,
)

from .base import Connection, Observer
from .clock import FRESH_SECONDS, OLD_SECONDS, ClockState, TimeAnswer, VenueClock, boot_seconds
from .endpoint import Pairs, VenueEndpoint
from .http import HttpLine, WireAnswer, WireFailure, WireRequest
from .limiter import Charge, Grant, Limiter
from .quotas import VenueLimits
from .redaction import redact
from .strict_json import load_json

_OUTCOMES: tuple[tuple[type[VenueError], str], ...] = (
    (VenueThrottled, "throttled"),
    (VenueUnavailable, "unavailable"),
    (MalformedAnswer, "malformed"),
    (VenueRefused, "refused"),
)
DEFAULT_WINDOW_MS = 5000
_LONGEST_BACKOFF_SECONDS = 10.0
_jitter = random.SystemRandom()
Judge = Callable[[WireAnswer], VenueError | None]


def _outcome_of(error: VenueError) -> str:
    return next((word for kind, word in _OUTCOMES if isinstance(error, kind)), "unavailable")


class VenueLine(ABC):
    """One connection's way to a venue. Thread-safe."""

    time_endpoint: VenueEndpoint
    clock_codes: frozenset[str]  # the venue's words for a stamp that it does not like
    closes_when_throttled = True  # whether going on after a read that was one too many makes things worse

    def __init__(
        self, connection: Connection, limits: VenueLimits, limiter: Limiter, observer: Observer
    ) -> None:
        self.connection = connection
        self.clock = VenueClock()
        self.limits = limits
        self._limiter = limiter
        self._observer = observer
        keys = connection.credentials
        self._secrets: tuple[str, ...] = (keys.secret, keys.key) if keys is not None else ()
        self.http = HttpLine(timeout_seconds=connection.timeout_seconds, secrets=self._secrets)

    # -- what a venue adds -------------------------------------------------------------------------------------
    @abstractmethod
    def prepare(
        self,
        endpoint: VenueEndpoint,
        pairs: Pairs,
        *,
        stamp_ms: int | None = None,
        window_ms: int = DEFAULT_WINDOW_MS,
        guard: Callable[[], None] | None = None,
    ) -> WireRequest:
        """The request as it is sent; signed where the endpoint wants it, stamped now unless a stamp is given."""

    @abstractmethod
    def find_error(self, answer: WireAnswer) -> VenueError | None:
        """The error of a read, or None if its body may be parsed."""

    @abstractmethod
    def parse_time(self, value: Any) -> int:
        """The venue's milliseconds out of the answer of the time endpoint."""

    @abstractmethod
    def heed(self, endpoint: VenueEndpoint, answer: WireAnswer) -> None:
        """What any answer says about our limits: may close the venue."""

    # -- limits ------------------------------------------------------------------------------------------------
    def acquire(self, charges: Sequence[Charge], *, urgent: bool, max_wait_seconds: float) -> Grant:
        grant = self._limiter.acquire(
            self.limits.scope, charges, urgent=urgent, max_wait_seconds=max_wait_seconds
        )
        for bucket, level in grant.levels:
            self.note_tokens(bucket, level / 1000)
        return grant

    def note_tokens(self, bucket: str, tokens: float) -> None:
        self._observer.on_tokens(self.connection.venue, bucket, tokens)

    def closed_seconds(self) -> float:
        return self._limiter.blocked_seconds(self.limits.scope)

    def order_pause_seconds(self) -> float:
        """How long new orders alone have to wait; for venues that know such a pause."""
        return 0.0

    def close_venue(self, seconds: float) -> None:
        self._limiter.block(self.limits.scope, seconds)

    # -- reads -------------------------------------------------------------------------------------------------
    def read(
        self, endpoint: VenueEndpoint, pairs: Pairs = (), *, urgent: bool = False, retries: int | None = None
    ) -> Any:
        """The parsed JSON of a good answer."""
        return load_json(self.read_answer(endpoint, pairs, urgent=urgent, retries=retries).body)

    def read_answer(
        self,
        endpoint: VenueEndpoint,
        pairs: Pairs = (),
        *,
        urgent: bool = False,
        retries: int | None = None,
        judge: Judge | None = None,
    ) -> WireAnswer:
        """A good answer, asked for up to 1 + `retries` times; `judge` says what is good (default: no error in it)."""
        left = self.connection.max_retries if retries is None else retries
        give_up_at = boot_seconds() + 2 * self.connection.timeout_seconds
        clock_was_measured = False
        attempt = 0
        while True:
            try:
                return self._ask(endpoint, pairs, urgent, judge or self._judge_read)
            except VenueRefused as error:
                if error.venue_code not in self.clock_codes or clock_was_measured:
                    raise
                clock_was_measured = True
                self.measure_clock()
            except (VenueUnavailable, MalformedAnswer):
                attempt += 1
                pause = self._backoff(attempt)
                if attempt > left or boot_seconds() + pause > give_up_at:
                    raise
                time.sleep(pause)

    def _ask(self, endpoint: VenueEndpoint, pairs: Pairs, urgent: bool, judge: Judge) -> WireAnswer:
        self._wait_for_tokens(endpoint, urgent)
        began, outcome = boot_seconds(), "unavailable"
        try:
            try:
                answer = self.http.send(self.prepare(endpoint, pairs))
            except WireFailure as failure:
                raise VenueUnavailable(f"{endpoint.name} got no answer: {failure.reason}.") from None
            self.heed(endpoint, answer)
            error = judge(answer)
            if error is not None:
                raise error
            outcome = "ok"
            return answer
        except VenueError as error:
            outcome = _outcome_of(error)
            if isinstance(error, VenueThrottled) and self.closes_when_throttled:
                self.close_venue(error.retry_after_seconds)
            raise
        finally:
            self.observe(endpoint, outcome, boot_seconds() - began)

    def _judge_read(self, answer: WireAnswer) -> VenueError | None:
        error = self.find_error(answer)
        if error is None:
            load_json(answer.body)  # raises MalformedAnswer here, where it is retried
        return error

    def _wait_for_tokens(self, endpoint: VenueEndpoint, urgent: bool) -> None:
        grant = self.acquire(
            self.limits.charges(endpoint), urgent=urgent, max_wait_seconds=self.connection.timeout_seconds
        )
        if not grant.granted:
            raise VenueThrottled(
                f"{endpoint.name} was not sent: our share of the venue's limits is used up or the venue is closed.",
                retry_after_seconds=max(grant.wait_seconds, grant.blocked_seconds),
            )

    def _backoff(self, attempt: int) -> float:
        """Half of it is jitter: processes that failed together do not come back together."""
        most = min(_LONGEST_BACKOFF_SECONDS, self.connection.retry_backoff_ms / 1000 * 2 ** (attempt - 1))
        return _jitter.uniform(most / 2, most)

    # -- acting ------------------------------------------------------------------------------------------------
    def send(self, endpoint: VenueEndpoint, request: WireRequest) -> WireAnswer:
        """Send once, without waiting. Raises WireFailure."""
        answer = self.http.send(request)
        self.heed(endpoint, answer)
        return answer

    def observe(self, endpoint: VenueEndpoint, outcome: str, seconds: float) -> None:
        self._observer.on_request(self.connection.venue, endpoint.name, outcome, seconds)

    # -- secrets -----------------------------------------------------------------------------------------------
    def cleaned(self, body: bytes) -> bytes:
        """The body without our key and secret, should the venue echo them: its texts end up in rows and errors."""
        for secret in self._secrets:
            body = body.replace(secret.encode(), b"***") if secret else body
        return body

    def hide(self, secret: str) -> None:
        """One more text that must never be seen, from now on."""
        self._secrets += (secret,)
        self.http.hide(secret)

    def redact(self, text: str) -> str:
        return redact(text, self._secrets)

    # -- clock -------------------------------------------------------------------------------------------------
    def venue_time_ms(self) -> int:
        if not self.clock.is_known:
            self.measure_clock()
        self._measure_again(OLD_SECONDS)
        return self.clock.now_ms()

    def refresh_clock(self) -> None:
        if not self.clock.is_usable:
            self.measure_clock()
        self._measure_again(FRESH_SECONDS)

    def _measure_again(self, older_than: float) -> None:
        """The offset before stays in force if this fails; its age says what it is good for."""
        with suppress(VenueError):
            self.clock.refresh(lambda: self._ask_time(urgent=False), older_than=older_than)

    def measure_clock(self, *, urgent: bool = False) -> ClockState:
        return self.clock.measure(lambda: self._ask_time(urgent))

    def _ask_time(self, urgent: bool) -> TimeAnswer:
        answer = self._ask(self.time_endpoint, (), urgent, self._judge_read)
        return TimeAnswer(self.parse_time(load_json(answer.body)), answer.sent, answer.answered)


def stop_guard(connection: Connection, deadline: float, *, flattens: bool) -> Callable[[], None]:
    """The last question before a new order leaves: has its permit run out, has somebody stopped us?

    An order that flattens is wanted because somebody stopped us; its permit has asked who may.
    """

    def guard() -> None:
        if boot_seconds() > deadline:
            raise NotSent("the permit ran out before the request could be written")
        if not flattens and connection.stop_requested():
            raise NotSent("a halt was engaged on this host before the request was written")

    return guard
