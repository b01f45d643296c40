"""MEXC in testnet mode: the real venue validates, nothing is ever placed or canceled there.

MEXC runs no spot testnet, but its order/test endpoint checks an order like a real one and stops before matching. An
order that passes ends as not accepted, with the reason "validated". The account's real orders are never touched, so
cancels are refused here: there is nothing of ours to cancel. For a whole life of an order use the simulated venue.
"""

from __future__ import annotations

from dataclasses import replace

from trading.domain.outcomes import CancelOutcome, CancelRefused, Placed, PlaceOutcome, PlaceRequest, Refused

from .client import CAPABILITIES, MexcExchange

VALIDATED = "validated"


class MexcRehearsal(MexcExchange):
    """The adapter of an account that may look at the real venue and must not act there."""

    # Nothing of ours ever happens there, so there is nothing to be told of.
    capabilities = replace(CAPABILITIES, private_stream=False)

    def place_order(self, request: PlaceRequest) -> PlaceOutcome:
        outcome = self.test_order(request)
        if not isinstance(outcome, Placed):
            return outcome
        message = "the venue would take this order; testnet mode places nothing at MEXC"
        return Refused(VALIDATED, message, reached_matching=False, exchanged=outcome.exchanged)

    def cancel_order(
        self, symbol: str, *, client_order_id: str = "", exchange_order_id: str = ""
    ) -> CancelOutcome:
        return CancelRefused(
            "nothing_placed", "testnet mode places nothing at MEXC, so there is nothing to cancel"
        )

    def cancel_all(self, symbol: str | None = None) -> CancelOutcome:
        return self.cancel_order(symbol or "")
