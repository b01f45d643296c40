"""Requests that may open or close risk: sent at most once, and every way they can end is an outcome.

The steps are the same for all: prepare (nothing has left, so any failure is NotSentOutcome), send (the trip knows
whether bytes may have left), classify. An exception that comes in after sending, such as a time limit of the worker, is
Unknown. SystemExit and KeyboardInterrupt are counted as unknown and go on, see the policy in `base`. A venue adds the
form of its orders and what its answers mean.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from trading.domain.errors import LeviError, NotSent, VenueError
from trading.domain.outcomes import (
    CancelAccepted,
    CancelOutcome,
    CancelRefused,
    Exchanged,
    NotSentOutcome,
    Placed,
    PlaceOutcome,
    PlaceRequest,
    Refused,
    Unknown,
)

from .clock import boot_seconds
from .endpoint import Pairs, VenueEndpoint
from .http import WireAnswer, WireFailure, WireRequest
from .limiter import SlotBook
from .line import VenueLine, stop_guard

_CANCEL_WAIT_SECONDS = 5.0

Outcome = TypeVar("Outcome", PlaceOutcome, CancelOutcome)


class VenueActing(ABC):
    """Places and cancels over one line."""

    place_endpoint: VenueEndpoint

    def __init__(self, line: VenueLine) -> None:
        self._line = line
        self._slots = SlotBook()

    # -- what a venue adds -------------------------------------------------------------------------------------
    @abstractmethod
    def form(self, request: PlaceRequest) -> Pairs:
        """The order's parameters. Raises InvalidInput."""

    @abstractmethod
    def judge_place(self, answer: WireAnswer, request: PlaceRequest, *, is_test: bool) -> PlaceOutcome: ...

    @abstractmethod
    def judge_cancel(self, answer: WireAnswer) -> CancelOutcome: ...

    @abstractmethod
    def find_code(self, answer: WireAnswer) -> str:
        """The venue's error code, or an empty text."""

    def heed(self, answer: WireAnswer) -> str:
        """The code, after doing what it asks for."""
        code = self.find_code(answer)
        if code in self._line.clock_codes:
            self._line.clock.expire()  # the next stamp measures first; this request is never sent again
        return code

    # -- acting ------------------------------------------------------------------------------------------------
    def acquire_place_slot(self, max_wait_seconds: float) -> bool:
        granted = self._pay_for_order(max_wait_seconds)
        if granted:
            self._slots.put()
        return granted

    def place(self, request: PlaceRequest) -> PlaceOutcome:
        endpoint = self.place_endpoint

        def prepare() -> WireRequest:
            prepared = self._prepare_order(endpoint, request)
            self._take_slot()
            return prepared

        return self._act(endpoint, prepare, lambda answer: self.judge_place(answer, request, is_test=False))

    def test(self, endpoint: VenueEndpoint, request: PlaceRequest) -> PlaceOutcome:
        """The venue's validation. Held back by a halt like a new order: it exercises the same path."""

        def prepare() -> WireRequest:
            prepared = self._prepare_order(endpoint, request)
            charges = self._line.limits.charges(endpoint)
            if not self._line.acquire(charges, urgent=False, max_wait_seconds=0).granted:
                raise NotSent("our share of the venue's limits is used up, or the venue is closed to us")
            return prepared

        return self._act(endpoint, prepare, lambda answer: self.judge_place(answer, request, is_test=True))

    def cancel(self, endpoint: VenueEndpoint, make_pairs: Callable[[], Pairs]) -> CancelOutcome:
        def prepare() -> WireRequest:
            pairs = make_pairs()
            charges = self._line.limits.charges(endpoint)
            grant = self._line.acquire(charges, urgent=True, max_wait_seconds=_CANCEL_WAIT_SECONDS)
            if not grant.granted:
                pause = max(grant.wait_seconds, grant.blocked_seconds)
                raise NotSent(f"no request may go to the venue for another {pause:.1f} s")
            return self._line.prepare(endpoint, pairs, stamp_ms=self._cancel_stamp_ms())

        return self._act(endpoint, prepare, self.judge_cancel)

    # -- steps -------------------------------------------------------------------------------------------------
    def _prepare_order(self, endpoint: VenueEndpoint, request: PlaceRequest) -> WireRequest:
        guard = stop_guard(self._line.connection, request.deadline, flattens=request.flattens)
        guard()  # asked here as well, so that a dead permit does not even connect
        return self._line.prepare(
            endpoint,
            self.form(request),
            stamp_ms=request.venue_time_ms,
            window_ms=request.window_ms,
            guard=guard,
        )

    def _take_slot(self) -> None:
        if max(self._line.closed_seconds(), self._line.order_pause_seconds()) > 0:
            raise NotSent("the venue asked us to stay away")
        if not self._slots.take() and not self._pay_for_order(0.0):
            raise NotSent("no slot in our share of the venue's limits: call acquire_place_slot first")

    def _pay_for_order(self, max_wait_seconds: float) -> bool:
        if self._line.order_pause_seconds() > 0:
            return False
        charges = self._line.limits.new_order_charges(self.place_endpoint)
        return self._line.acquire(charges, urgent=False, max_wait_seconds=max_wait_seconds).granted

    def _cancel_stamp_ms(self) -> int:
        """Nothing may stop a cancel, so it makes do with an old offset, and at worst with the host's own clock."""
        try:
            return self._line.venue_time_ms()
        except VenueError:
            age = self._line.clock.age_seconds()
            return self._line.clock.now_ms() if age is not None else time.time_ns() // 1_000_000

    def _act(
        self,
        endpoint: VenueEndpoint,
        prepare: Callable[[], WireRequest],
        judge: Callable[[WireAnswer], Outcome],
    ) -> Outcome | Unknown | NotSentOutcome:
        began, word = boot_seconds(), "unknown"
        try:
            outcome = self._attempt(endpoint, prepare, judge)
            word = _WORDS[type(outcome)]
            return outcome
        finally:
            self._line.observe(endpoint, word, boot_seconds() - began)

    def _attempt(
        self,
        endpoint: VenueEndpoint,
        prepare: Callable[[], WireRequest],
        judge: Callable[[WireAnswer], Outcome],
    ) -> Outcome | Unknown | NotSentOutcome:
        try:
            request = prepare()
        except (NotSent, LeviError) as error:
            return NotSentOutcome(str(error))
        except Exception as error:  # broad: whatever it was, sending had not begun
            return NotSentOutcome(f"preparing the request failed ({type(error).__name__})")
        try:
            answer = self._line.send(endpoint, request)
            outcome = judge(answer)
            code = self.heed(answer)
            return replace(outcome, exchanged=replace(answer.exchanged, venue_code=code))
        except WireFailure as failure:
            if failure.may_have_left:
                return Unknown(failure.reason, failure.exchanged)
            return NotSentOutcome(failure.reason, failure.exchanged)
        except Exception as error:  # broad: a worker's time limit may strike at any line after sending
            exchanged = Exchanged(request.method, request.shown_path, sent_at=datetime.now(UTC))
            return Unknown(f"interrupted after sending ({type(error).__name__})", exchanged)


_WORDS: dict[type, str] = {
    Placed: "ok",
    CancelAccepted: "ok",
    Refused: "refused",
    CancelRefused: "refused",
    Unknown: "unknown",
    NotSentOutcome: "not_sent",
}
