"""Cancels: never blocked, never forgotten, and final only by the venue's own word."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest

from tests.making import (
    PERSON,
    World,
    add_foreign_order,
    begin,
    evidence_of,
    fresh,
    let_time_pass,
    make_account,
    status_of,
)
from tests.worlds import every_venue
from trading.connections import exchange_for
from trading.domain.enums import CancelScope, Environment, HaltScope
from trading.domain.errors import ConfigurationError, InvalidInput, UnknownName
from trading.domain.outcomes import CancelAccepted, CancelRefused, Unknown
from trading.execution import dispatch
from trading.execution.accounts import set_account_enabled
from trading.execution.cancellation import cancel_all, request_cancel, send_cancel
from trading.execution.dispatch import dispatch_order
from trading.execution.following import follow_order
from trading.execution.halts import engage
from trading.execution.outcome import record_outcome
from trading.execution.poller import advance_order
from trading.models import AuditEntry, Instrument, Order


def cancel(order: Order) -> Order:
    request_cancel(order.id, actor=PERSON)
    advance_order(order.id)
    return fresh(order)


def test_an_approved_order_ends_at_once_and_is_never_sent(world: World):
    order = world.approve()
    request_cancel(order.id, actor=PERSON)
    assert status_of(order) == "lapsed" and fresh(order).status_reason == "canceled before it was sent"
    assert dispatch_order(order.id) is None and world.venue.orders() == []
    assert world.cancels() == []


@every_venue
def test_an_open_order_is_canceled_and_confirmed_by_the_venue(world: World):
    order = world.rest()
    requested = request_cancel(order.id, actor=PERSON)
    assert (requested.status, requested.cancel_state) == ("open", "requested")
    assert isinstance(send_cancel(order.id), CancelAccepted)
    assert (status_of(order), fresh(order).cancel_state) == ("open", "sent")  # accepted is no proof
    follow_order(order.id)
    assert (status_of(order), fresh(order).cancel_state) == ("canceled", "confirmed")
    assert world.venue.orders()[0]["status"] == "CANCELED"
    kinds = AuditEntry.objects.filter(object_id=str(order.pk)).order_by("id").values_list("kind", flat=True)
    assert list(kinds)[-3:] == ["cancel.requested", "cancel.sent", "order.canceled"]


def test_a_partly_filled_order_keeps_what_was_filled(world: World):
    order = world.rest()
    world.venue.fill(order.client_order_id, "0.004")
    follow_order(order.id)
    ended = cancel(order)
    assert (ended.status, ended.cancel_state, ended.filled_quantity) == (
        "canceled",
        "confirmed",
        Decimal("0.004"),
    )
    assert world.position() == world.position_at_venue() == Decimal("0.004")


def test_a_fill_that_overtakes_the_cancel_wins(world: World):
    order = world.rest()
    request_cancel(order.id, actor=PERSON)
    world.venue.fill(order.client_order_id)
    assert isinstance(send_cancel(order.id), CancelRefused)
    follow_order(order.id)
    ended = fresh(order)
    assert (ended.status, ended.cancel_state) == ("filled", "too_late")
    assert world.position() == Decimal("0.01")


@pytest.mark.parametrize("status", ["submitting", "in_doubt"])
def test_a_cancel_waits_for_an_order_that_the_venue_has_not_shown_yet(world: World, monkeypatch, status):
    order = world.approve(price="49000")
    if status == "submitting":
        with monkeypatch.context() as patch:
            patch.setattr("trading.execution.dispatch.record_outcome", lambda *_: None)
            dispatch_order(order.id)
    else:
        world.fault("drop_after", count=1)
        dispatch_order(order.id)
    assert status_of(order) == status
    request_cancel(order.id, actor=PERSON)
    assert send_cancel(order.id) is None and world.cancels() == []
    for _ in range(4):
        let_time_pass(order, 21)
        advance_order(order.id)
    assert (status_of(order), fresh(order).cancel_state) == ("canceled", "confirmed")
    assert world.venue.orders()[0]["status"] == "CANCELED"


def test_a_cancel_while_submitting_stops_a_second_attempt(world: World, settings):
    order = world.approve()
    settings.STOP_FLAG.touch()
    with pytest.MonkeyPatch.context() as patch:
        seen: list[object] = []
        patch.setattr(dispatch, "record_outcome", lambda *outcome: seen.append(outcome))
        dispatch_order(order.id)
    request_cancel(order.id, actor=PERSON)
    record_outcome(*seen[0])
    settings.STOP_FLAG.unlink()
    assert status_of(order) == "lapsed" and dispatch_order(order.id) is None
    assert world.venue.orders() == []


@pytest.mark.parametrize(
    "halt", [(HaltScope.EVERYTHING, ""), (HaltScope.ACCOUNT, "paper"), (HaltScope.INSTRUMENT, "BTC/USDT")]
)
def test_no_halt_blocks_a_cancel(world: World, halt):
    order = world.rest()
    engage(*halt, reason="test", actor=PERSON, cancel=None)
    set_account_enabled(world.account, False, actor=PERSON, reason="test")
    assert cancel(order).status == "canceled"


@pytest.mark.parametrize(
    "fault", [{"kind": "drop_before"}, {"kind": "drop_after"}, {"kind": "malformed", "variant": "html"}]
)
def test_an_unclear_answer_to_a_cancel_leads_to_the_truth(world: World, fault):
    order = world.rest()
    request_cancel(order.id, actor=PERSON)
    world.fault(method="DELETE", count=1, **fault)
    assert isinstance(send_cancel(order.id), Unknown)
    assert fresh(order).cancel_state == "in_doubt" and ("cancel", "Unknown") in evidence_of(order)
    advance_order(order.id)
    assert (status_of(order), fresh(order).cancel_state) == ("canceled", "confirmed")


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop_before"},
        {"kind": "http_status", "status": 503},
        {"kind": "error_code", "status": 400, "code": 700003, "msg": "timestamp"},
    ],
)
def test_a_cancel_of_an_old_order_is_sent_again_until_the_venue_has_it(world: World, fault):
    order = world.rest()
    let_time_pass(order, 3600)
    request_cancel(order.id, actor=PERSON)
    world.fault(method="DELETE", count=2, **fault)
    for _ in range(8):
        advance_order(order.id)
        if status_of(order) != "open":
            break
        assert fresh(order).next_action_at, "nobody would come back to it"
        let_time_pass(order, 5)
    assert (status_of(order), fresh(order).cancel_state) == ("canceled", "confirmed")


def test_a_cancel_that_the_venue_swallowed_can_be_asked_for_again(world: World):
    order = world.rest()
    request_cancel(order.id, actor=PERSON)
    Order.objects.filter(pk=order.pk).update(cancel_state="sent")
    request_cancel(order.id, actor=PERSON)
    assert fresh(order).cancel_state == "requested"
    advance_order(order.id)
    assert status_of(order) == "canceled"


def test_canceling_what_is_final_or_unknown_is_refused(world: World):
    order = world.buy()
    with pytest.raises(InvalidInput, match="already filled") as caught:
        request_cancel(order.id, actor=PERSON)
    assert caught.value.code == "order_is_final" and world.cancels() == []
    with pytest.raises(UnknownName):
        request_cancel(uuid4(), actor=PERSON)


def test_cancel_all_of_ours_leaves_the_orders_of_others(world: World):
    mine = [world.rest(), world.rest("48500"), world.approve()]
    add_foreign_order(world)
    world.sync()
    answer = cancel_all(CancelScope.OURS, actor=PERSON)
    assert answer["requested"] == 3 and answer["venue"] == []
    for order in mine:
        advance_order(order.id)
    assert [status_of(order) for order in mine] == ["canceled", "canceled", "lapsed"]
    (foreign,) = [row for row in world.venue.orders() if row["client_order_id"] == "by-hand"]
    assert foreign["status"] == "NEW"


@every_venue
def test_cancel_all_of_everything_clears_the_account_at_the_venue(world: World):
    order = world.rest()
    add_foreign_order(world)
    answer = cancel_all(CancelScope.EVERYTHING, account="paper", actor=PERSON)
    assert answer["venue"] == [{"account": "paper", "outcome": "CancelAccepted", "detail": ""}]
    assert {row["status"] for row in world.venue.orders()} == {"CANCELED"}
    follow_order(order.id)
    assert status_of(order) == "canceled"
    assert AuditEntry.objects.get(kind="cancel.all").data["scope"] == "everything"


def test_cancel_all_of_one_symbol_touches_no_other(world: World):
    bitcoin, ether = world.rest(), world.rest("2900", "0.1", symbol="ETH/USDT")
    cancel_all(CancelScope.EVERYTHING, account="paper", symbol="btc/usdt", actor=PERSON)
    advance_order(bitcoin.id)
    follow_order(ether.id)
    assert (status_of(bitcoin), status_of(ether)) == ("canceled", "open")


def test_an_account_that_does_not_list_the_symbol_is_not_cleared_instead(world: World):
    order = world.rest()
    row = Instrument.objects.get(symbol="BTC/USDT")
    row.pk, row.symbol, row.venue_symbol, row.environment = None, "ELSE/USDT", "ELSEUSDT", Environment.TESTNET
    row.save(force_insert=True)
    (answer,) = cancel_all(CancelScope.EVERYTHING, symbol="ELSE/USDT", actor=PERSON)["venue"]
    assert answer["outcome"] == "not_listed" and world.cancels() == []
    follow_order(order.id)
    assert status_of(order) == "open"


def test_a_venue_that_cannot_be_reached_is_named_and_stops_no_other_account(world: World):
    make_account(world.venue, "second")
    type(world.account).objects.filter(name="paper").update(base_url="http://127.0.0.1:9/mexc")
    exchange_for(world.account)
    outcomes = {
        row["account"]: row["outcome"] for row in cancel_all(CancelScope.EVERYTHING, actor=PERSON)["venue"]
    }
    assert outcomes == {"paper": "NotSentOutcome", "second": "CancelAccepted"}


def test_an_account_of_another_mode_is_not_reached_whatever_is_asked(world: World):
    order = world.rest()
    make_account(world.venue, "real")
    accounts = type(world.account).objects
    accounts.filter(name="real").update(mode="production", environment="live")
    accounts.filter(name="paper").update(mode="testnet")
    assert cancel_all(CancelScope.EVERYTHING, actor=PERSON)["venue"] == []
    with pytest.raises(UnknownName, match="in paper mode"):
        cancel_all(CancelScope.EVERYTHING, account="real", actor=PERSON)
    assert world.cancels() == [] and order.cancel_state == "none"
    for account in accounts.all():
        with pytest.raises(ConfigurationError, match="belongs to"):
            exchange_for(account)
    assert accounts.get(name="real").is_enabled, "its mode alone keeps it out"


@pytest.mark.parametrize(
    ("narrow", "code"), [({"account": "nope"}, "unknown_account"), ({"symbol": "NO/PE"}, "unknown_symbol")]
)
def test_an_unknown_name_cancels_nothing(world: World, narrow, code):
    order = world.approve()
    with pytest.raises(UnknownName) as caught:
        cancel_all(CancelScope.OURS, actor=PERSON, **narrow)
    assert caught.value.code == code and status_of(order) == "approved"


def test_a_cancel_and_a_fill_at_the_same_moment_agree_with_the_venue(live_world: World):
    order = live_world.rest()
    request_cancel(order.id, actor=PERSON)
    canceling = begin(lambda: send_cancel(order.id))
    following = begin(lambda: follow_order(order.id))
    canceling.end(), following.end()
    follow_order(order.id)
    assert status_of(order) == live_world.venue.orders()[0]["status"].lower() == "canceled"
