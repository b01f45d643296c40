"""The sweep: cancels what is ours, proves what it claims, and names what it could not prove."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F

from tests.making import PERSON, World, add_foreign_order, fresh, make_account, status_of
from tests.worlds import every_live_venue
from trading.domain.client_order_id import client_order_id
from trading.domain.enums import CancelScope, HaltScope
from trading.execution import sweep as sweeping
from trading.execution.dispatch import dispatch_order
from trading.execution.dispatch_limits import LAST_ACCEPTANCE
from trading.execution.halts import engage
from trading.execution.sweep import LONGEST, claim_sweep, run_sweep, waiting_sweeps
from trading.models import AuditEntry, HaltState, Order, Sweep
from trading.models.columns import new_id


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch):
    monkeypatch.setattr(sweeping, "_PAUSES", (0,))


def age(sweep_id, span: timedelta) -> None:
    Sweep.objects.filter(pk=sweep_id).update(engaged_at=F("engaged_at") - span)


def halt(scope: HaltScope = HaltScope.EVERYTHING, target: str = "", *, age_by=LAST_ACCEPTANCE, **more):
    sweep_id = engage(scope, target, reason="test", actor=PERSON, **more).sweep_id
    age(sweep_id, age_by)
    return sweep_id


@every_live_venue
def test_it_cancels_ours_leaves_foreign_orders_and_says_clean_with_proof(live_world: World):
    mine, waiting = [live_world.rest(), live_world.rest("48500")], live_world.approve()
    add_foreign_order(live_world)
    live_world.sync()
    sweep = run_sweep(halt())
    assert sweep.verdict == "clean" and sweep.finished_at and sweep.first_cancel_at
    assert [status_of(order) for order in mine] == ["canceled", "canceled"]
    assert status_of(waiting) == "lapsed"
    at_venue = {row["client_order_id"]: row["status"] for row in live_world.venue.orders()}
    assert at_venue.pop("by-hand") == "NEW" and set(at_venue.values()) == {"CANCELED"}
    assert sweep.report["paper"] == {"unresolved": [], "open": [], "foreign": 1}
    assert AuditEntry.objects.get(kind="sweep.clean").data["survivors"] == {}
    assert len(live_world.placements()) == 3


def test_what_ended_in_our_books_and_is_open_at_the_venue_is_canceled_too(live_world: World):
    """A person had said that the venue does not have it. The venue had only hidden it."""
    order = live_world.rest()
    Order.objects.filter(pk=order.pk).update(status="canceled", next_action_at=None)
    sweep = run_sweep(halt())
    assert sweep.verdict == "clean" and sweep.first_cancel_at
    assert [row["status"] for row in live_world.venue.orders()] == ["CANCELED"]
    assert status_of(order) == "canceled"
    assert AuditEntry.objects.filter(kind="cancel.sent", object_id=str(order.pk)).exists()


@every_live_venue
def test_everything_means_foreign_orders_too(live_world: World):
    live_world.rest()
    add_foreign_order(live_world)
    sweep = run_sweep(halt(cancel=CancelScope.EVERYTHING))
    assert sweep.verdict == "clean"
    assert {row["status"] for row in live_world.venue.orders()} == {"CANCELED"}


@pytest.mark.parametrize(
    ("scope", "target", "left", "requests"),
    [
        (HaltScope.INSTRUMENT, "BTC/USDT", {"theirs in ether", "ours in ether"}, ["BTCUSDT"]),
        (
            HaltScope.INSTRUMENT,
            "SOL/USDT",
            {"theirs", "ours", "theirs in ether", "ours in ether"},
            ["SOLUSDT"],
        ),
        (HaltScope.STRATEGY, "momentum", {"theirs", "ours", "theirs in ether"}, []),
    ],
)
def test_everything_under_a_narrow_halt_leaves_what_lies_outside_of_it_alone(
    live_world: World, scope, target, left, requests
):
    """Judged by the venue's ledger and journal: no request of the sweep names an account as a whole."""
    ids = {
        "ours": live_world.rest().exchange_order_id,
        "ours in ether": live_world.rest(
            "2900", "0.1", symbol="ETH/USDT", strategy="momentum"
        ).exchange_order_id,
        "theirs": add_foreign_order(live_world),
        "theirs in ether": add_foreign_order(live_world, "by-hand-2", "2900", "ETHUSDT"),
    }
    live_world.sync()
    mark = live_world.venue.health()["requests"]
    sweep = run_sweep(halt(scope, target, cancel=CancelScope.EVERYTHING))
    assert sweep.verdict == "clean" and sweep.report["paper"]["foreign"] == len(left)
    status = {row["order_id"]: row["status"] for row in live_world.venue.orders()}
    assert {name for name, order_id in ids.items() if status[order_id] == "NEW"} == left
    assert {status[ids[name]] for name in ids.keys() - left} <= {"CANCELED"}
    asked = live_world.venue.requests(mark, method="DELETE")
    assert {row["path"] for row in asked} <= {"/api/v3/order", "/api/v3/openOrders"}
    cleared = {row["params"]["symbol"] for row in asked if row["path"] == "/api/v3/openOrders"}
    assert cleared == set(requests)


def test_the_second_order_under_a_strategys_name_survives_its_sweep_by_name(live_world: World):
    """It has a name of ours and no strategy: an orphan that a person looks at."""
    ours = live_world.rest(quantity="0.001", strategy="momentum")
    double = add_foreign_order(live_world, ours.client_order_id)
    sweep = run_sweep(halt(HaltScope.STRATEGY, "momentum", age_by=LONGEST))
    assert sweep.verdict == "survivors"
    at_venue = {row["order_id"]: row["status"] for row in live_world.venue.orders()}
    assert at_venue == {ours.exchange_order_id: "CANCELED", double: "NEW"}
    named = [f"{ours.client_order_id} a second time (venue id {double})"]
    assert sweep.report["paper"]["open"] == named
    assert AuditEntry.objects.get(kind="sweep.survivors").data["survivors"]["paper"]["open"] == named
    assert HaltState.objects.get(scope="account", target="paper").trigger == "orphan"


@pytest.mark.parametrize(
    ("scope", "target", "left"),
    [
        (HaltScope.ACCOUNT, "paper", []),
        (HaltScope.INSTRUMENT, "BTC/USDT", ["ether"]),
        (HaltScope.STRATEGY, "momentum", ["bitcoin"]),
    ],
)
def test_a_narrow_halt_sweeps_its_own_scope_only(live_world: World, scope, target, left):
    orders = {
        "bitcoin": live_world.rest(),
        "ether": live_world.rest("2900", "0.1", symbol="ETH/USDT", strategy="momentum"),
    }
    assert run_sweep(halt(scope, target)).verdict == "clean"
    assert [name for name, order in orders.items() if status_of(order) == "open"] == left


def test_clean_is_not_said_before_nothing_sent_earlier_can_be_accepted_any_more(world: World):
    sweep_id = halt(age_by=timedelta(0))
    rounds = []

    def pass_time(sweep: Sweep) -> None:
        rounds.append(sweep.report)
        if len(rounds) == 3:
            age(sweep_id, LAST_ACCEPTANCE)

    sweep = run_sweep(sweep_id, progress=pass_time)
    assert sweep.verdict == "clean"
    # Three rounds that prove nothing, then the first of the two that do.
    assert len(rounds) == 4 and sweep.rounds == 5


def test_an_account_that_cannot_be_asked_is_never_clean(world: World):
    make_account(world.venue, "second")
    type(world.account).objects.filter(name="second").update(base_url="http://127.0.0.1:9/mexc")
    sweep = run_sweep(halt(age_by=LONGEST))
    assert sweep.verdict == "survivors"
    assert sweep.report["second"]["unasked"] and not sweep.report["paper"].get("unasked")
    survivors = AuditEntry.objects.get(kind="sweep.survivors").data["survivors"]
    assert list(survivors) == ["second"]


@pytest.mark.parametrize("variant", ["html", "truncated", "wrong_types"])
def test_an_unreadable_list_is_not_an_empty_one(world: World, variant):
    add_foreign_order(world)
    world.fault("malformed", method="GET", path="/api/v3/openOrders", variant=variant)
    sweep = run_sweep(halt(age_by=LONGEST))
    assert sweep.verdict == "survivors" and sweep.report["paper"]["unasked"]


def test_an_order_in_doubt_keeps_it_from_being_clean_until_the_doubt_is_over(world: World):
    order = world.approve(price="49000")
    world.fault("drop_before", count=1)
    dispatch_order(order.id)
    world.fault("http_status", method="GET", status=503)
    sweep = run_sweep(halt(age_by=LONGEST))
    assert sweep.verdict == "survivors"
    assert sweep.report["paper"]["unresolved"] == [order.client_order_id]


def test_an_order_in_doubt_that_shows_up_is_canceled(live_world: World):
    order = live_world.approve(price="49000")
    live_world.fault("drop_after", count=1)
    dispatch_order(order.id)
    live_world.venue.clear_faults()
    Order.objects.filter(pk=order.pk).update(next_action_at=F("doubt_since"))
    assert run_sweep(halt()).verdict == "clean"
    assert status_of(order) == "canceled"


def test_a_cancel_that_gets_lost_is_sent_again(live_world: World):
    order = live_world.rest()
    live_world.fault("drop_before", method="DELETE", count=2)
    assert run_sweep(halt()).verdict == "clean"
    assert status_of(order) == "canceled" and len(live_world.cancels()) == 3


def test_a_fill_during_the_sweep_is_booked(live_world: World):
    order = live_world.rest()
    sweep_id = halt()
    live_world.venue.fill(order.client_order_id)
    assert run_sweep(sweep_id).verdict == "clean"
    assert status_of(order) == "filled" and fresh(order).cancel_state == "too_late"
    assert live_world.position() == live_world.position_at_venue()


def test_an_order_of_ours_that_the_database_lost_is_found_and_canceled(live_world: World, settings):
    lost = client_order_id(settings.INSTANCE_ID, new_id())
    add_foreign_order(live_world, lost)
    assert run_sweep(halt()).verdict == "clean"
    order = Order.objects.get(client_order_id=lost)
    assert (order.origin, order.status) == ("orphan", "canceled")
    assert HaltState.objects.get(scope="account").trigger == "orphan"


def test_a_sweep_that_begins_late_still_looks_twice(world: World):
    assert run_sweep(halt(age_by=LONGEST * 3)).verdict == "clean"


def test_a_lease_keeps_a_second_process_out_and_runs_out(world: World, monkeypatch):
    sweep_id = halt()
    assert waiting_sweeps() == [sweep_id]
    assert claim_sweep(sweep_id) is not None and claim_sweep(sweep_id) is not None
    assert waiting_sweeps() == []
    monkeypatch.setattr(sweeping, "process_name", lambda: "other@host:1")
    assert claim_sweep(sweep_id) is None
    assert run_sweep(sweep_id).verdict == "running"
    Sweep.objects.update(leased_until=F("engaged_at"))
    assert waiting_sweeps() == [sweep_id]
    assert run_sweep(sweep_id).verdict == "clean"


def test_an_ended_sweep_is_not_run_again(world: World):
    sweep_id = halt()
    run_sweep(sweep_id)
    asked = len(world.venue.requests())
    assert run_sweep(sweep_id).verdict == "clean" and claim_sweep(sweep_id) is None
    assert len(world.venue.requests()) == asked
    assert AuditEntry.objects.filter(kind="sweep.clean").count() == 1


def test_a_sweep_needs_no_broker(live_world: World, dead_broker):
    order = live_world.rest()
    assert run_sweep(halt()).verdict == "clean" and status_of(order) == "canceled"


def test_since_when_nothing_is_seen_is_said_before_it_is_proven(world: World, monkeypatch):
    seen: list[bool] = []
    engagement = engage(HaltScope.EVERYTHING, reason="test", actor=PERSON)

    def watch(sweep):
        seen.append(Sweep.objects.get(pk=sweep.pk).emptied_at is not None)
        Sweep.objects.filter(pk=sweep.pk).update(engaged_at=F("engaged_at") - LAST_ACCEPTANCE)

    done = run_sweep(engagement.sweep_id, progress=watch)
    assert done.verdict == "clean" and seen[0] is True
    assert done.emptied_at is not None and done.emptied_at < done.finished_at
