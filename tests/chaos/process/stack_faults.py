"""A13, A14 and kills of every kind of process of a whole stack under load, then the oracle."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from itertools import pairwise

import redis

from rig.driven import KINDS, send_signal
from rig.instance import wait_until
from rig.oracle import Placements, wall
from rig.stories import tell
from tests.chaos.process.figures import Figure, count, timing
from tests.chaos.process.stack_world import CampaignStack

Say = Callable[[str], None]
EVERY_SECONDS = 2.5
STOPPED_SECONDS = 5.0
CLOCK_STEP = {"kind": "clock_skew", "ms": 5000, "for_seconds": 6}


def judge_stack(name: str, stack: CampaignStack, placements: Placements, trouble: str) -> list[Figure]:
    found = stack.examine(placements)
    sent = len(placements.rows)
    stories = [tell(one, stack.database, stack.venue, placements) for one in found.all[:3]]
    return [
        Figure(name, "everything has ended afterwards", trouble[:20] or "yes", "yes", not trouble),
        Figure(name, "orders were sent meanwhile", str(sent), "> 0", sent > 0),
        count(name, f"lost, doubled, wrong or torn ({found.orders} orders)", found.all, stories),
    ]


def kill_processes(stack: CampaignStack, seed: int, seconds: float, say: Say) -> list[Figure]:
    """SIGKILL and SIGSTOP of every kind, in turn and in an order that chance decides; now and then the clock steps."""
    chance, done = random.Random(seed), Counter[str]()
    end = time.monotonic() + seconds
    with stack.watched() as placements:
        with stack.load():
            while time.monotonic() < end:
                for kind in chance.sample(list(KINDS), len(KINDS)):
                    if time.monotonic() > end:
                        break
                    hit(stack, kind, chance, done)
                    time.sleep(EVERY_SECONDS)  # the rhythm of the campaign, not a wait for anything
                with suppress(Exception):
                    stack.venue.faults([CLOCK_STEP])
                    done["venue clock steps"] += 1
                say(f"{done.total()} faults: {dict(done)}")
        trouble = stack.come_to_rest()
    kinds = len({word.split(" ", 1)[1] for word in done})
    strikes = _count_strikes(stack)
    return [
        Figure(
            "A1",
            f"faults on a whole stack: {kinds} kinds, {strikes} more deaths at failpoints",
            str(done.total()),
            "> 0",
            bool(done),
        ),
        *judge_stack("A1", stack, placements, trouble),
    ]


def hit(stack: CampaignStack, kind: str, chance: random.Random, done: Counter[str]) -> None:
    """Kill one of them, or stop it for a while."""
    members = stack.find(kind)
    if not members:
        return
    victim = chance.choice(members)
    if kind not in ("simulator", "nursery") and chance.random() < 0.35:
        send_signal(victim.pid, signal.SIGSTOP)
        time.sleep(STOPPED_SECONDS)
        send_signal(victim.pid, signal.SIGCONT)
        done[f"stopped {kind}"] += 1
    else:
        send_signal(victim.pid, signal.SIGKILL)
        done[f"killed {kind}"] += 1


def _count_strikes(stack: CampaignStack) -> int:
    log = stack.home / "run" / "failpoints.log"
    return len(log.read_text().splitlines()) if log.exists() else 0


def starve_redis(stack: CampaignStack, seconds: float, say: Say) -> list[Figure]:
    """FLUSHALL, kill, hang: orders go on by the pollers."""
    faults: dict[str, Callable[[], None]] = {
        "flushed": lambda: _flush(stack),
        "killed": lambda: [send_signal(m.pid, signal.SIGKILL) for m in stack.find("redis")] and None,
        "hung": lambda: _hang(stack, "redis", 8.0),
    }
    gaps: list[float] = []
    with stack.watched() as placements:
        with stack.load():
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                for name, fault in faults.items():
                    at = time.time()
                    fault()
                    gaps.append(_gap_after(placements, at, 15.0))
                    say(f"redis {name}: orders went on after {gaps[-1]:.1f} s")
        trouble = stack.come_to_rest()
    return [
        timing("A13", "Redis flushed, killed, hung: orders went on", gaps, 99, 10.0),
        *judge_stack("A13", stack, placements, trouble),
    ]


def _flush(stack: CampaignStack) -> None:
    with redis.Redis.from_url(stack.services["REDIS_URL"]) as store:
        store.flushall()


def _hang(stack: CampaignStack, kind: str, seconds: float) -> None:
    (member,) = stack.find(kind)[:1]
    send_signal(member.pid, signal.SIGSTOP)
    time.sleep(seconds)
    send_signal(member.pid, signal.SIGCONT)


def _gap_after(placements: Placements, at: float, seconds: float) -> float:
    """The longest time without a placement after an instant."""
    time.sleep(seconds)
    times = [at, *sorted(wall(row) for row in placements.rows if wall(row) > at)]
    return max((later - before for before, later in pairwise(times)), default=seconds)


def restart_postgres(stack: CampaignStack, seconds: float, say: Say) -> list[Figure]:
    """An immediate shutdown: no farewell, recovery from the log; the supervisor starts it again."""
    resumed: list[float] = []
    with stack.watched() as placements:
        with stack.load():
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                send_signal(stack.postgres().pid, signal.SIGQUIT)
                time.sleep(0.5)
                wait_until(lambda: _answers(stack), "PostgreSQL is back", 60)
                back = time.time()
                time.sleep(12)
                first = min((wall(row) for row in placements.rows if wall(row) > back), default=back + 12)
                resumed.append(first - back)
                say(f"PostgreSQL restarted: orders went on {resumed[-1]:.1f} s after it was back")
        trouble = stack.come_to_rest()
    return [
        timing("A14", "PostgreSQL restarted at once: orders went on", resumed, 99, 5.0),
        *judge_stack("A14", stack, placements, trouble),
    ]


def _answers(stack: CampaignStack) -> bool:
    with suppress(Exception):
        return bool(stack.rows("SELECT 1 AS n"))
    return False


def kill_everything(stack: CampaignStack, say: Say) -> list[Figure]:
    """`up` itself dies: its reaper ends the rest; then it is started again."""
    with stack.watched() as placements, stack.load():
        time.sleep(4)
        send_signal(stack.pid, signal.SIGKILL)
        assert stack.process is not None
        stack.process.wait(20)
        wait_until(lambda: not stack.members("celery"), "nothing of it is left", 30)
    began = datetime.now().astimezone()
    stack.start()
    say(f"started again after its death ({(datetime.now().astimezone() - began).total_seconds():.0f} s)")
    trouble = stack.come_to_rest()
    with stack.watched() as later:
        later.rows += placements.rows
    return judge_stack("O5", stack, later, trouble)
