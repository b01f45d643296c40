"""Clients race against every limit that is counted, on two accounts at once: it is reached and never exceeded.

The judge is the simulated venue's ledger. Eight clients in the ordinary run, thirty-two under `chaos`. The limit of
what is in doubt is not among them: it closes the door behind what became doubtful, and nobody can race for doubt.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError

from tests.execution.test_races import Hold
from tests.making import CLIENT, PERSON, World, begin, make_account, run_together, wait_until_blocked
from trading.domain.enums import HaltScope, OrderOrigin
from trading.execution import approval
from trading.execution.accounts import create_strategy
from trading.execution.dispatch import dispatch_order
from trading.execution.intake import submit
from trading.execution.limit_changes import change_limits
from trading.execution.sync import sync_account
from trading.models import Order, Strategy
from trading.queries.limits import applying_scopes, read_limits

_UNSET = dict.fromkeys(
    (
        "max_open_orders",
        "max_concurrent_positions",
        "exposure_limit_symbol",
        "exposure_limit_total",
        "max_order_notional",
        "max_daily_loss_pct",
        "price_collar_pct",
    )
)


@dataclass(frozen=True)
class Race:
    """`most`: what the venue may hold of what `measure` counts in its accepted orders."""

    limits: dict[str, Any]
    most: Decimal
    measure: Callable[[list[Any]], Decimal]
    scope: HaltScope = HaltScope.EVERYTHING
    target: str = ""
    symbols: tuple[str, ...] = ("BTC/USDT",)


def count(orders: list[Any]) -> Decimal:
    return Decimal(len(orders))


def notional(price: str) -> Callable[[list[Any]], Decimal]:
    """As the rules value it: at the last price, which does not move here."""
    return lambda orders: sum((Decimal(order["quantity"]) * Decimal(price) for order in orders), Decimal(0))


def worth(orders: list[Any]) -> Decimal:
    prices = {"BTCUSDT": Decimal(50000), "ETHUSDT": Decimal(3000)}
    return sum((Decimal(order["quantity"]) * prices[order["symbol"]] for order in orders), Decimal(0))


def _by_account(orders: list[Any]) -> dict[str, list[Any]]:
    """Both accounts trade as one user of the venue: whose order it is, our row says."""
    rows = Order.objects.filter(client_order_id__in=[order["client_order_id"] for order in orders])
    owner = dict(rows.values_list("client_order_id", "account__name"))
    found: dict[str, list[Any]] = {}
    for order in orders:
        found.setdefault(owner[order["client_order_id"]], []).append(order)
    return found


def of_paper(orders: list[Any]) -> Decimal:
    return count(_by_account(orders).get("paper", []))


def holdings(orders: list[Any]) -> Decimal:
    """Symbols of accounts in which a position may be opened."""
    return Decimal(sum(len({order["symbol"] for order in own}) for own in _by_account(orders).values()))


D = Decimal
BOTH = ("BTC/USDT", "ETH/USDT")
RACES = {
    "open orders": Race({"max_open_orders": 5}, D(5), count),
    "orders per minute": Race({"max_orders_per_minute": 4}, D(4), count),
    "notional per minute": Race({"max_notional_per_minute": "2000"}, D(1960), notional("49000")),
    "exposure of a symbol": Race({"exposure_limit_symbol": "2000"}, D(2000), worth),
    "exposure in total": Race({"exposure_limit_total": "2000"}, D(2000), worth, symbols=BOTH),
    "orders per fill": Race({"max_order_to_fill_ratio": "20"}, D(20), count),
    "open orders of a strategy": Race(
        {"max_open_orders": 3}, D(3), count, HaltScope.STRATEGY, "racer", symbols=BOTH
    ),
    "open orders of an instrument": Race(
        {"max_open_orders": 3}, D(3), count, HaltScope.INSTRUMENT, "BTC/USDT"
    ),
    "exposure of an instrument": Race(
        {"exposure_limit_symbol": "1500"}, D(1500), worth, HaltScope.INSTRUMENT, "BTC/USDT"
    ),
    "concurrent positions": Race({"max_concurrent_positions": 3}, D(3), holdings, symbols=BOTH),
    "the same order again": Race({"duplicate_window_seconds": 3600}, D(2), count),
    "open orders of an account": Race({"max_open_orders": 3}, D(3), of_paper, HaltScope.ACCOUNT, "paper"),
    "repeated executions": Race({"max_repeated_executions": 6}, D(6), count, HaltScope.STRATEGY, "racer"),
}
EACH = pytest.mark.parametrize("race", RACES.values(), ids=RACES.keys())


def set_up(world: World, race: Race) -> tuple[str, ...]:
    second = make_account(world.venue, "second")
    for _pass in range(2):
        sync_account(second.id, trigger="test")
    create_strategy("racer", actor=PERSON)
    world.change_limits(**_UNSET)
    change_limits(race.limits, reason="tests", actor=PERSON, scope=race.scope, target=race.target)
    return ("paper", "second")


def run_race(world: World, race: Race, clients: int, orders_each: int) -> list[Any]:
    """Every client asks again and again, on both accounts in turn; the venue's accepted orders."""
    accounts = set_up(world, race)
    before = Order.objects.count()
    barrier, numbers = threading.Barrier(clients), itertools.count()

    def client() -> list[str]:
        barrier.wait()
        return [_ask(race, next(numbers), accounts) for _order in range(orders_each)]

    outcomes = run_together(*[client] * clients)
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)], outcomes
    assert Order.objects.count() - before == clients * orders_each
    accepted: list[Any] = world.venue.orders()
    return accepted


def _ask(race: Race, number: int, accounts: tuple[str, ...]) -> str:
    symbol = race.symbols[number // 2 % len(race.symbols)]
    is_btc = symbol == "BTC/USDT"
    body = {
        "account": accounts[number % len(accounts)],
        "symbol": symbol,
        "side": "BUY",
        "quantity": "0.01" if is_btc else "0.1",
        "price": "49000" if is_btc else "2900",
        "strategy": "racer",
    }
    for _try in range(20):
        try:
            order = submit(body, actor=CLIENT, key=f"race-{number}", origin=OrderOrigin.SIGNAL).order
            break
        except OperationalError as error:  # waited too long for its turn: a client repeats with the same key
            assert getattr(error.__cause__, "sqlstate", "") == "55P03", error
    if order.status == "approved":
        dispatch_order(order.id)
    return str(order.status)


def assert_reached_and_not_exceeded(race: Race, accepted: list[Any], step: Decimal) -> None:
    used = race.measure(accepted)
    assert used <= race.most, f"{used} of {race.most}"
    assert used > race.most - step, f"only {used} of {race.most}: the race was never on"


@EACH
def test_eight_clients_never_exceed_a_limit(live_world: World, race: Race):
    each = 4 if race.most > 6 and race.measure is count else 2
    accepted = run_race(live_world, race, clients=8, orders_each=each)
    assert_reached_and_not_exceeded(race, accepted, _largest_step(race))
    if "max_repeated_executions" in race.limits:
        assert not Strategy.objects.get(name="racer").is_enabled


@pytest.mark.chaos
@EACH
def test_thirty_two_clients_never_exceed_a_limit(live_world: World, race: Race):
    accepted = run_race(live_world, race, clients=32, orders_each=4)
    assert_reached_and_not_exceeded(race, accepted, _largest_step(race))


def _largest_step(race: Race) -> Decimal:
    return Decimal(501) if race.measure is worth or "notional" in str(race.limits) else Decimal(1)


def test_only_a_limit_that_accounts_share_makes_them_take_turns(world: World):
    def shared() -> list[str]:
        return read_limits(applying_scopes("paper", "BTC/USDT", None)).shared_scopes

    world.change_limits(**_UNSET, kill_threshold_usd="1000000")
    change_limits(
        {"max_open_orders": 5}, reason="tests", actor=PERSON, scope=HaltScope.ACCOUNT, target="paper"
    )
    assert shared() == [], "an account's own limit is judged under the account's own lock"
    world.change_limits(max_open_orders=5)
    assert shared() == ["everything"]


@pytest.mark.parametrize(("scope", "target"), [(HaltScope.EVERYTHING, ""), (HaltScope.ACCOUNT, "paper")])
def test_a_limit_on_a_strategys_orders_is_shared_by_all_that_trade_it(world: World, scope, target):
    """They are counted on every account, so that an account's own limit makes others wait as well."""
    world.change_limits(**_UNSET, kill_threshold_usd="1000000")
    change_limits({"max_repeated_executions": 3}, reason="tests", actor=PERSON, scope=scope, target=target)

    def shared(strategy: str | None) -> list[str]:
        return read_limits(applying_scopes("paper", "BTC/USDT", strategy)).shared_scopes

    assert (shared("racer"), shared(None)) == (["strategy racer"], [])


def test_two_accounts_decide_on_one_strategys_last_order_one_after_the_other(live_world: World, monkeypatch):
    accounts = set_up(live_world, RACES["repeated executions"])
    change_limits(
        {"max_repeated_executions": 1}, reason="tests", actor=PERSON, scope=HaltScope.STRATEGY, target="racer"
    )
    hold = Hold(monkeypatch, approval, "gather_facts")
    first = begin(lambda: _ask(RACES["repeated executions"], 0, accounts))
    assert hold.reached.wait(15)
    second = begin(lambda: _ask(RACES["repeated executions"], 1, accounts))
    wait_until_blocked(second)
    hold.go.set()
    assert sorted([first.end(), second.end()]) == ["approved", "denied"]
    assert len(live_world.venue.orders()) == 1


def test_accounts_without_a_shared_limit_decide_beside_each_other(live_world: World, monkeypatch):
    live_world.change_limits(**_UNSET)
    make_account(live_world.venue, "second")
    create_strategy("racer", actor=PERSON)
    hold = Hold(monkeypatch, approval, "gather_facts")
    first = begin(lambda: _ask(Race({}, D(0), count), 0, ("paper",)))
    assert hold.reached.wait(15)
    second = begin(lambda: _ask(Race({}, D(0), count), 1, ("second", "second")))
    assert second.end() in ("approved", "denied"), "it waited for the other account"
    hold.go.set()
    assert first.end() == "approved"
