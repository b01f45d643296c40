"""A person's word on a quarantined order: the venue's word wins, and a wrong word costs a halt, not a position."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from tests.execution.test_in_doubt import ask, doubtful
from tests.making import PERSON, World, evidence_of, fresh, status_of
from tests.worlds import every_venue
from trading.domain.enums import QuarantineVerdict
from trading.domain.errors import InvalidInput, NotAllowed, UnknownName, VenueUnavailable
from trading.execution.resolution import resolve_quarantined
from trading.models import AuditEntry, HaltState, Order
from trading.queries.portfolio import exposure_rows

NOT_ACCEPTED, CANCELED, ADOPT = QuarantineVerdict


def blind(world: World) -> list[dict[str, object]]:
    return [
        {"match": {"method": "GET", "path": path}, "kind": "http_status", "status": 500}
        for path in (*world.paths.orders, world.paths.fills)
    ]


def quarantined(world: World, *, accepted: bool, **more) -> Order:
    order = doubtful(world, accepted=accepted, **more)
    world.venue.faults(blind(world))
    assert ask(order, after=15 * 60 + 1) == "quarantined"
    world.venue.clear_faults()
    return fresh(order)


def resolve(
    order: Order, verdict: QuarantineVerdict, reason: str = "seen on the venue's page", **more
) -> str:
    return resolve_quarantined(order.id, verdict, reason=reason, actor=PERSON, **more).status


def account_is_halted(world: World) -> bool:
    return HaltState.objects.get(scope="account", target=world.account.name).state == "halted"


def test_it_counts_in_full_until_the_word_and_not_after_it(world: World):
    order = quarantined(world, accepted=False)
    assert [row.pending_buy for row in exposure_rows(world.account)] == [Decimal("0.01")]
    assert resolve(order, NOT_ACCEPTED) == "not_accepted"
    assert exposure_rows(world.account) == []


@pytest.mark.parametrize(
    ("limit", "code"),
    [("exposure_limit_symbol", "exposure_symbol"), ("exposure_limit_total", "exposure_total")],
)
def test_another_order_is_denied_because_of_it_until_the_word(world: World, limit, code):
    world.change_limits(**{limit: "800"})  # each of the orders is worth about 500
    order = quarantined(world, accepted=False)
    denied = world.submit("0.01", price="49000")
    assert (denied.status, denied.decision.codes) == ("denied", [code])
    row = next(check for check in denied.decision.checks if not check["passed"])
    assert Decimal(row["observed"]) == Decimal("0.02") * 50000
    assert resolve(order, NOT_ACCEPTED) == "not_accepted"
    assert world.submit("0.01", price="49000").status == "approved"
    assert len(world.placements()) == 1


@pytest.mark.parametrize("mode", ["testnet", "production"])
@pytest.mark.parametrize("minutes", [None, 6])
def test_outside_paper_mode_the_word_takes_a_fresh_factor(world: World, settings, mode, minutes):
    order = quarantined(world, accepted=False)
    settings.LEVI_MODE = mode
    asked = len(world.venue.requests())
    stale = replace(PERSON, factor_at=minutes and timezone.now() - timedelta(minutes=minutes))
    for verdict, more in ((NOT_ACCEPTED, {}), (CANCELED, {}), (ADOPT, {"exchange_order_id": "C02__1"})):
        with pytest.raises(NotAllowed) as refused:
            resolve_quarantined(order.id, verdict, reason="seen", actor=stale, **more)
        assert refused.value.code == "second_factor_required"
    assert status_of(order) == "quarantined" and len(world.venue.requests()) == asked
    assert not AuditEntry.objects.filter(kind="quarantine.resolved").exists()
    assert [row.pending_buy for row in exposure_rows(world.account)] == [Decimal("0.01")]
    fresh_factor = replace(PERSON, factor_at=timezone.now())
    assert (
        resolve_quarantined(order.id, NOT_ACCEPTED, reason="seen", actor=fresh_factor).status
        == "not_accepted"
    )


def test_the_word_is_evidence_and_audited_with_the_person_and_the_reason(world: World):
    order = quarantined(world, accepted=False)
    resolve(order, CANCELED, "the venue's support says so")
    assert ("operator", "canceled") in evidence_of(order)
    entry = AuditEntry.objects.get(kind="quarantine.resolved")
    assert (entry.actor, entry.data["verdict"]) == (str(PERSON), "canceled")
    assert entry.data["reason"] == "the venue's support says so"
    assert "olga" in fresh(order).status_reason
    assert len(world.placements()) == 1, "nothing is ever sent again"


@pytest.mark.parametrize("verdict", [NOT_ACCEPTED, CANCELED])
def test_what_the_venue_shows_wins_over_any_word(world: World, verdict):
    order = quarantined(world, accepted=True)
    assert resolve(order, verdict) == "open"
    assert not account_is_halted(world)


@pytest.mark.parametrize("verdict", [NOT_ACCEPTED, CANCELED])
def test_a_wrong_word_is_reopened_by_late_evidence_and_halts_the_account(world: World, verdict):
    order = quarantined(world, accepted=True)
    world.venue.faults(blind(world)[:1])
    assert resolve(order, verdict) == "not_accepted"
    world.venue.clear_faults()
    world.sync()
    assert status_of(order) == "open"
    assert account_is_halted(world)
    assert AuditEntry.objects.filter(kind="alarm.order", object_id=str(order.id)).exists()


def test_a_wrong_word_on_a_filled_order_ends_with_its_position(world: World):
    order = quarantined(world, accepted=True, price=None)
    world.venue.faults(blind(world)[:1])
    assert resolve(order, NOT_ACCEPTED) == "not_accepted"
    world.venue.clear_faults()
    world.sync()
    assert world.position() == world.position_at_venue() == Decimal("0.01")
    assert account_is_halted(world)


@every_venue
def test_an_order_is_adopted_by_the_venue_id(world: World):
    order = quarantined(world, accepted=True)
    (at_venue,) = world.venue.orders()
    assert resolve(order, ADOPT, exchange_order_id=at_venue["order_id"]) == "open"
    assert fresh(order).exchange_order_id == world.name_of(at_venue, "order_id")


def test_an_order_of_somebody_else_is_not_adopted(world: World):
    order = quarantined(world, accepted=False)
    another = world.rest()
    with pytest.raises(InvalidInput, match="another"):
        resolve(order, ADOPT, exchange_order_id=another.exchange_order_id)
    assert status_of(order) == "quarantined"


def test_an_id_that_the_venue_does_not_know_is_not_believed(world: World):
    order = quarantined(world, accepted=False)
    with pytest.raises(UnknownName):
        resolve(order, ADOPT, exchange_order_id="C02__999999")
    assert status_of(order) == "quarantined"
    assert ("operator", "adopt") not in evidence_of(order)


def test_without_an_answer_of_the_venue_nothing_is_adopted(world: World):
    order = quarantined(world, accepted=True)
    world.venue.faults(blind(world)[:1])
    with pytest.raises(VenueUnavailable):
        resolve(order, ADOPT, exchange_order_id="C02__1")
    world.venue.clear_faults()
    assert status_of(order) == "quarantined"


@pytest.mark.parametrize(
    "verdict, more",
    [(NOT_ACCEPTED, {"reason": "  "}), (ADOPT, {}), (CANCELED, {"exchange_order_id": "C02__1"})],
)
def test_an_incomplete_word_moves_nothing(world: World, verdict, more):
    order = quarantined(world, accepted=False)
    with pytest.raises(InvalidInput):
        resolve(order, verdict, **more)
    assert status_of(order) == "quarantined"


def test_only_a_quarantined_order_takes_a_word(world: World):
    order = doubtful(world, accepted=False)
    with pytest.raises(NotAllowed, match="in_doubt"):
        resolve(order, NOT_ACCEPTED)
    assert status_of(order) == "in_doubt"
