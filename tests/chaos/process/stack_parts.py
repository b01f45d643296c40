"""The parts that need a whole stack, in the order in which they are run on one instance of it.

Two bring up one of their own: a small disk, and thresholds that minutes can reach.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tests.chaos.process.figures import Figure
from tests.chaos.process.stack_algos import run_stack_algos
from tests.chaos.process.stack_disk import fill_the_disk
from tests.chaos.process.stack_faults import kill_everything, kill_processes, restart_postgres, starve_redis
from tests.chaos.process.stack_halts import engage_often, halt_half_dead, sweep_often
from tests.chaos.process.stack_messages import disturb_beat, flood_with_messages
from tests.chaos.process.stack_secrets import look_for_secrets
from tests.chaos.process.stack_triggers import fire_every_trigger
from tests.chaos.process.stack_world import CampaignStack
from trading.failpoints import POINTS

Say = Callable[[str], None]
# What the set-up and the commands of an operator pass as well is left out: they are no part of the play.
NOT_HERE = ("audit.", "halts.")
# A child takes one step of its parent and twenty of its own.
OFTEN = "algos."
FAILPOINTS = ";".join(
    f"{name}=kill:{0.02 if name.startswith(OFTEN) else 0.0015}"
    for name in POINTS
    if not name.startswith(NOT_HERE)
)
CALM_FIRST = 3.0

# part -> what it does with (stack, seed, seconds per tenth of the run, say)
STACK_PARTS: dict[str, Callable[[CampaignStack, int, float, Say], list[Figure]]] = {
    "messages": lambda stack, seed, _tenth, say: flood_with_messages(stack, seed, say),
    "half dead": lambda stack, _seed, _tenth, say: halt_half_dead(stack, say),
    "beat": lambda stack, _seed, tenth, say: disturb_beat(stack, min(25.0, tenth / 3), say),
    "sweeps": lambda stack, _seed, tenth, say: sweep_often(stack, max(2, int(tenth / 20)), say),
    "engages": lambda stack, _seed, tenth, say: engage_often(stack, 1000, tenth * 5, say),
    "redis": lambda stack, _seed, tenth, say: starve_redis(stack, tenth / 3, say),
    "postgres": lambda stack, _seed, tenth, say: restart_postgres(stack, tenth / 3, say),
    "processes": lambda stack, seed, tenth, say: kill_processes(stack, seed, tenth, say),
    "stack algos": lambda stack, seed, tenth, say: run_stack_algos(stack, seed, tenth, say),
    "everything": lambda stack, _seed, _tenth, say: kill_everything(stack, say),
    "secrets": lambda stack, _seed, _tenth, say: look_for_secrets(stack, say),
    "disk": lambda _stack, _seed, _tenth, say: fill_the_disk(say),
    "triggers": lambda _stack, _seed, _tenth, say: fire_every_trigger(say),
}
WITH_FAILPOINTS = ("processes", "stack algos", "everything")
ON_THEIR_OWN = ("disk", "triggers")


def run_stack_parts(
    parts: Sequence[str], minutes: float, seed: int, say: Say
) -> Iterator[tuple[str, list[Figure]]]:
    """One stack for all; it is started again with failpoints where a part wants its processes to die by themselves."""
    stack = CampaignStack("--web-workers", "2")
    tenth = minutes * 60 / 10
    try:
        for part in parts:
            if part in ON_THEIR_OWN:
                _bring_down(stack)
            else:
                _bring_up(stack, FAILPOINTS if part in WITH_FAILPOINTS else "", say)
            say(f"{part} …")
            try:
                yield part, STACK_PARTS[part](stack, seed, tenth, say)
            except AssertionError as error:  # it waited for something in vain: the other parts go on
                yield (
                    part,
                    [Figure("-", f"the part '{part}'", "gave up", "its end", False, stories=(str(error),))],
                )
    finally:
        if not _runs(stack):
            stack.remove()
        elif left := stack.end():
            say(f"left behind: {left}")


def _bring_up(stack: CampaignStack, failpoints: str, say: Say) -> None:
    if _runs(stack) and stack.failpoints == failpoints:
        return
    _bring_down(stack)
    stack.failpoints = failpoints
    stack.start()
    stack.venue.set_price("BTCUSDT", "50000")
    stack.release()
    say("the stack runs" + (", with failpoints" if failpoints else ""))


def _bring_down(stack: CampaignStack) -> None:
    if _runs(stack):
        stack.stop()


def _runs(stack: CampaignStack) -> bool:
    return stack.process is not None and stack.process.poll() is None
