"""Families of scenarios: corners where several bounds, or several people, meet at once.

Pure chance finds them too seldom. Each family still leaves the details to chance; one seed in four belongs to one.
"""

from __future__ import annotations

import random
from dataclasses import replace

from trading.domain.enums import HaltScope, QuarantineVerdict, Side, TradingState

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


def quarantine(r: random.Random, scenario: Scenario) -> None:
    """The answer is lost and the venue cannot be asked for a quarter of an hour; then a person says what it was."""
    scenario.tunables = replace(
        scenario.tunables, poll=5.0, sync=60.0, read_lag=0.0, bell_delay=0.01, step=0.02, timeout=5.0
    )
    first = replace(scenario.orders[0], at=0.5, aged=0.0, held=False, side=Side.BUY, reduce_only=False)
    destiny = Destiny(0.3) if r.random() < 0.6 else first.destiny
    scenario.orders = [replace(first, destiny=destiny)]
    away = r.choice((930.0, 930.0, 1100.0))
    verdict = r.choice((QuarantineVerdict.NOT_ACCEPTED, QuarantineVerdict.CANCELED, QuarantineVerdict.ADOPT))
    # Soon after the venue is back, before anybody has asked it again, or later.
    spoken = away + 4 + r.random() * 30 if r.random() < 0.5 else 960.0 + r.random() * 60
    scenario.events = [
        Event("lose", 0.0, seconds=3.0, what=r.choice(("back place", "back place", "out place"))),
        Event("lose", 0.0, seconds=away, what="back read"),
        Event("verdict", round(spoken, 3), "operator", what=verdict),
    ]
    if r.random() < 0.3:
        scope = scope_of(r, scenario.orders)
        scenario.events.append(
            Event("engage", 880.0 + r.random() * 60, "operator 2", what=TradingState.HALTED, scope=scope)
        )


def hidden_fills(r: random.Random, scenario: Scenario) -> None:
    """The venue shows the end of an order more than a minute before the fills that explain it."""
    scenario.tunables = replace(
        scenario.tunables, fill_lag=75.0, lag_floor=0.9, read_lag=0.0, poll=1.0, hosts=1
    )
    first = replace(scenario.orders[0], aged=0.0, held=False, side=Side.BUY, reduce_only=False)
    at_once = replace(first, ends_at_once=True, life=10.0)
    scenario.orders = [replace(at_once, destiny=Destiny(0.05, ((0.0, first.quantity),)))]
    scenario.events = [Event("bells", 65.0, seconds=1.0)]  # faults may strike until then
    if r.random() < 0.8:
        scenario.events += [
            Event("alarm", 0, f"worker {number + 1}", what=r.choice(("done", "done", "undone")))
            for number in range(scenario.tunables.workers)
        ]


def only_smaller(r: random.Random, scenario: Scenario) -> None:
    """Under `reducing` what makes a position smaller passes, under a halt only what the flatten verb asks for; what
    makes it larger passes neither, whoever asks."""
    first, flattens = scenario.orders[0], r.random() < 0.5
    held = replace(first, quantity=first.quantity * 0 + 18, at=0.0, aged=0.0, held=True)
    held = replace(held, side=Side.BUY, reduce_only=False, ends_at_once=False, destiny=Destiny())
    smaller = replace(first, name="B", at=round(0.8 + r.random(), 3), aged=0.0, held=False)
    smaller = replace(smaller, side=Side.SELL, reduce_only=True, number=first.number ^ 1)
    larger = replace(smaller, name="C", side=Side.BUY, reduce_only=r.random() < 0.3, number=first.number ^ 2)
    more = replace(smaller, name="C", at=round(0.8 + r.random(), 3), number=first.number ^ 2)
    smaller = replace(smaller, flattens=flattens)
    larger = replace(larger, flattens=flattens, quantity=first.quantity * 0 + 6)  # within the limit
    scenario.orders = [held, smaller, larger if r.random() < (0.8 if flattens else 0.5) else more]
    scope = scope_of(r, scenario.orders)
    state = TradingState.HALTED if flattens else TradingState.REDUCING
    scenario.events = [Event("engage", 0.2, "operator", what=state, scope=scope)]


def zombies(r: random.Random, scenario: Scenario) -> None:
    """Workers are stopped with the answer in hand, for longer than their lease, and wake up when others took over."""
    scenario.tunables = replace(scenario.tunables, lease=6.0, timeout=2.0, bell_loss=0.0, bell_delay=0.01)
    scenario.orders[0] = replace(scenario.orders[0], aged=0.0)
    scenario.events = [
        Event("zombie", 0, f"worker {number + 1}", r.choice((7.0, 9.0, 16.0, 25.0)))
        for number in range(scenario.tunables.workers)
    ]
    if r.random() < 0.5:
        scenario.events.append(Event("cancel", round(r.random() * 12, 3), "api"))


FAMILIES = (
    *(at_the_bounds, with_a_held_lock, an_old_cancel, stray_bells, doubt_before_more) * 3,
    *(only_smaller, only_smaller, zombies, zombies, hidden_fills, quarantine, quarantine),
)
