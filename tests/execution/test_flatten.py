"""Flatten: closes what is held through the whole protocol, also while halted, once, and never more than is held."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.db.utils import ProgrammingError
from django.utils import timezone

from tests.making import PERSON, World, add_foreign_order, fresh, make_account
from trading.domain.actors import Actor, ActorKind
from trading.domain.enums import HaltScope, OrderOrigin, TradingState
from trading.domain.errors import InvalidInput, NotAllowed, StaleDecision, UnknownName
from trading.execution import closing, flatten_runs
from trading.execution.approvals import approve
from trading.execution.cancellation import request_cancel, send_cancel
from trading.execution.dispatch import dispatch_order
from trading.execution.flatten import flatten, flatten_payload, payload_of_scope
from trading.execution.flatten_requests import flatten_after, flatten_or_propose
from trading.execution.flatten_runs import LONGEST, claim_flattening, run_flattening, waiting_flattenings
from trading.execution.following import follow_order
from trading.execution.halts import engage, release
from trading.execution.intake import submit
from trading.execution.rebuilding import compare_books
from trading.execution.sweep import run_sweep
from trading.models import (
    Alert,
    ApprovalRequest,
    AuditEntry,
    Balance,
    Break,
    Flattening,
    HaltState,
    Instrument,
    Order,
    Sweep,
)
from trading.stop_flag import find_stop_flag

ALL = HaltScope.EVERYTHING
EVERY_POSITION = flatten_payload()


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch) -> None:
    monkeypatch.setattr(flatten_runs, "_PAUSES", (0.0,))
    monkeypatch.setattr(closing, "_FAIL_PAUSES", (0,))


def stop(scope: HaltScope = ALL, target: str = "", **more: Any):
    return engage(scope, target, **({"reason": "test", "actor": PERSON, "cancel": None} | more))


def close(payload: dict[str, Any] = EVERY_POSITION, **more: Any) -> Flattening:
    row = flatten(payload, **({"reason": "out of here", "actor": PERSON} | more))
    return run_flattening(row.id)


def closing_orders() -> list[Order]:
    return list(Order.objects.filter(origin=OrderOrigin.FLATTEN).order_by("created_at"))


def lines(row: Flattening) -> dict[str, tuple[str, str]]:
    return {name: (line["state"], line["left"]) for name, line in row.report.items()}


def test_everything_is_closed_while_everything_is_halted(world: World, settings):
    world.buy("0.01")
    world.buy("0.2", symbol="ETH/USDT")
    world.sync()
    stop()
    assert find_stop_flag(settings.STOP_FLAG) is not None
    row = close()
    assert row.state == "flat" and row.finished_at
    assert lines(row) == {"paper BTC/USDT": ("flat", "0"), "paper ETH/USDT": ("flat", "0")}
    assert world.position_at_venue() == world.position() == 0
    assert world.position_at_venue("ETHUSDT") == 0
    assert HaltState.objects.get(scope="everything").state == "halted"
    for order in closing_orders():
        assert (order.side, order.order_type, order.reduce_only, order.status) == (
            "SELL",
            "MARKET",
            True,
            "filled",
        )
        assert order.decision.allowed and order.attempts.count() == 1
        kinds = AuditEntry.objects.filter(object_id=str(order.pk)).values_list("kind", flat=True)
        assert {"order.approved", "order.submitting", "fill.booked", "order.filled"} <= set(kinds)
    assert [entry.data["reason"] for entry in AuditEntry.objects.filter(kind="flatten.requested")] == [
        "out of here"
    ]


def test_what_a_fee_in_the_base_asset_left_of_it_is_what_is_held_and_closed(world: World):
    world.venue.settings(fee_asset="base")
    world.buy("0.02")
    world.sync()
    held = Balance.objects.get(asset="BTC")
    assert Decimal(0) < world.position() < Decimal("0.02")
    assert world.position() == held.free == held.booked
    assert not Break.objects.exists()
    row = close()
    world.sync()
    assert (
        Balance.objects.get(asset="BTC").free
        == world.position()
        == Decimal(row.report["paper BTC/USDT"]["left"])
    )
    assert lines(row)["paper BTC/USDT"][0] in ("flat", "dust")
    assert not list(compare_books(world.account)) and not Break.objects.exists()


def test_an_ordinary_reduce_only_order_does_not_pass_a_halt(world: World):
    world.buy("0.01")
    world.sync()
    stop()
    order = world.submit("0.01", side="SELL", reduce_only=True)
    assert order.status == "denied" and "halted" in order.status_reason
    assert len(world.placements()) == 1


def test_nobody_can_ask_for_the_origin_that_passes(world: World):
    world.buy("0.01")
    stop()
    with pytest.raises(InvalidInput):
        world.submit("0.01", side="SELL", reduce_only=True, origin="flatten")
    order = submit(
        {"symbol": "BTC/USDT", "side": "BUY", "quantity": "0.01"},
        actor=PERSON,
        key="k",
        origin=OrderOrigin.FLATTEN,
    ).order
    assert order.status == "denied"  # what is not reduce-only is asked everything


def test_a_second_halt_voids_a_closing_order_that_was_not_sent(world: World, monkeypatch):
    world.buy("0.01")
    world.sync()
    stop()
    with monkeypatch.context() as patch:
        patch.setattr(closing, "advance_order", lambda _id: None)
        row = flatten(EVERY_POSITION, reason="x", actor=PERSON)
        monkeypatch.setattr(flatten_runs, "_verdict", lambda *_: "running")
        flatten_runs._one_round(claim_flattening(row.id))
    (order,) = closing_orders()
    stop()
    assert dispatch_order(order.id) is None and fresh(order).status == "lapsed"
    assert len(world.placements()) == 1


def test_a_missing_state_stops_even_this(world: World):
    world.buy("0.01")
    world.sync()
    HaltState.objects.filter(scope="instrument", target="BTC/USDT").delete()
    row = flatten(EVERY_POSITION, reason="x", actor=PERSON)
    Flattening.objects.update(requested_at=timezone.now() - LONGEST)
    row = run_flattening(row.id)
    assert row.state == "remains" and {order.status for order in closing_orders()} == {"denied"}
    assert "halt_state_unreadable" in row.report["paper BTC/USDT"]["why"] or closing_orders()
    assert len(world.placements()) == 1


def test_it_is_sized_by_the_position_less_what_is_pending(world: World):
    world.buy("0.01")
    world.rest("60000", "0.004", side="SELL")
    world.sync()
    row = flatten(EVERY_POSITION, reason="x", actor=PERSON)
    Flattening.objects.update(requested_at=timezone.now() - LONGEST)
    row = run_flattening(row.id)
    (order,) = [order for order in closing_orders() if order.status != "denied"]
    assert order.quantity == Decimal("0.006")
    assert row.state in ("running", "remains")
    assert world.position() >= Decimal("0.004")


def test_it_waits_for_the_cancels_of_the_sweep_and_then_sells_what_they_set_free(
    live_world: World, monkeypatch
):
    world = live_world
    monkeypatch.setattr("trading.execution.sweep.LAST_ACCEPTANCE", timedelta(0))
    world.buy("0.01")
    resting = world.rest("60000", "0.01", side="SELL")
    world.sync()
    assert Balance.objects.get(asset="BTC").locked > 0
    done = stop(cancel="ours")
    row = flatten_after(done, reason="out", actor=PERSON)
    assert isinstance(row, Flattening) and row.sweep_id == done.sweep_id
    flatten_runs._one_round(claim_flattening(row.id))
    assert closing_orders() == []  # the resting order holds what is to be sold
    run_sweep(done.sweep_id)
    assert fresh(resting).status == "canceled" and Sweep.objects.get().verdict == "clean"
    Balance.objects.update(observed_at=timezone.now() - timedelta(minutes=1))
    assert run_flattening(row.id).state == "flat"
    assert world.position_at_venue() == world.position() == 0


def test_a_large_position_is_closed_in_as_many_orders_as_the_venue_wants(world: World):
    world.buy("0.01")
    world.sync()
    Instrument.objects.filter(symbol="BTC/USDT").update(max_quantity=Decimal("0.004"))
    world.change_limits(max_order_notional="10", max_orders_per_minute=1, allowed_symbols=["ETH/USDT"])
    row = close()
    assert row.state == "flat" and world.position() == 0
    assert [order.quantity for order in closing_orders()] == [
        Decimal("0.004"),
        Decimal("0.004"),
        Decimal("0.002"),
    ]
    waived = {check["rule"]: check["note"] for check in closing_orders()[0].decision.checks if check["note"]}
    assert "flatten" in waived["maximum_order_notional"] and "flatten" in waived["symbol_allowed"]


def test_dust_is_reported_and_not_ordered(world: World):
    world.buy("0.01")
    world.sync()
    Instrument.objects.filter(symbol="BTC/USDT").update(min_quantity=Decimal("0.02"))
    row = close()
    assert row.state == "flat" and lines(row)["paper BTC/USDT"] == ("dust", "0.01")
    assert "minimum of 0.02" in row.report["paper BTC/USDT"]["why"]
    assert closing_orders() == [] and len(world.placements()) == 1


def test_a_venue_without_market_orders_gets_one_that_ends_at_once_within_the_collar(world: World):
    world.buy("0.01")
    world.sync()
    Instrument.objects.filter(symbol="BTC/USDT").update(order_types=["LIMIT", "LIMIT_MAKER"])
    world.change_limits(price_collar_pct="2")
    row = close()
    (order,) = closing_orders()
    assert (order.order_type, order.time_in_force) == ("LIMIT", "IOC")
    assert order.price == Decimal("49100")
    assert row.state == "flat" and world.position() == 0


def test_asked_twice_it_is_one_and_two_runners_make_one_order(world: World):
    world.buy("0.01")
    world.sync()
    first = flatten(EVERY_POSITION, reason="x", actor=PERSON)
    second = flatten(EVERY_POSITION, reason="again", actor=PERSON)
    assert first.id == second.id and Flattening.objects.count() == 1
    assert AuditEntry.objects.filter(kind="flatten.requested").count() == 1
    row = claim_flattening(first.id)
    assert row is not None
    # The second runner believes, as the first did, that nothing is on its way yet.
    position = flatten_runs.positions_of(row)[0]
    room = closing._room(row, position, [])
    closing._order(row, position, room, 1)
    closing._order(row, position, room, 1)
    assert len(closing_orders()) == 1 and len(world.placements()) == 2
    run_flattening(first.id)
    assert world.position() == 0 and len(world.placements()) == 2


def test_what_cannot_be_closed_is_itemised_and_alarmed(world: World):
    world.buy("0.01")
    world.sync()
    Instrument.objects.filter(symbol="BTC/USDT").update(is_tradable=False)
    row = flatten(EVERY_POSITION, reason="x", actor=PERSON)
    Flattening.objects.update(requested_at=timezone.now() - LONGEST)
    row = run_flattening(row.id)
    assert row.state == "remains" and lines(row)["paper BTC/USDT"][1] == "0.01"
    assert Alert.objects.get(event="flatten.remains").severity == "critical"
    assert world.position() == Decimal("0.01") and len(world.placements()) == 1


def test_a_part_of_one_position_is_closed_and_no_more(world: World):
    world.buy("0.01")
    world.buy("0.2", symbol="ETH/USDT")
    world.sync()
    row = close(flatten_payload("paper", "BTC/USDT", quantity=Decimal("0.004")))
    assert row.state == "flat" and lines(row) == {"paper BTC/USDT": ("done", "0.006")}
    assert world.position() == Decimal("0.006") and world.position("ETH/USDT") == Decimal("0.2")


def test_a_scope_closes_its_own_positions_only(world: World):
    world.buy("0.01")
    world.buy("0.2", symbol="ETH/USDT")
    world.sync()
    assert payload_of_scope(HaltScope.ACCOUNT, "paper", None) == flatten_payload("paper")
    close(payload_of_scope(HaltScope.INSTRUMENT, "ETH/USDT", None))
    assert world.position() == Decimal("0.01") and world.position("ETH/USDT") == 0
    with pytest.raises(InvalidInput) as caught:
        payload_of_scope(HaltScope.STRATEGY, "momentum", None)
    assert caught.value.code == "flatten_needs_account_or_symbol"


def test_a_foreign_order_is_left_alone(world: World):
    world.buy("0.01")
    name = add_foreign_order(world)
    world.sync()
    stop()
    close()
    assert world.position() == 0 and world.cancels() == []
    assert Order.objects.get(exchange_order_id=name).status == "open"


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        (flatten_payload("nobody"), UnknownName),
        (flatten_payload("", "NO/SUCH"), UnknownName),
        (flatten_payload("paper", quantity=Decimal(1)), InvalidInput),
    ],
)
def test_what_does_not_exist_is_not_flattened(world: World, payload, error):
    with pytest.raises(error):
        flatten(payload, reason="x", actor=PERSON)
    assert not Flattening.objects.exists()


def test_outside_paper_mode_it_takes_a_second_factor_and_in_production_a_second_person(
    world: World, settings
):
    settings.LEVI_MODE = "testnet"
    with pytest.raises(NotAllowed) as caught:
        flatten(EVERY_POSITION, reason="x", actor=PERSON)
    assert caught.value.code == "second_factor_required"
    settings.LEVI_MODE = "production"
    olga, ben = (Actor(ActorKind.OPERATOR, name, factor_at=timezone.now()) for name in ("olga", "ben"))
    with pytest.raises(NotAllowed) as caught:
        flatten(EVERY_POSITION, reason="x", actor=olga)
    assert caught.value.code == "second_person_required" and not Flattening.objects.exists()
    asked = flatten_or_propose(EVERY_POSITION, reason="out", actor=olga)
    assert isinstance(asked, ApprovalRequest) and "every position" in asked.subject
    with pytest.raises(NotAllowed):
        approve(asked.id, actor=olga)
    approve(asked.id, actor=ben)
    row = Flattening.objects.get()
    assert (row.state, row.actor) == ("running", "operator:olga")
    with pytest.raises(StaleDecision):
        flatten(EVERY_POSITION, reason="x", actor=olga, approval=asked)


def test_a_halt_stands_even_if_the_wish_to_flatten_is_refused(world: World, settings):
    settings.LEVI_MODE = "production"
    done = stop()
    refused = flatten_after(done, reason="out", actor=PERSON)
    assert isinstance(refused, NotAllowed) and refused.code == "second_factor_required"
    assert HaltState.objects.get(scope="everything").state == "halted"


def test_it_is_taken_up_by_whoever_finds_it_waiting(world: World):
    row = flatten(EVERY_POSITION, reason="x", actor=PERSON)
    assert waiting_flattenings() == [row.id] and waiting_flattenings(for_seconds=3) == []
    Flattening.objects.update(requested_at=F("requested_at") - timedelta(seconds=5))
    assert waiting_flattenings(for_seconds=3) == [row.id]
    Flattening.objects.update(leased_by="another", leased_until=timezone.now() + timedelta(seconds=9))
    assert claim_flattening(row.id) is None and waiting_flattenings() == []


def test_with_nothing_held_it_is_flat_at_once(world: World):
    assert close().state == "flat" and closing_orders() == []


def test_a_flattening_never_disappears(world: World):
    flatten(EVERY_POSITION, reason="x", actor=PERSON)
    with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM trading_flattening")


def test_while_reducing_two_sells_that_together_would_flip_the_position_do_not_both_pass(world: World):
    world.buy("0.01")
    world.sync()
    for scope, target in ((ALL, ""), (HaltScope.ACCOUNT, "paper"), (HaltScope.INSTRUMENT, "BTC/USDT")):
        stop(scope, target, state=TradingState.REDUCING)
        first = world.submit("0.007", price="60000", side="SELL", reduce_only=True)
        assert first.status == "approved", first.status_reason
        second = world.submit("0.007", price="60000", side="SELL", reduce_only=True)
        assert second.status == "denied" and "reduce_only_would_open" in second.status_reason
        assert world.submit("0.001", side="BUY").status == "denied"
        dispatch_order(first.id)
        assert fresh(first).status == "open"
        third = world.submit("0.003", price="60000", side="SELL", reduce_only=True)
        assert third.status == "approved", third.status_reason
        for order in (first, third):
            request_cancel(order.id, actor=PERSON)
            send_cancel(order.id)
            follow_order(order.id)
        release(scope, target, reason="next", actor=PERSON)
        world.sync()


def test_another_accounts_position_is_no_excuse(world: World):
    world.buy("0.01")
    make_account(world.venue, "second")
    stop(state=TradingState.REDUCING)
    order = world.submit("0.01", account="second", side="SELL", reduce_only=True)
    assert order.status == "denied"
