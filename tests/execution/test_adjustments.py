"""An adjustment moves the books by a person's word: never without a fresh factor, in production never by one person."""

from __future__ import annotations

import pytest
from django.utils import timezone

from tests.execution.test_approvals import person
from tests.making import World
from trading.domain.actors import Actor, ActorKind
from trading.domain.enums import ApprovalKind
from trading.domain.errors import NotAllowed, StaleDecision
from trading.execution import balance_check
from trading.execution.adjustments import adjust_break, adjustment_payload, describe_adjustment
from trading.execution.approvals import act_or_propose, approve, refuse
from trading.models import ApprovalRequest, AuditEntry, Balance, Break, HaltState, Movement


@pytest.fixture
def drifted(world: World) -> Break:
    world.venue.set_balance("USDT", "99000")
    world.sync()
    return Break.objects.get(kind="balance", subject="USDT")


def books() -> dict[str, object]:
    """Everything that an adjustment could move."""
    return {
        "movements": Movement.objects.count(),
        "balances": list(Balance.objects.order_by("asset").values()),
        "breaks": list(Break.objects.values()),
        "told": AuditEntry.objects.exclude(kind__startswith="approval.").count(),
    }


def ask(row: Break, actor: Actor) -> object:
    return act_or_propose(
        ApprovalKind.ADJUSTMENT,
        adjustment_payload(row),
        subject=describe_adjustment(row),
        reason="a fee by hand",
        actor=actor,
    )


@pytest.mark.parametrize("mode", ["testnet", "production"])
@pytest.mark.parametrize("minutes", [None, 5.1])
def test_without_a_fresh_factor_nothing_moves(drifted, settings, mode, minutes):
    settings.LEVI_MODE = mode
    before, payload = books(), adjustment_payload(drifted)
    for verb in (
        lambda: ask(drifted, person("anna", minutes)),
        lambda: adjust_break(drifted.pk, payload=payload, reason="mine", actor=person("anna", minutes)),
    ):
        with pytest.raises(NotAllowed) as refused:
            verb()
        assert refused.value.code == "second_factor_required"
    assert books() == before and not ApprovalRequest.objects.exists()


def test_a_program_cannot_prove_a_factor(drifted, settings):
    settings.LEVI_MODE = "testnet"
    before = books()
    with pytest.raises(NotAllowed, match="second factor"):
        ask(drifted, Actor(ActorKind.CLIENT, "bot"))
    assert books() == before


def test_in_production_one_person_with_every_proof_moves_nothing(drifted, settings):
    settings.LEVI_MODE = "production"
    before, payload = books(), adjustment_payload(drifted)
    with pytest.raises(NotAllowed) as alone:
        adjust_break(drifted.pk, payload=payload, reason="mine", actor=person("anna"))
    assert alone.value.code == "second_person_required"
    row = ask(drifted, person("anna"))
    assert isinstance(row, ApprovalRequest) and row.state == "pending"
    with pytest.raises(NotAllowed) as same:
        approve(row.pk, actor=person("anna"))
    assert same.value.code == "same_person"
    with pytest.raises(NotAllowed):
        approve(row.pk, actor=person("ben", minutes_ago=6))
    with pytest.raises(StaleDecision):  # an approval that was never given is none
        adjust_break(drifted.pk, payload=payload, reason="mine", actor=person("anna"), approval=row)
    refuse(row.pk, reason="ask the venue first", actor=person("ben"))
    assert books() == before


def test_in_production_the_second_persons_word_moves_it_once(drifted, settings):
    settings.LEVI_MODE = "production"
    payload, row = adjustment_payload(drifted), ask(drifted, person("anna"))
    done = approve(row.pk, actor=person("ben"))
    drifted.refresh_from_db()
    assert (drifted.state, drifted.resolution) == ("resolved", "adjusted")
    assert Movement.objects.filter(kind="adjustment").count() == 1
    with pytest.raises(NotAllowed):
        adjust_break(drifted.pk, payload=payload, reason="again", actor=person("anna"), approval=done)
    assert Movement.objects.filter(kind="adjustment").count() == 1


def test_an_approval_for_other_numbers_moves_nothing(drifted, settings, world: World):
    settings.LEVI_MODE = "production"
    row = ask(drifted, person("anna"))
    Break.objects.filter(pk=drifted.pk).update(theirs=98_000, last_seen_at=timezone.now())
    before = books()
    with pytest.raises(StaleDecision):
        approve(row.pk, actor=person("ben"))
    assert books() == before


def test_an_adjustment_in_the_middle_of_a_look_counts_once_and_opens_nothing_anew(
    drifted, world, monkeypatch
):
    """The look had seen the difference, and was about to write it down once more."""
    write_down = balance_check._set_drift

    def adjust_first(*look, **about):
        monkeypatch.undo()
        adjust_break(drifted.pk, payload=adjustment_payload(drifted), reason="a fee", actor=person("anna"))
        return write_down(*look, **about)

    monkeypatch.setattr(balance_check, "_set_drift", adjust_first)
    assert world.sync().balances == "moving"
    row = Balance.objects.get(asset="USDT")
    assert (row.booked, row.drift, row.free + row.locked) == (99_000, 0, 99_000)
    assert not Break.objects.exclude(state="resolved").exists()
    assert world.sync().balances == "equal"


def test_a_difference_that_is_gone_while_the_books_move_keeps_its_break_until_the_next_look(
    drifted, world, monkeypatch
):
    write_down = balance_check._set_drift

    def trade_first(*look, **about):
        monkeypatch.undo()
        world.buy("0.01")
        return write_down(*look, **about)

    monkeypatch.setattr(balance_check, "_set_drift", trade_first)
    HaltState.objects.update(state="active")
    world.venue.set_balance("USDT", "100000")
    assert world.sync().balances == "moving"
    assert Break.objects.get(pk=drifted.pk).state == "open"
    assert world.sync().balances == "equal" and world.balances_agree()
    assert Break.objects.get(pk=drifted.pk).resolution == "gone"
