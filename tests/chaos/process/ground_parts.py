"""The parts that fork processes on a ground of their own, and the figures they come to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rig.oracle import Findings, Placements
from rig.stories import tell
from tests.chaos.process.algo_oracle import judge_algos
from tests.chaos.process.figures import Figure, count, timing
from tests.chaos.process.ground import Ground
from tests.chaos.process.kills import Struck, kill_many, stop_many
from trading.failpoints import POINTS

# In a campaign of some minutes every point comes to its turn; of lives with a stop there are fewer.
SHORT_SECONDS = 100.0
LEAST_STOPS = 25
Say = Callable[[str], None]


def judge(name: str, found: Findings, ground: Ground, placements: Placements) -> list[Figure]:
    """The oracle's findings, each kind a figure with the stories of its first orders."""

    def stories(sentences: Sequence[str]) -> list[str]:
        return [tell(one, ground.url, ground.venue, placements) for one in sentences[:3]]

    kinds = {
        "accepted, sent or booked twice": found.doubled,
        "at the venue and unknown to the database, or without a permit": found.unknown,
        "wrong verdicts and numbers": found.wrong,
        "torn states": found.torn,
    }
    return [count(name, what, rows, stories(rows)) for what, rows in kinds.items()]


def run_kills(ground: Ground, *, seed: int, most: int, seconds: float, say: Say) -> list[Figure]:
    done = kill_many(ground, seed=seed, most=most, seconds=seconds, say=say)
    least = 1 if seconds < SHORT_SECONDS else len(POINTS)
    return judge_strikes("killed", done, ground, least)


def run_stops(ground: Ground, *, seed: int, seconds: float, say: Say) -> list[Figure]:
    done = stop_many(ground, seed=seed, seconds=seconds, say=say)
    return judge_strikes("stopped", done, ground, 1 if seconds < SHORT_SECONDS else LEAST_STOPS)


def judge_strikes(word: str, done: Struck, ground: Ground, least: int) -> list[Figure]:
    points = len(done.points)
    what = f"processes {word}, at {points} failpoints ({done.findings.orders} orders)"
    return [
        Figure("A1", what, str(done.strikes), f">= {least} points", points >= least),
        Figure("A1", "everything has ended afterwards", "yes" if done.calm else "no", "yes", done.calm),
        count("A1", "processes that hung", ["a process hung"] * done.ends["hung"]),
        *judge("A1", done.findings, ground, done.placements),
    ]


def run_algos(ground: Ground, *, seed: int, seconds: float, say: Say) -> list[Figure]:
    from tests.chaos.process.algos import POINTS_OF_ALGOS, disturb_algos

    done = disturb_algos(ground, seed=seed, seconds=seconds, say=say)
    points = [name for name in POINTS_OF_ALGOS if done.strikes[name]]
    least = 1 if seconds < SHORT_SECONDS else len(POINTS_OF_ALGOS)
    what = f"processes killed at {len(points)} failpoints of algos and beside; {done.lost} COMMITs lost"
    said = "words of a person: " + ", ".join(f"{n} {word}" for word, n in sorted(done.words.items()))
    return [
        Figure("G", what, str(done.strikes.total()), f">= {least} points", len(points) >= least),
        Figure("G", said, str(done.words.total()), "> 0", done.words.total() > 0),
        Figure("G", "everything has ended afterwards", "yes" if done.calm else "no", "yes", done.calm),
        *judge_algos(done.algos),
        *judge("G", done.orders, ground, done.placements),
    ]


def run_doubts(ground: Ground, *, most: int, seconds: float, say: Say) -> list[Figure]:
    from tests.chaos.process.doubts import doubt_many

    done = doubt_many(ground, most=most, seconds=seconds, say=say)
    what = f"unknown outcomes: {len(done.positive)} were at the venue, {len(done.negative)} not"
    both = bool(done.positive and done.negative)
    return [
        Figure("A4", what, str(done.count), "both kinds", both and done.calm),
        *judge("A4", done.findings, ground, done.placements),
        timing("A4", "from the doubt to the adoption", done.positive, 99, 3.0),
        timing("A4", "from the permit to 'the venue never took it'", done.negative, 99, 30.0),
    ]


def run_commits(ground: Ground, *, seed: int, most: int, seconds: float, say: Say) -> list[Figure]:
    from tests.chaos.process.commits import lose_commits

    done = lose_commits(ground, seed=seed, most=most, seconds=seconds, say=say)
    what = f"answers to COMMIT lost: {done.lost['done']} were done, {done.lost['undone']} not"
    both = len(done.lost) == 2 or most < 20
    return [
        Figure("F71", what, str(done.lost.total()), "both kinds", both and done.calm),
        *judge("F71", done.findings, ground, done.placements),
    ]
