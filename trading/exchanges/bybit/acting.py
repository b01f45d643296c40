"""Bybit's orders and cancels: their form, what the answers mean, and what a code asks of us."""

from __future__ import annotations

from trading.domain.outcomes import CancelOutcome, PlaceOutcome, PlaceRequest

from ..acting import VenueActing
from ..endpoint import Pairs
from ..http import WireAnswer
from .classify import classify_cancel, classify_place, find_code
from .constants import PLACE
from .line import BybitLine
from .order_form import place_pairs


class BybitActing(VenueActing):
    """Places and cancels at Bybit."""

    place_endpoint = PLACE

    def __init__(self, line: BybitLine) -> None:
        super().__init__(line)
        self._bybit = line

    def form(self, request: PlaceRequest) -> Pairs:
        return place_pairs(request)

    def judge_place(self, answer: WireAnswer, request: PlaceRequest, *, is_test: bool) -> PlaceOutcome:
        body = self._line.cleaned(answer.body)
        pause = self._bybit.code_pause(answer)
        return classify_place(answer.http_status, body, request.client_order_id, pause)

    def judge_cancel(self, answer: WireAnswer) -> CancelOutcome:
        return classify_cancel(answer.http_status, self._line.cleaned(answer.body))

    def find_code(self, answer: WireAnswer) -> str:
        return find_code(answer.body)
