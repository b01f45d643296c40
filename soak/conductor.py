"""Plays the planned faults, one after the other: what comes while another one lasts waits for its end.

A fault that fails is told and does not end the run; what had no time any more is counted as not played.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from soak.fault_kind import FaultKind
from soak.plan import PlannedFault
from soak.scene import PlayedFault, Scene

BREATH_SECONDS = 1.0  # between two faults, so that the second one does not meet the first one's hour


@dataclass
class Conductor:
    scene: Scene
    kinds: Mapping[str, FaultKind]
    planned: Sequence[PlannedFault]
    troubles: list[str] = field(default_factory=list)

    def run(self, until: float) -> None:
        """`until`: monotonic; no fault begins later."""
        began = time.monotonic()
        for fault in self.planned:
            wait = began + fault.at - time.monotonic()
            if not self.scene.rest(max(BREATH_SECONDS if self.scene.played else 0.0, wait)):
                return
            if time.monotonic() > until:
                return
            self.play(fault)
        self.scene.rest(max(0.0, until - time.monotonic()))

    def play(self, fault: PlannedFault) -> None:
        at, detail = time.time(), "interrupted"
        self.scene.playing = fault.name
        try:
            detail = self.kinds[fault.name].play(self.scene, random.Random(fault.seed))
        except Exception as error:  # whatever a stack says while it is broken on purpose
            detail = f"failed: {error!r}"
            self.troubles.append(f"{fault.name} at {fault.at:.0f} s {detail}")
        finally:
            self.scene.played.append(PlayedFault(fault.name, fault.at, at, time.time(), detail))
            self.scene.playing = ""
