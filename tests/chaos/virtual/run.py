"""One seed, run and judged. The same seed, scenario and mutations give the same trace, always."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field

from .families import make_scenario
from .mutations import Mutations
from .oracle import Violation, judge
from .scenario import Scenario
from .world import World


@dataclass(slots=True)
class Outcome:
    seed: int
    violations: list[Violation]
    story: list[str] = field(default_factory=list)
    seconds: float = 0.0  # of the virtual clock

    @property
    def trace(self) -> str:
        """A hash over everything that was told."""
        return hashlib.sha256("\n".join(self.story).encode()).hexdigest()


def run_seed(seed: int, mutations: Mutations | None = None, *, tells: bool = False) -> Outcome:
    generator = random.Random(seed)
    return run_scenario(make_scenario(seed, generator), generator, mutations or Mutations(), tells=tells)


def run_scenario(
    scenario: Scenario, generator: random.Random, mutations: Mutations, *, tells: bool = False
) -> Outcome:
    story: list[str] = []
    world = World(scenario, generator, mutations, story if tells else None)
    world.run()
    return Outcome(scenario.seed, judge(world), story, world.kernel.now)


def replay(scenario: Scenario, mutations: Mutations, *, tells: bool = False) -> Outcome:
    """A changed scenario on the random numbers of its seed, as they stand after the scenario was drawn."""
    generator = random.Random(scenario.seed)
    make_scenario(scenario.seed, generator)
    return run_scenario(scenario, generator, mutations, tells=tells)
