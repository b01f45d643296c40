"""MEXC's orders and cancels: their form, what the answers mean, and what a code asks of us."""

from __future__ import annotations

from trading.domain.outcomes import CancelOutcome, PlaceOutcome, PlaceRequest

from ..acting import VenueActing
from ..endpoint import Pairs
from ..http import WireAnswer
from .classify import classify_cancel, classify_place, find_code
from .codes import THROTTLE_CODES
from .constants import PLACE, RETRY_AFTER_429_SECONDS
from .order_form import echo_of, place_pairs


class MexcActing(VenueActing):
    """Places and cancels at MEXC."""

    place_endpoint = PLACE

    def form(self, request: PlaceRequest) -> Pairs:
        return place_pairs(request)

    def judge_place(self, answer: WireAnswer, request: PlaceRequest, *, is_test: bool) -> PlaceOutcome:
        body = self._line.cleaned(answer.body)
        return classify_place(answer.http_status, body, echo_of(request), answer.retry_after, is_test=is_test)

    def judge_cancel(self, answer: WireAnswer) -> CancelOutcome:
        return classify_cancel(answer.http_status, self._line.cleaned(answer.body))

    def find_code(self, answer: WireAnswer) -> str:
        return find_code(answer.body)

    def heed(self, answer: WireAnswer) -> str:
        code = super().heed(answer)
        if code in THROTTLE_CODES and answer.http_status != 429:
            self._line.close_venue(RETRY_AFTER_429_SECONDS)
        return code
