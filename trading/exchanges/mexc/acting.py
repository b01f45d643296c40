"""Requests that may open or close risk: sent at most once, and every way they can end is an outcome.

The steps are the same for all: prepare (nothing has left, so any failure is NotSentOutcome), send (the trip knows
whether bytes may have left), classify. An exception that comes in after sending, such as a time limit of the worker, is
Unknown. SystemExit and KeyboardInterrupt are counted as unknown and go on, see the policy in `base`.
"""

from __future__ import annotations

import time
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

from ..clock import boot_seconds
from ..http import WireAnswer, WireFailure, WireRequest
from ..limiter import SlotBook
from .classify import classify_cancel, classify_place, find_code
from .codes import CLOCK_CODES, THROTTLE_CODES
from .constants import DEFAULT_RECV_WINDOW_MS, PLACE, RETRY_AFTER_429_SECONDS, TEST_ORDER, MexcEndpoint
from .line import MexcLine, stop_guard
from .order_form import echo_of, place_pairs
from .signing import Pairs

_CANCEL_WAIT_SECONDS = 5.0

Outcome = TypeVar("Outcome", PlaceOutcome, CancelOutcome)


class MexcActing:
    """Places and cancels over one line."""

    def __init__(self, line: MexcLine) -> None:
        self._line = line
        self._slots = SlotBook()

    def acquire_place_slot(self, max_wait_seconds: float) -> bool:
        granted = self._pay_for_order(max_wait_seconds)
        if granted:
            self._slots.put()
        return granted

    def place(self, request: PlaceRequest) -> PlaceOutcome:
        def prepare() -> WireRequest:
            prepared = self._prepare_order(PLACE, request)
            self._take_slot()
            return prepared

        return self._act(PLACE, prepare, lambda answer: self._judge_place(answer, request, is_test=False))

    def test(self, request: PlaceRequest) -> PlaceOutcome:
        """The venue's validation. Held back by a halt like a new order: it exercises the same path."""

        def prepare() -> WireRequest:
            prepared = self._prepare_order(TEST_ORDER, request)
            if not self._line.acquire(
                self._line.limits.charges(TEST_ORDER), urgent=False, max_wait_seconds=0
            ).granted:
                raise NotSent("our share of the venue's limits is used up, or the venue is closed to us")
            return prepared

        return self._act(TEST_ORDER, prepare, lambda answer: self._judge_place(answer, request, is_test=True))

    def cancel(self, endpoint: MexcEndpoint, make_pairs: Callable[[], Pairs]) -> CancelOutcome:
        def prepare() -> WireRequest:
            pairs = make_pairs()
            charges = self._line.limits.charges(endpoint)
            grant = self._line.acquire(charges, urgent=True, max_wait_seconds=_CANCEL_WAIT_SECONDS)
            if not grant.granted:
                pause = max(grant.wait_seconds, grant.blocked_seconds)
                raise NotSent(f"no request may go to the venue for another {pause:.1f} s")
            return self._line.prepare(
                endpoint, pairs, stamp_ms=self._cancel_stamp_ms(), window_ms=DEFAULT_RECV_WINDOW_MS
            )

        return self._act(endpoint, prepare, self._judge_cancel)

    # -- steps -------------------------------------------------------------------------------------------------
    def _prepare_order(self, endpoint: MexcEndpoint, request: PlaceRequest) -> WireRequest:
        guard = stop_guard(self._line.connection, request.deadline, flattens=request.flattens)
        guard()  # asked here as well, so that a dead permit does not even connect
        return self._line.prepare(
            endpoint,
            place_pairs(request),
            stamp_ms=request.venue_time_ms,
            window_ms=request.window_ms,
            guard=guard,
        )

    def _take_slot(self) -> None:
        if self._line.closed_seconds() > 0:
            raise NotSent("the venue asked us to stay away")
        if not self._slots.take() and not self._pay_for_order(0.0):
            raise NotSent("no slot in our share of the venue's limits: call acquire_place_slot first")

    def _pay_for_order(self, max_wait_seconds: float) -> bool:
        charges = self._line.limits.new_order_charges(PLACE)
        return self._line.acquire(charges, urgent=False, max_wait_seconds=max_wait_seconds).granted

    def _cancel_stamp_ms(self) -> int:
        """Nothing may stop a cancel, so it makes do with an old offset, and at worst with the host's own clock."""
        try:
            return self._line.venue_time_ms()
        except VenueError:
            age = self._line.clock.age_seconds()
            return self._line.clock.now_ms() if age is not None else time.time_ns() // 1_000_000

    def _judge_place(self, answer: WireAnswer, request: PlaceRequest, *, is_test: bool) -> PlaceOutcome:
        body = self._line.cleaned(answer.body)
        return classify_place(answer.http_status, body, echo_of(request), answer.retry_after, is_test=is_test)

    def _judge_cancel(self, answer: WireAnswer) -> CancelOutcome:
        return classify_cancel(answer.http_status, self._line.cleaned(answer.body))

    def _act(
        self,
        endpoint: MexcEndpoint,
        prepare: Callable[[], WireRequest],
        judge: Callable[[WireAnswer], Outcome],
    ) -> Outcome | Unknown | NotSentOutcome:
        began, word = boot_seconds(), "unknown"
        try:
            outcome = self._attempt(prepare, judge)
            word = _WORDS[type(outcome)]
            return outcome
        finally:
            self._line.observe(endpoint, word, boot_seconds() - began)

    def _attempt(
        self, prepare: Callable[[], WireRequest], judge: Callable[[WireAnswer], Outcome]
    ) -> Outcome | Unknown | NotSentOutcome:
        try:
            request = prepare()
        except (NotSent, LeviError) as error:
            return NotSentOutcome(str(error))
        except Exception as error:  # broad: whatever it was, sending had not begun
            return NotSentOutcome(f"preparing the request failed ({type(error).__name__})")
        try:
            return self._finish(self._line.send(request), judge)
        except WireFailure as failure:
            if failure.may_have_left:
                return Unknown(failure.reason, failure.exchanged)
            return NotSentOutcome(failure.reason, failure.exchanged)
        except Exception as error:  # broad: a worker's time limit may strike at any line after sending
            exchanged = Exchanged(request.method, request.shown_path, sent_at=datetime.now(UTC))
            return Unknown(f"interrupted after sending ({type(error).__name__})", exchanged)

    def _finish(self, answer: WireAnswer, judge: Callable[[WireAnswer], Outcome]) -> Outcome:
        outcome = judge(answer)
        code = find_code(answer.body)
        if code in CLOCK_CODES:
            self._line.clock.expire()  # the next stamp measures first; this request is never sent again
        if code in THROTTLE_CODES and answer.http_status != 429:
            self._line.close_venue(RETRY_AFTER_429_SECONDS)
        return replace(outcome, exchanged=replace(answer.exchanged, venue_code=code))


_WORDS: dict[type, str] = {
    Placed: "ok",
    CancelAccepted: "ok",
    Refused: "refused",
    CancelRefused: "refused",
    Unknown: "unknown",
    NotSentOutcome: "not_sent",
}
