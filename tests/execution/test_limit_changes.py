"""Limits as versions: scopes, overrides that fall back, changes that meet, and the question which applied then."""

from __future__ import annotations

import time
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from tests.making import PERSON, World, fresh, run_together
from trading.domain.actors import Actor, ActorKind
from trading.domain.enums import HaltScope, OrderStatus
from trading.domain.errors import InvalidInput, NotAllowed, StaleDecision, UnknownName
from trading.execution.accounts import set_strategy_enabled
from trading.execution.approvals import approve
from trading.execution.dispatch import dispatch_order
from trading.execution.limit_changes import LimitsChange, change_limits, write_version
from trading.execution.limit_proposals import change_or_propose
from trading.models import ApprovalRequest, AuditEntry, LimitsVersion, Strategy
from trading.queries.limits import applying_scopes, limits_in_force, read_limits

ACCOUNT = {"scope": HaltScope.ACCOUNT, "target": "paper"}


def change(actor=PERSON, **changes) -> LimitsVersion:
    about = {
        name: changes.pop(name)
        for name in ("scope", "target", "effective_at", "expires_at", "seen_version")
        if name in changes
    }
    return change_limits(changes, reason="tests", actor=actor, **about)


def soon(seconds: float):
    return timezone.now() + timedelta(seconds=seconds)


def past(row: LimitsVersion, **times) -> None:
    """A version of the past, written as it would have been then: rows are never edited."""
    values = {name: getattr(row, name) for name in LimitsVersion.LIMIT_FIELDS}
    LimitsVersion(scope=row.scope, target=row.target, reason="past", actor="tests", **values, **times).save()


def test_every_scope_that_applies_must_hold_and_the_record_names_the_one_that_bound(world: World):
    world.change_limits(max_order_notional="900")
    change(max_order_notional="700", **ACCOUNT)
    change(max_order_notional="400", scope=HaltScope.INSTRUMENT, target="BTC/USDT")
    order = world.submit("0.01")
    assert order.decision.codes == ["max_order_notional"]
    check = next(check for check in order.decision.checks if check["rule"] == "maximum_order_notional")
    version = limits_in_force(HaltScope.INSTRUMENT, "BTC/USDT").version
    assert (check["limit"], check["source"]) == ("400", f"instrument BTC/USDT v{version}")
    assert order.limits_versions == read_limits(applying_scopes("paper", "BTC/USDT", None)).versions
    assert len(order.limits_versions) == 3
    assert world.submit("0.2", symbol="ETH/USDT").status == "approved"


def test_a_change_of_any_scope_lapses_what_was_not_sent(world: World):
    order = world.approve()
    change(max_open_orders=1000, scope=HaltScope.INSTRUMENT, target="ETH/USDT")
    other = world.approve()
    change(max_open_orders=1000, **ACCOUNT)
    assert dispatch_order(order.id) is None and dispatch_order(other.id) is None
    assert fresh(order).status == fresh(other).status == OrderStatus.LAPSED
    assert "limits changed" in fresh(order).status_reason and world.placements() == []


def test_a_change_elsewhere_lapses_nothing(world: World):
    order = world.approve()
    change(max_open_orders=1000, scope=HaltScope.INSTRUMENT, target="ETH/USDT")
    assert dispatch_order(order.id) is not None


def test_an_override_that_runs_out_falls_back_by_itself_and_voids_what_it_approved(world: World):
    world.change_limits(max_order_notional="100")
    lasting = limits_in_force()
    override = change(max_order_notional="1000", expires_at=soon(0.7))
    order = world.approve("0.01")
    assert limits_in_force() == override
    time.sleep(0.75)  # no job runs: only the clock
    assert limits_in_force() == lasting
    assert dispatch_order(order.id) is None and world.placements() == []
    assert world.submit("0.01").decision.codes == ["max_order_notional"]


def test_a_lasting_change_builds_on_the_lasting_version_not_on_the_override(world: World):
    world.change_limits(max_order_notional="100", max_open_orders=7)
    override = change(max_order_notional="1000", expires_at=soon(60))
    with pytest.raises(StaleDecision) as refused:
        change(max_open_orders=8)
    assert refused.value.code == "would_void_version"
    after = change(max_open_orders=8, seen_version=override.version)
    assert (after.max_order_notional, after.max_open_orders) == (Decimal(100), 8)
    assert limits_in_force() == after


def test_an_override_builds_on_what_is_in_force(world: World):
    world.change_limits(max_order_notional="100")
    change(max_order_notional="50", expires_at=soon(60))
    second = change(max_open_orders=3, expires_at=soon(30))
    assert (second.max_order_notional, second.max_open_orders) == (Decimal(50), 3)


def test_an_override_that_begins_later_builds_on_what_will_be_in_force_then(world: World):
    world.change_limits(max_order_notional="100", max_open_orders=7)
    change(max_order_notional="1000", expires_at=soon(60))
    after_it = change(max_open_orders=3, effective_at=soon(90), expires_at=soon(120))
    assert (after_it.max_order_notional, after_it.max_open_orders) == (Decimal(100), 3)
    within_it = change(max_open_orders=2, effective_at=soon(30), expires_at=soon(50))
    assert (within_it.max_order_notional, within_it.max_open_orders) == (Decimal(1000), 2)


def test_a_scheduled_version_waits_and_a_newer_one_must_have_seen_it(world: World):
    before = limits_in_force()
    waiting = change(max_open_orders=3, effective_at=soon(3600))
    assert limits_in_force() == before
    with pytest.raises(StaleDecision):
        change(max_open_orders=4)
    assert change(max_open_orders=4, seen_version=waiting.version).max_open_orders == 4
    # A temporary tightening is never held up by what waits.
    assert change(max_open_orders=1, expires_at=soon(60)).max_open_orders == 1


def test_who_did_not_see_the_newest_version_is_refused(world: World):
    seen = limits_in_force().version
    change(max_open_orders=5)
    with pytest.raises(StaleDecision):
        change(max_open_orders=6, seen_version=seen)
    assert limits_in_force().max_open_orders == 5


def test_two_changes_at_once_lose_neither(live_world: World):
    outcomes = run_together(
        *[
            lambda name=name: change(**{name: 7})
            for name in ("max_open_orders", "max_orders_per_minute", "max_concurrent_positions")
        ]
    )
    assert all(isinstance(outcome, LimitsVersion) for outcome in outcomes), outcomes
    row = limits_in_force()
    assert (row.max_open_orders, row.max_orders_per_minute, row.max_concurrent_positions) == (7, 7, 7)


def test_of_two_that_saw_the_same_version_one_is_told_so(live_world: World):
    seen = limits_in_force().version
    outcomes = run_together(*[lambda n=n: change(max_open_orders=n, seen_version=seen) for n in range(4)])
    assert sum(isinstance(outcome, LimitsVersion) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, StaleDecision) for outcome in outcomes) == 3


def test_which_limits_applied_then_is_one_query(world: World, django_assert_num_queries):
    now = timezone.now()
    first = limits_in_force()
    narrow = change(max_order_notional="400", **ACCOUNT)
    scopes = applying_scopes("paper", "BTC/USDT", None)
    with django_assert_num_queries(1):
        assert [row.version for row in read_limits(scopes, now).rows] == [first.version]
    assert [row.version for row in read_limits(scopes, timezone.now()).rows] == [
        first.version,
        narrow.version,
    ]


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        (LimitsChange({"max_open_orders": 1}, HaltScope.ACCOUNT, "nobody"), UnknownName),
        (LimitsChange({"max_open_orders": 1}, HaltScope.EVERYTHING, "x"), InvalidInput),
        (LimitsChange({"max_daily_loss_pct": "1"}, HaltScope.INSTRUMENT, "BTC/USDT"), InvalidInput),
        (LimitsChange({"max_open_orders": 1}, effective_at=timezone.now() - timedelta(days=1)), InvalidInput),
        (LimitsChange({"max_open_orders": 1}, expires_at=timezone.now() - timedelta(days=1)), InvalidInput),
        (LimitsChange({"max_open_orders": 1}, expires_at=timezone.now() + timedelta(days=40)), InvalidInput),
    ],
)
def test_a_senseless_change_writes_nothing(world: World, wanted, error):
    count = LimitsVersion.objects.count()
    with pytest.raises(error):
        write_version(wanted, reason="tests", actor=PERSON)
    assert LimitsVersion.objects.count() == count


def test_a_strategy_that_repeats_too_often_is_disabled_until_a_person_enables_it(world: World):
    world.approve("0.01", strategy="loop")
    change(max_repeated_executions=3, scope=HaltScope.STRATEGY, target="loop")
    for _order in range(2):
        world.approve("0.01", strategy="loop")
    assert world.submit("0.01", strategy="loop").decision.codes == ["repeated_executions"]
    assert not Strategy.objects.get(name="loop").is_enabled
    assert AuditEntry.objects.filter(kind="strategy.tripped").count() == 1
    assert world.submit("0.01", strategy="loop").decision.codes == [
        "strategy_disabled",
        "repeated_executions",
    ]
    assert AuditEntry.objects.filter(kind="strategy.tripped").count() == 1
    set_strategy_enabled(Strategy.objects.get(name="loop"), True, actor=PERSON)
    assert world.submit("0.01", strategy="loop").status == "approved"
    assert world.submit("0.01").status == "approved", "without a strategy nothing is counted"


# -- two people -------------------------------------------------------------------------------------------------------
def person(name: str) -> Actor:
    return Actor(ActorKind.OPERATOR, name, factor_at=timezone.now())


@pytest.fixture
def production(world: World, settings):
    world.change_limits(max_order_notional="500")
    settings.LEVI_MODE = "production"
    return world


def test_in_production_a_loosening_takes_two_people_and_a_tightening_one(production):
    tightened = change_or_propose(
        LimitsChange({"max_order_notional": "400"}), reason="calm", actor=person("olga")
    )
    assert isinstance(tightened, LimitsVersion)
    asked = change_or_propose(
        LimitsChange({"max_order_notional": "900"}), reason="busy", actor=person("olga")
    )
    assert isinstance(asked, ApprovalRequest) and "max_order_notional" in asked.subject
    assert limits_in_force().max_order_notional == 400
    with pytest.raises(NotAllowed):
        approve(asked.id, actor=person("olga"))
    approve(asked.id, actor=person("paul"))
    row = limits_in_force()
    assert (row.max_order_notional, row.actor, row.approved_by) == (900, "operator:olga", "operator:paul")


def test_in_production_no_door_gets_around_the_second_person(production):
    count = LimitsVersion.objects.count()
    with pytest.raises(NotAllowed):
        change_limits({"max_order_notional": "900"}, reason="alone", actor=person("olga"))
    with pytest.raises(NotAllowed):
        change_limits(
            {"max_order_notional": "900"}, reason="alone", actor=person("olga"), expires_at=soon(60)
        )
    with pytest.raises(NotAllowed):  # a program can ask for nothing
        change_or_propose(
            LimitsChange({"max_order_notional": "900"}), reason="x", actor=Actor(ActorKind.CLIENT, "bot")
        )
    assert LimitsVersion.objects.count() == count


def test_a_proposal_is_void_once_the_limits_it_was_made_on_changed(production):
    asked = change_or_propose(
        LimitsChange({"max_order_notional": "900"}), reason="busy", actor=person("olga")
    )
    change(actor=person("rita"), max_order_notional="300")
    with pytest.raises(StaleDecision):
        approve(asked.id, actor=person("paul"))
    assert limits_in_force().max_order_notional == 300


@pytest.fixture
def overridden(production):
    """For a minute two people allow twice as much."""
    asked = change_or_propose(
        LimitsChange({"max_order_notional": "1000"}, expires_at=soon(60)), reason="busy", actor=person("olga")
    )
    approve(asked.id, actor=person("paul"))
    return limits_in_force()


@pytest.mark.parametrize(
    "more", [{}, {"effective_at": 90}, {"effective_at": 90, "expires_at": 180}, {"expires_at": 120}]
)
def test_what_two_people_allowed_for_a_minute_one_cannot_make_last(overridden, more):
    """Less than the override allows, but more than what holds after it."""
    times = {name: soon(seconds) for name, seconds in more.items()}
    wanted = LimitsChange({"max_order_notional": "999"}, seen_version=overridden.version, **times)
    with pytest.raises(NotAllowed):
        write_version(wanted, reason="alone", actor=person("olga"))
    asked = change_or_propose(wanted, reason="alone", actor=person("olga"))
    assert isinstance(asked, ApprovalRequest) and "max_order_notional" in asked.subject
    assert limits_in_force() == overridden


def test_what_will_be_tightened_is_not_loosened_again_by_one_person(production):
    waiting = change(actor=person("olga"), max_order_notional="100", effective_at=soon(60))
    wanted = LimitsChange(
        {"max_order_notional": "400"},
        effective_at=soon(90),
        expires_at=soon(120),
        seen_version=waiting.version,
    )
    with pytest.raises(NotAllowed):
        write_version(wanted, reason="alone", actor=person("olga"))
    assert LimitsVersion.objects.order_by("-version").first() == waiting


def test_what_was_allowed_for_a_minute_is_tightened_or_ended_by_one_person(overridden):
    wanted = LimitsChange({"max_order_notional": "800"}, expires_at=overridden.expires_at)
    tightened = change_or_propose(wanted, reason="calmer", actor=person("olga"))
    assert isinstance(tightened, LimitsVersion) and limits_in_force() == tightened
    ended = change_or_propose(
        LimitsChange({"max_open_orders": 5}, seen_version=tightened.version),
        reason="calm",
        actor=person("olga"),
    )
    assert isinstance(ended, LimitsVersion) and limits_in_force().max_order_notional == 500
