"""Resolving doubt: presence by any sight of the order, absence only by the whole proof, never by counting failures."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.making import World, evidence_of, fresh, let_time_pass, status_of
from tests.worlds import every_venue
from trading.domain.doubt import NOT_FOUND_SPACING
from trading.execution.dispatch import dispatch_order
from trading.execution.in_doubt import resolve_order
from trading.execution.poller import advance_order
from trading.models import AuditEntry, HaltState, Order
from trading.queries.portfolio import exposure_rows

PROOF_SECONDS = 1 + 2 + 10 + 5  # permit, window, processing bound, margin
SPACING = NOT_FOUND_SPACING.total_seconds()


def doubtful(world: World, *, accepted: bool, **more) -> Order:
    order = world.approve(**({"price": "49000"} | more))
    world.fault("drop_after" if accepted else "drop_before", count=1)
    dispatch_order(order.id)
    world.venue.clear_faults()
    assert status_of(order) == "in_doubt"
    return fresh(order)


def ask(order: Order, *, after: float) -> str:
    let_time_pass(order, after)
    return resolve_order(order.id)


@every_venue
def test_an_accepted_order_is_adopted_by_the_first_query(world: World):
    order = doubtful(world, accepted=True)
    assert resolve_order(order.id) == "open"
    order = fresh(order)
    assert order.exchange_order_id == world.name_of(world.venue.orders()[0], "order_id")
    assert (order.doubt_since, order.not_found_at) == (None, []) and order.acknowledged_at
    assert len(world.placements()) == 1


def test_a_filled_order_is_adopted_with_its_fills(world: World):
    order = doubtful(world, accepted=True, price=None)
    assert resolve_order(order.id) == "filled"
    assert world.position() == world.position_at_venue() == Decimal("0.01")


@every_venue
def test_the_negative_proof_needs_three_answers_after_the_last_possible_acceptance(world: World):
    order = doubtful(world, accepted=False)
    assert ask(order, after=0) == "in_doubt"
    assert ask(order, after=PROOF_SECONDS - 1) == "in_doubt"
    assert fresh(order).not_found_at == []
    verdicts = [ask(order, after=2), ask(order, after=SPACING), ask(order, after=SPACING)]
    assert verdicts == ["in_doubt", "in_doubt", "not_accepted"]
    assert "proven" in fresh(order).status_reason
    assert world.venue.orders() == [] and len(world.placements()) == 1
    assert dispatch_order(order.id) is None  # proven absent, and still never sent again


def test_answers_too_close_together_count_once(world: World):
    order = doubtful(world, accepted=False)
    ask(order, after=PROOF_SECONDS + 1)
    for _ in range(5):
        assert ask(order, after=0) == "in_doubt"
    assert len(fresh(order).not_found_at) == 1


def test_the_open_orders_and_the_fills_are_asked_as_well(world: World):
    order = doubtful(world, accepted=False)
    ask(order, after=PROOF_SECONDS + 1)
    row = fresh(order)
    proof_begins = row.permit_at + timedelta(seconds=PROOF_SECONDS)
    assert row.open_orders_clear_at >= proof_begins and row.fills_clear_at >= proof_begins
    assert world.venue.requests(path="/api/v3/openOrders") and world.venue.requests(path="/api/v3/myTrades")


@pytest.mark.parametrize("path", ["/api/v3/openOrders", "/api/v3/myTrades"])
def test_without_one_of_the_witnesses_there_is_no_proof(world: World, path):
    order = doubtful(world, accepted=False)
    world.fault("http_status", method="GET", path=path, status=503)
    ask(order, after=PROOF_SECONDS + 1)
    for _ in range(4):
        assert ask(order, after=SPACING) == "in_doubt"
    world.venue.clear_faults()
    assert ask(order, after=SPACING) == "not_accepted"


def test_a_failed_query_empties_the_count(world: World):
    order = doubtful(world, accepted=False)
    ask(order, after=PROOF_SECONDS + 1)
    ask(order, after=SPACING)
    assert len(fresh(order).not_found_at) == 2
    world.fault("malformed", method="GET", variant="html")
    assert ask(order, after=SPACING) == "in_doubt" and fresh(order).not_found_at == []
    assert ("query", "failed") in evidence_of(order)
    world.venue.clear_faults()
    verdicts = [ask(order, after=SPACING) for _ in range(3)]
    assert verdicts == ["in_doubt", "in_doubt", "not_accepted"]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "http_status", "status": 500},
        {"kind": "drop_before"},
        {"kind": "malformed", "variant": "wrong_types"},
        {"kind": "error_code", "status": 400, "code": 700002, "msg": "signature"},
        {"kind": "error_code", "status": 200, "code": 10072, "msg": "key"},
    ],
)
def test_no_number_of_failed_queries_proves_anything(world: World, fault):
    order = doubtful(world, accepted=True)
    world.fault(method="GET", **fault)
    ask(order, after=PROOF_SECONDS)
    for _ in range(6):
        assert ask(order, after=SPACING) == "in_doubt"
    world.venue.clear_faults()
    assert ask(order, after=SPACING) == "open"


def test_a_read_that_lags_gives_no_wrong_verdict(world: World):
    """Queries and lists do not see the order yet: the order is given time, and when it shows up it is adopted."""
    order = doubtful(world, accepted=True)
    world.fault("not_found", method="GET", path="*", seconds=60)
    for seconds in (0.5, 1, 2, 4, 8):
        assert ask(order, after=seconds) == "in_doubt"
    world.venue.clear_faults()
    assert ask(order, after=1) == "open"
    assert len(world.venue.orders()) == 1


def test_a_query_that_lags_is_overruled_by_the_list_of_open_orders(world: World):
    order = doubtful(world, accepted=True)
    world.fault("not_found", method="GET", seconds=60)
    assert ask(order, after=PROOF_SECONDS + 1) == "open"


def test_a_query_that_lags_is_overruled_by_the_fills(world: World):
    order = doubtful(world, accepted=True, price=None)
    world.fault("not_found", method="GET", seconds=60)
    assert ask(order, after=PROOF_SECONDS + 1) == "filled"
    assert world.position() == world.position_at_venue() == Decimal("0.01")


def test_after_fifteen_minutes_it_is_quarantined_and_counts_in_full(world: World):
    order = doubtful(world, accepted=True)
    world.fault("http_status", method="GET", status=503)
    assert ask(order, after=15 * 60 + 1) == "quarantined"
    (row,) = exposure_rows(world.account)
    assert row.pending_buy == Decimal("0.01")
    world.change_limits(max_open_orders=1)
    assert world.submit(price="49000").decision.codes == ["max_open_orders"]
    assert fresh(order).next_action_at > fresh(order).updated_at
    world.venue.clear_faults()
    assert ask(order, after=300) == "open"  # it is asked about further


@pytest.mark.parametrize("status", ["submitting", "in_doubt", "open"])
def test_an_order_on_its_way_counts_in_full(world: World, status, monkeypatch):
    if status == "open":
        world.rest()
    elif status == "in_doubt":
        doubtful(world, accepted=False)
    else:
        order = world.approve(price="49000")
        monkeypatch.setattr("trading.execution.dispatch.record_outcome", lambda *_: None)
        dispatch_order(order.id)
    assert Order.objects.get().status == status
    assert world.submit(price="49000").decision.facts["pending_buy"] == "0.01"
    assert exposure_rows(world.account)[0].pending_buy == Decimal("0.02")


def test_doubt_about_one_order_blocks_no_other(world: World):
    doubtful(world, accepted=False)
    assert world.buy().status == "filled"
    assert HaltState.objects.exclude(state="active").count() == 0


def test_the_poller_asks_when_it_is_time(world: World):
    order = doubtful(world, accepted=True)
    advance_order(order.id)
    assert status_of(order) == "open"


def test_every_step_of_the_way_is_in_the_audit_trail(world: World):
    order = doubtful(world, accepted=False)
    for seconds in (PROOF_SECONDS + 1, SPACING, SPACING):
        ask(order, after=seconds)
    kinds = AuditEntry.objects.filter(object_id=str(order.pk)).order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["order.approved", "order.submitting", "order.in_doubt", "order.not_accepted"]
