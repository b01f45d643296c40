"""The kill switch under load: one press, the venue's journal as the witness, then the release.

The response is the time from the request to the later of two instants: the commit that closes the gate, and the arrival
of the last new order at the venue. When the answer came, with its drain, is measured beside it.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from rig.oracle import wall
from soak.fault_kind import FaultKind
from soak.scene import Scene

REASON = "soak: planned halt"
HELD_SECONDS = (3.0, 5.0)
TRIES = 20
_CHANGE = "SELECT at FROM trading_haltchange WHERE epoch = %s AND after = 'halted'"


@dataclass(frozen=True)
class Halted:
    """One engage and release; times in wall seconds. `late`: orders that arrived after the answer."""

    epoch: int
    began: float
    gate: float
    answered: float
    released: float
    last_arrival: float | None
    late: tuple[str, ...]

    @property
    def response(self) -> float:
        return max(self.gate, self.last_arrival or 0.0) - self.began

    @property
    def answer(self) -> float:
        return self.answered - self.began


@dataclass
class KillSwitch:
    """Presses it, and keeps what it measured."""

    measured: list[Halted]

    def press(self, scene: Scene, chance: random.Random) -> str:
        held = chance.uniform(*HELD_SECONDS)
        began, answer = self._engage(scene)
        answered = time.time()
        scene.rest(held)
        scene.placements.catch_up()
        arrivals = [
            (wall(row), str(row["params"].get("newClientOrderId", "")))
            for row in list(scene.placements.rows)
            if wall(row) > began
        ]
        released = time.time()
        scene.stack.release()
        engagement = answer["engagement"]
        epoch, known = int(engagement["epoch"]), set(engagement["in_flight"])
        done = Halted(
            epoch=epoch,
            began=began,
            gate=self._committed(scene, epoch),
            answered=answered,
            released=released,
            last_arrival=max((at for at, _name in arrivals if at < released), default=None),
            late=tuple(name for at, name in arrivals if answered < at < released and name not in known),
        )
        self.measured.append(done)
        return f"epoch {epoch}, blocked after {done.response:.3f} s, answered after {done.answer:.3f} s"

    def _engage(self, scene: Scene) -> tuple[float, dict[str, Any]]:
        """An API that is away is asked again; the time counts from the request that was answered."""
        for turn in range(TRIES):
            try:
                with scene.stack.client() as client:
                    client.status()
                    began = time.time()
                    return began, client.kill(f"{REASON} {len(self.measured) + 1}")
            except httpx.HTTPError:
                if turn == TRIES - 1:
                    raise
                time.sleep(0.5)
        raise AssertionError("unreachable")

    def _committed(self, scene: Scene, epoch: int) -> float:
        at: datetime = scene.stack.rows(_CHANGE, epoch)[0]["at"]
        return at.timestamp()


def make_halts(switch: KillSwitch) -> FaultKind:
    return FaultKind("the kill switch is pressed under load, and released", 3.0, switch.press)
