"""Shrinks a failing scenario and tells it in the words of the product.

Greedy and deterministic: leave out one fault, one operator, one order or one unusual tunable at a time, and keep the
smaller scenario whenever the same promise still breaks. Fewer events first.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import fields, replace

from .families import make_scenario
from .mutations import Mutations
from .run import Outcome, replay
from .scenario import Event, OrderPlan, Scenario, Tunables

_PLAIN = Tunables()


def shrink(seed: int, mutations: Mutations) -> tuple[Scenario, Outcome]:
    """The smallest scenario found, and its run with the story told. The seed must fail."""
    scenario = make_scenario(seed, random.Random(seed))
    promise = replay(scenario, mutations).violations[0].promise
    while True:
        smaller = next((s for s in _smaller(scenario) if _breaks(s, mutations, promise)), None)
        if smaller is None:
            return scenario, replay(scenario, mutations, tells=True)
        scenario = smaller


def _breaks(scenario: Scenario, mutations: Mutations, promise: str) -> bool:
    return any(violation.promise == promise for violation in replay(scenario, mutations).violations)


def _smaller(scenario: Scenario) -> Iterator[Scenario]:
    for index in range(len(scenario.events)):
        events = scenario.events[:index] + scenario.events[index + 1 :]
        yield Scenario(scenario.seed, scenario.tunables, scenario.orders, events)
    for index in range(len(scenario.orders)):
        if len(scenario.orders) > 1:
            yield _without_order(scenario, index)
    for tunable in fields(Tunables):
        plain = getattr(_PLAIN, tunable.name)
        if getattr(scenario.tunables, tunable.name) != plain:
            tunables = replace(scenario.tunables, **{tunable.name: plain})
            yield Scenario(scenario.seed, tunables, scenario.orders, scenario.events)


def _without_order(scenario: Scenario, index: int) -> Scenario:
    """Events name orders by their number: those of the order go with it, later ones move up."""
    orders = scenario.orders[:index] + scenario.orders[index + 1 :]
    events = [
        replace(event, order=event.order - (event.order > index))
        for event in scenario.events
        if not (_names_an_order(event) and event.order == index)
    ]
    return Scenario(scenario.seed, scenario.tunables, orders, events)


def _names_an_order(event: Event) -> bool:
    return event.kind in ("cancel", "forge", "verdict")


def tell(seed: int, mutations: Mutations) -> str:
    """The whole story of a failing seed, ready to print."""
    scenario, outcome = shrink(seed, mutations)
    unusual = [
        f"{tunable.name}={getattr(scenario.tunables, tunable.name)}"
        for tunable in fields(Tunables)
        if getattr(scenario.tunables, tunable.name) != getattr(_PLAIN, tunable.name)
    ]
    lines = [
        f"Seed {seed}: {outcome.violations[0].promise} is broken",
        *(f"  ! {violation.promise}: {violation.what}" for violation in outcome.violations),
        "Given",
        *(f"  - {_describe(plan)}" for plan in scenario.orders),
        *(f"  - {event}" for event in scenario.events),
        *([f"  - tunables: {', '.join(unusual)}"] if unusual else []),
        "Then",
        *(f"  {line}" for line in outcome.story),
    ]
    return "\n".join(lines)


def _describe(plan: OrderPlan) -> str:
    kind = "market" if plan.ends_at_once else "limit"
    where = f"{plan.quantity} {plan.symbol} on {plan.account}" + (
        f" by {plan.strategy}" if plan.strategy else ""
    )
    if plan.held:
        return f"a position of {plan.quantity} {plan.symbol} on {plan.account}, by order {plan.name}"
    if plan.reduce_only:
        kind = f"{'flattening ' if plan.flattens else ''}reduce-only {kind} {plan.side}"
    if plan.aged:
        return f"{kind} order {plan.name}, {where}, which rests at the venue since {plan.aged:.0f} s"
    return f"{kind} order {plan.name}, {where}, asked for at t={plan.at}s"
