"""The vocabulary: sides, states, denials and errors say one thing each."""

from decimal import Decimal

import pytest

from trading.domain import errors, outcomes
from trading.domain.actors import Actor, ActorKind, system_actor
from trading.domain.denials import Denial, DenialCode, explain_codes, explain_reason
from trading.domain.enums import OrderStatus, OrderType, Side, TradingState, VenueOrderStatus
from trading.domain.outcomes import InstrumentReport


def test_sides_have_a_sign_and_an_opposite():
    assert (Side.BUY.sign, Side.SELL.sign) == (1, -1)
    assert [side.opposite.opposite for side in Side] == list(Side)


def test_only_a_market_order_needs_no_price():
    assert [kind for kind in OrderType if not kind.needs_price] == [OrderType.MARKET]


def test_trading_states_are_ordered_by_restriction():
    assert sorted(TradingState, key=lambda state: state.restriction) == ["active", "reducing", "halted"]


def test_every_word_of_a_venue_is_one_of_our_statuses():
    assert {word.value for word in VenueOrderStatus} <= {status.value for status in OrderStatus}


@pytest.mark.parametrize("code", DenialCode)
def test_every_denial_code_has_a_sentence_for_a_person(code):
    assert code == code.value == code.name.lower()
    assert code.explanation[0].isupper()
    assert code.explanation.endswith(".")
    assert Denial(code).message == code.explanation


def test_no_two_denial_codes_say_the_same():
    assert len({code.explanation for code in DenialCode}) == len(DenialCode)
    assert DenialCode("halted") is DenialCode.HALTED


def _tree(kind: type) -> set[type]:
    return {kind}.union(*map(_tree, kind.__subclasses__()))


def test_every_error_has_its_own_code_and_stands_in_the_drawn_tree():
    kinds = [kind for kind in _tree(errors.LeviError) if kind.__module__ == errors.__name__]
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert not [kind.__name__ for kind in kinds if kind.__name__ not in (errors.__doc__ or "")]


def test_an_error_carries_message_remedy_code_and_context():
    error = errors.InvalidMoney("quantity is wrong.", field="quantity")
    assert str(error).startswith("quantity is wrong. Send a plain decimal")
    assert (error.code, error.context) == ("invalid_number", {"field": "quantity"})
    other = errors.NotAllowed("No.", remedy="Ask.", code="special")
    assert (other.code, str(other)) == ("special", "No. Ask.")


def test_venue_errors_keep_what_the_venue_said():
    refused = errors.VenueRefused("bad symbol", venue_code="10007", http_status=400)
    assert (refused.venue_code, refused.http_status) == ("10007", 400)
    assert errors.VenueThrottled("slow down", retry_after_seconds=3).retry_after_seconds == 3


def test_the_proof_that_nothing_was_sent_is_no_expected_failure():
    assert not issubclass(errors.NotSent, errors.LeviError)


def test_an_instrument_is_named_by_its_assets():
    rules = InstrumentReport(
        "BTCUSDT", "BTC", "USDT", True, Decimal("0.01"), Decimal("0.001"), *[None] * 6, ("LIMIT",)
    )
    assert rules.symbol == "BTC/USDT"
    assert rules.sides == (Side.BUY, Side.SELL)


def test_there_are_four_outcomes_of_a_placement_and_none_is_called_failed():
    assert set(outcomes.PlaceOutcome.__args__) == {
        outcomes.Placed,
        outcomes.Refused,
        outcomes.Unknown,
        outcomes.NotSentOutcome,
    }


def test_an_actor_reads_as_kind_and_name():
    assert str(Actor(ActorKind.OPERATOR, "ana", "r1")) == "operator:ana"
    assert str(system_actor("beat")) == "system:beat"


def test_reasons_that_are_codes_become_sentences_with_the_code_beside_them():
    assert explain_codes(["halted", "of_a_later_version"]) == (
        "A halt is engaged for this scope: nothing new is sent (halted). of_a_later_version."
    )
    assert (
        explain_reason("quantity_off_lot") == "The quantity is not a whole number of lots (quantity_off_lot)."
    )
    for words in ("", "canceled before it was sent", "halted by anna, for lunch"):
        assert explain_reason(words) == words
