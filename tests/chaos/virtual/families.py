"""Families of scenarios: corners where several bounds, or several people, meet at once.

Pure chance finds them too seldom. Each family still leaves the details to chance; one seed in four belongs to one.
"""

from __future__ import annotations

import random
from dataclasses import replace

from trading.domain.enums import HaltScope, TradingState

from .scenario import ACCOUNTS, Event, Scenario, make_plain_scenario, scope_of
from .venue import Destiny


def make_scenario(seed: int, generator: random.Random) -> Scenario:
    scenario = make_plain_scenario(seed, generator)
    if generator.random() < 0.25:
        generator.choice(FAMILIES)(generator, scenario)
    return scenario


def at_the_bounds(r: random.Random, scenario: Scenario) -> None:
    """Everything that the guarantees allow to be slow is as slow as they allow, around a halt."""
    scenario.tunables = replace(
        scenario.tunables, read_lag=4.5, lag_floor=0.9, timeout=15.0, lease=20.0, prepare=0.3, bell_loss=0.0
    )
    first = scenario.orders[0]
    destiny = Destiny(10.0 - r.random() * 0.5)
    scenario.orders[0] = first = replace(first, ends_at_once=False, life=60.0, destiny=destiny, aged=0.0)
    engage = Event("engage", round(first.at + r.random() * 0.6, 3), "operator", what=TradingState.HALTED)
    scenario.events = [
        replace(
            engage,
            scope=(HaltScope.EVERYTHING, "") if r.random() < 0.5 else (HaltScope.ACCOUNT, first.account),
        )
    ]
    scenario.events.append(Event("slow", 0.0, seconds=8.0, what="out place", amount=1.0 + r.random()))


def with_a_held_lock(r: random.Random, scenario: Scenario) -> None:
    """A worker stops inside its permit's transaction; halt, release and halt again go on without the lock."""
    scenario.tunables = replace(scenario.tunables, bell_loss=0.0, bell_delay=0.01, step=0.05)
    scenario.orders = [replace(scenario.orders[0], at=0.1, aged=0.0)]
    scope = scope_of(r, scenario.orders)
    again = 2.9 + 0.3 + (r.random() - 0.5) * 0.4
    scenario.events = [
        *(Event("hold", 0, f"worker {n + 1}", 7.0) for n in range(scenario.tunables.workers)),
        Event("engage", 0.5, "operator", what=TradingState.HALTED, scope=scope),
        Event("release", 2.9, "operator", scope=scope),
        Event("engage", round(again, 3), "operator 2", what=TradingState.HALTED, scope=scope),
    ]


def an_old_cancel(r: random.Random, scenario: Scenario) -> None:
    """The cancel of an order that has rested for long, in bad weather."""
    first = replace(scenario.orders[0], ends_at_once=False, aged=100.0, destiny=Destiny())
    scenario.orders = [first]
    weather = r.choice(("lose", "outage", "refuse"))
    what = "errs" if weather == "outage" else f"{r.choice(('out', 'back'))} cancel"
    scenario.events = [
        Event("cancel", 1.0, "api"),
        Event(weather, 0.5, seconds=r.choice((1.5, 6.0, 12.0)), what=what),
    ]


def stray_bells(r: random.Random, scenario: Scenario) -> None:
    """Messages of all kinds for an order that is just being sent, slowly."""
    scenario.tunables = replace(
        scenario.tunables, prepare=1.2, poll=0.5, trip=0.002, bell_loss=0.0, bell_delay=0.01
    )
    first = replace(scenario.orders[0], aged=0.0)
    scenario.orders = [first]
    task = r.choice(("follow_order", "follow_order", "cancel_order", "dispatch_order"))
    scenario.events = [Event("forge", first.at, what=task, amount=8)]


def doubt_before_more(r: random.Random, scenario: Scenario) -> None:
    """The answer to a large order is lost, and the next orders of the account come while it is in doubt."""
    scenario.tunables = replace(
        scenario.tunables, timeout=1.0, bell_loss=0.0, bell_delay=0.01, read_lag=3.0, lag_floor=0.9
    )
    first = replace(scenario.orders[0], at=0.2, account=ACCOUNTS[0], aged=0.0, destiny=Destiny(0.3))
    more = replace(first, name="B", at=round(1.8 + r.random() * 2, 3), number=first.number ^ 1)
    scenario.orders = [
        replace(first, quantity=first.quantity * 0 + 18),
        replace(more, quantity=first.quantity * 0 + 12),
    ]
    scenario.events = [Event("lose", 0.0, seconds=1.5, what="back place")]


FAMILIES = (at_the_bounds, with_a_held_lock, an_old_cancel, stray_bells, doubt_before_more)
