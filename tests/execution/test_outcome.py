"""What a request came to. After a byte may have left, nothing is sent again and the books end at the venue's truth."""

from __future__ import annotations

import pytest

from simulator.testing import start_venue
from tests.making import World, evidence_of, fresh, let_time_pass, make_account, status_of
from trading.connections import exchange_for
from trading.domain.outcomes import Exchanged, NotSentOutcome, Placed, Refused, Unknown
from trading.domain.steps import MAX_NOT_SENT
from trading.execution.dispatch import dispatch_order
from trading.execution.in_doubt import expire_lease, resolve_order
from trading.execution.outcome import record_outcome
from trading.execution.poller import advance_order
from trading.models import HaltState, Order, OrderAttempt

DOUBTFUL = [
    ("drop_before", {}, False),
    ("drop_after", {}, True),
    ("latency", {"seconds": 2.5}, True),
    ("http_status", {"status": 502, "body": "<html>"}, False),
    ("http_status", {"status": 500, "processed": True}, True),
    ("error_code", {"status": 400, "code": 987654, "msg": "news"}, False),
    ("malformed", {"variant": "html"}, True),
    ("malformed", {"variant": "truncated"}, True),
    ("malformed", {"variant": "wrong_types"}, True),
    ("malformed", {"variant": "nan"}, True),
    ("malformed", {"variant": "partial"}, True),
    ("malformed", {"variant": "huge"}, True),
]


def resolve_to_the_end(order: Order) -> str:
    """As the poller would over half a minute, at the venue's own answers."""
    for _ in range(8):
        advance_order(order.id)
        if status_of(order) in ("open", "filled", "not_accepted"):
            break
        let_time_pass(order, 10)
    return status_of(order)


@pytest.mark.parametrize(("kind", "more", "is_there"), DOUBTFUL)
def test_an_unclear_answer_is_doubt_and_ends_in_the_venues_truth(world: World, kind, more, is_there):
    order = world.approve(price="49000")
    world.fault(kind, count=1, **more)
    assert isinstance(dispatch_order(order.id), Unknown)
    doubtful = fresh(order)
    assert doubtful.status == "in_doubt" and doubtful.next_action_at > doubtful.doubt_since
    assert ("placement", "unknown") in evidence_of(order)
    assert dispatch_order(order.id) is None  # whoever is rung again
    world.venue.clear_faults()
    assert resolve_to_the_end(order) == ("open" if is_there else "not_accepted")
    assert [row["client_order_id"] for row in world.venue.orders()] == [order.client_order_id] * is_there
    assert len(world.placements()) == 1


@pytest.mark.parametrize(
    ("code", "message", "status"),
    [
        (30004, "Insufficient balance", "rejected"),
        (10101, "Insufficient balance", "rejected"),
        (30016, "Trading disabled", "rejected"),
        (700003, "timestamp outside the window", "not_accepted"),
        (700007, "no right", "not_accepted"),
    ],
)
def test_a_definite_refusal_ends_the_order_and_reserves_nothing(world: World, code, message, status):
    world.change_limits(max_open_orders=1)
    order = world.approve(price="49000")
    world.fault("error_code", status=400, code=code, msg=message, count=1)
    assert isinstance(dispatch_order(order.id), Refused)
    order = fresh(order)
    assert order.status == status and str(code) in order.status_reason and message in order.status_reason
    assert order.finished_at and order.next_action_at is None
    attempt = OrderAttempt.objects.get(order=order)
    assert (attempt.outcome, attempt.venue_code, attempt.http_status) == ("refused", str(code), 400)
    assert dispatch_order(order.id) is None and len(world.placements()) == 1
    assert world.submit(price="49000").decision.facts["pending_buy"] == "0"


def test_the_venue_itself_refuses_what_the_account_cannot_pay(world: World):
    order = world.approve("1", price="49000")
    world.venue.set_balance("USDT", "100")
    assert isinstance(dispatch_order(order.id), Refused)
    assert status_of(order) == "rejected" and world.venue.orders() == []


def test_a_duplicate_id_at_the_venue_is_evidence_and_no_refusal(world: World):
    order = world.approve(price="49000")
    world.fault("error_code", status=400, code=-2010, msg="Duplicate order sent.", count=1)
    dispatch_order(order.id)
    assert status_of(order) == "in_doubt"


def test_a_refused_connection_is_proof_that_nothing_left(world: World):
    venue = start_venue(seed=7, tick_ms=0, limits="off")
    try:
        account = make_account(venue, "second")
        type(world.account).objects.filter(pk=world.account.pk).update(is_default=False)
        second = World(venue, account)
        second.sync()
        order = second.approve(account="second", price="49000")
        exchange = exchange_for(account)
        exchange.warm_up()
        venue.stop()
        exchange.close()  # the pooled connection; the line still believes that it is warm
        outcome = dispatch_order(order.id)
        assert isinstance(outcome, NotSentOutcome) and outcome.exchanged.sent_at is None
        waiting = fresh(order)
        assert (waiting.status, waiting.not_sent_count, waiting.attempt) == ("approved", 1, 1)
        assert OrderAttempt.objects.get(order=order).outcome == "not_sent"
        second.venue = start_venue(port=venue.port, seed=7, tick_ms=0, limits="off")
        assert isinstance(dispatch_order(order.id), Placed)
        assert (status_of(order), fresh(order).attempt) == ("open", 2)
        assert len(second.venue.orders()) == len(second.placements()) == 1
    finally:
        second.venue.stop()


def permit_only(world: World, monkeypatch, outcome) -> Order:
    """An order whose process took the permit and then did not report."""
    order = world.approve(price="49000")
    with monkeypatch.context() as patch:
        patch.setattr("trading.execution.dispatch.record_outcome", lambda *_: None)
        patch.setattr(type(exchange_for(world.account)), "place_order", lambda *_: outcome)
        dispatch_order(order.id)
    assert status_of(order) == "submitting"
    return order


NOTHING_LEFT = NotSentOutcome("test")


def test_after_five_times_not_sent_the_intent_lapses(world: World, monkeypatch):
    order = permit_only(world, monkeypatch, NOTHING_LEFT)
    for number in range(1, MAX_NOT_SENT):
        record_outcome(order.id, number, NOTHING_LEFT)
        assert (status_of(order), fresh(order).not_sent_count) == ("approved", number)
        with monkeypatch.context() as patch:
            patch.setattr("trading.execution.dispatch.record_outcome", lambda *_: None)
            patch.setattr(type(exchange_for(world.account)), "place_order", lambda *_: NOTHING_LEFT)
            dispatch_order(order.id)
    record_outcome(order.id, MAX_NOT_SENT, NOTHING_LEFT)
    assert status_of(order) == "lapsed" and "not sent" in fresh(order).status_reason
    assert world.placements() == []


def test_not_sent_after_expiry_lapses_at_once(world: World, monkeypatch):
    order = permit_only(world, monkeypatch, NOTHING_LEFT)
    let_time_pass(order, 600)
    record_outcome(order.id, 1, NOTHING_LEFT)
    assert status_of(order) == "lapsed"


def test_a_lease_that_is_over_means_doubt_and_nobody_sends_again(world: World, monkeypatch):
    order = permit_only(world, monkeypatch, NOTHING_LEFT)
    assert not expire_lease(order.id) and status_of(order) == "submitting"
    let_time_pass(order, 21)
    advance_order(order.id)
    assert status_of(order) == "in_doubt" and ("lease", "expired") in evidence_of(order)
    assert dispatch_order(order.id) is None
    assert resolve_to_the_end(order) == "not_accepted" and world.placements() == []


def late(world: World, order: Order) -> Placed:
    """The request of the stopped process does reach the venue, and its answer comes late."""
    from trading.exchanges.clock import boot_seconds
    from trading.execution.dispatch import Permit, _place_request

    exchange = exchange_for(world.account)
    row = fresh(order)
    permit = Permit(row, row.attempt, row.permit_at, exchange.venue_time_ms(), boot_seconds() + 1)
    outcome = exchange.place_order(_place_request(permit))
    assert isinstance(outcome, Placed)
    return outcome


def test_an_outcome_after_the_lease_is_evidence_only_and_leads_to_adoption(world: World, monkeypatch):
    order = permit_only(world, monkeypatch, NOTHING_LEFT)
    let_time_pass(order, 21)
    advance_order(order.id)
    outcome = late(world, order)
    record_outcome(order.id, 1, outcome)
    kept = fresh(order)
    assert (kept.status, kept.exchange_order_id) == ("in_doubt", outcome.exchange_order_id)
    assert ("placement", "late_placed") in evidence_of(order)
    resolve_order(order.id)
    assert status_of(order) == "open"
    assert HaltState.objects.get(scope="account").state == "active"


@pytest.mark.parametrize("outcome", [Refused("30004", "no"), Unknown("?"), NOTHING_LEFT, Placed("other-id")])
def test_the_outcome_of_an_older_attempt_moves_nothing(world: World, monkeypatch, outcome):
    order = permit_only(world, monkeypatch, NOTHING_LEFT)
    record_outcome(order.id, 0, outcome)
    assert status_of(order) == "submitting"
    assert evidence_of(order)[-1][1].startswith("late_")


def test_a_given_up_order_that_shows_up_late_is_reopened_and_halts_the_account(world: World, monkeypatch):
    order = permit_only(world, monkeypatch, NOTHING_LEFT)
    let_time_pass(order, 21)
    assert resolve_to_the_end(order) == "not_accepted"
    record_outcome(order.id, 1, late(world, order))
    assert status_of(order) == "not_accepted"  # the venue must say so itself
    advance_order(order.id)
    assert status_of(order) == "open"
    halt = HaltState.objects.get(scope="account", target="paper")
    assert (halt.state, halt.trigger) == ("halted", "late_evidence")


def test_the_record_of_an_attempt_holds_the_answer_but_no_signature(world: World):
    order = world.approve(price="49000")
    dispatch_order(order.id)
    attempt = OrderAttempt.objects.get(order=order)
    assert attempt.request.startswith("POST /") and fresh(order).exchange_order_id in attempt.answer
    assert "signature" not in attempt.request and world.venue.key not in attempt.request
    assert Exchanged().answer == ""
