"""Intake: one answer per idempotency key, and input that is wrong changes nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.making import CLIENT, PERSON, World
from trading.domain.enums import OrderOrigin
from trading.domain.errors import IdempotencyConflict, InvalidInput, UnknownName
from trading.domain.money import plain
from trading.execution.dispatch import dispatch_order
from trading.execution.intake import preview, submit
from trading.models import AuditEntry, Decision, Order, Signal, Strategy

BODY = {"symbol": "BTC/USDT", "side": "BUY", "quantity": "0.01"}


def send(body=BODY, key="k1", *, actor=CLIENT, origin=OrderOrigin.SIGNAL):
    return submit(body, actor=actor, key=key, origin=origin)


def count_rows() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Signal, Order, Decision, Strategy, AuditEntry))


def test_a_repeat_gets_the_stored_answer_and_the_venue_one_order(world: World):
    first = send()
    dispatch_order(first.order.id)
    rows = count_rows()
    again = send()
    assert dispatch_order(again.order.id) is None
    assert again.repeated and not first.repeated
    assert again.answer == first.answer and again.answer["status"] == "approved"
    assert count_rows() == rows
    assert len(world.placements()) == 1


def test_the_answer_of_a_denial_is_repeated_too(world: World):
    first = send({**BODY, "quantity": "100"})
    assert first.answer["decision"] == "denied"
    world.change_limits(max_order_notional=None, exposure_limit_symbol=None, exposure_limit_total=None)
    assert send({**BODY, "quantity": "100"}).answer == first.answer


def test_a_repeat_is_answered_although_the_signal_has_grown_old(world: World):
    body = {**BODY, "sent_at": (timezone.now() - timedelta(minutes=4)).isoformat()}
    first = send(body)
    later = timezone.now() + timedelta(minutes=10)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trading.execution.intake.timezone.now", lambda: later)
        assert send(body).answer == first.answer
        with pytest.raises(InvalidInput, match="too long ago"):
            send(body, key="another")


@pytest.mark.parametrize("changes", [{"quantity": "0.02"}, {"strategy": "momentum"}, {"reduce_only": False}])
def test_the_same_key_with_another_body_is_a_conflict(world: World, changes):
    send()
    rows = count_rows()
    with pytest.raises(IdempotencyConflict):
        send({**BODY, **changes})
    assert count_rows() == rows


def test_a_signal_and_an_order_cannot_share_a_key(world: World):
    send()
    with pytest.raises(IdempotencyConflict):
        send(origin=OrderOrigin.API)


def test_keys_belong_to_their_sender(world: World):
    send()
    assert not send(actor=PERSON).repeated
    assert Order.objects.count() == 2


def test_the_source_id_of_the_body_is_a_key_too(world: World):
    body = {**BODY, "source_id": "abc"}
    assert not send(body, key=None).repeated
    assert send(body, key=None).repeated
    assert Order.objects.count() == 1


@pytest.mark.parametrize("key", [None, "", "   ", "k" * 201, "a\nb"])
def test_without_a_usable_key_nothing_is_taken_in(world: World, key):
    rows = count_rows()
    with pytest.raises(InvalidInput) as caught:
        send(key=key)
    assert caught.value.context["field"] == "Idempotency-Key"
    assert count_rows() == rows


@pytest.mark.parametrize(
    "changes",
    [
        {"quantity": "0"},
        {"quantity": "-0.01"},
        {"quantity": "NaN"},
        {"quantity": "1e400"},
        {"quantity": "0.0000000000000000001"},
        {"side": "SIDEWAYS"},
        {"prize": "1"},
        {"sent_at": "2126-01-01T00:00:00Z"},
        {"symbol": "BTC/MARS"},
        {"account": "nobody"},
        {"strategy": "not a name!"},
    ],
)
def test_wrong_input_changes_nothing_and_asks_the_venue_nothing(world: World, changes):
    rows, asked = count_rows(), len(world.venue.requests())
    with pytest.raises(InvalidInput) as caught:
        send({**BODY, **changes})
    assert caught.value.remedy or caught.value.context["field"]
    assert count_rows() == rows
    assert len(world.venue.requests()) == asked


def test_the_venues_own_spelling_of_a_symbol_is_understood(world: World):
    assert send({**BODY, "symbol": "btcusdt"}).answer["symbol"] == "BTC/USDT"


def test_without_a_default_account_one_must_be_named(world: World):
    type(world.account).objects.update(is_default=False)
    with pytest.raises(UnknownName, match="no default account"):
        send()
    assert send({**BODY, "account": "paper"}).answer["decision"] == "approved"


def test_a_preview_tells_the_decision_and_writes_nothing(world: World):
    rows = count_rows()
    shown = preview({**BODY, "strategy": "brand-new"}, actor=CLIENT)
    assert shown["decision"] == "approved" and shown["checks"] and shown["account"] == "paper"
    assert preview({**BODY, "quantity": "100"}, actor=CLIENT)["codes"]
    assert count_rows() == rows


def test_rounding_is_shown_beside_what_was_asked(world: World):
    body = {**BODY, "quantity": "0.0123456789", "price": "49000.019"}
    found = send(body)
    assert (found.answer["quantity"], found.answer["asked_quantity"]) == ("0.012345", "0.0123456789")
    assert (found.answer["price"], found.answer["asked_price"]) == ("49000.01", "49000.019")
    notes = {check["rule"]: check["note"] for check in found.answer["checks"]}
    assert "rounded from 0.0123456789" in notes.values()
    assert plain(found.order.quantity) == "0.012345"


def test_what_rounds_to_nothing_is_denied_and_not_resized(world: World):
    found = send({**BODY, "quantity": "0.0000001"})
    assert found.answer["decision"] == "denied" and "quantity_too_small" in found.answer["codes"]
    assert found.order.quantity is not None and found.order.status == "denied"
