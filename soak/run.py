"""One run on a stack that stands: the flow and the faults for their time, then rest, then the judgement."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from types import FrameType
from typing import Any

from rig.driven import DrivenStack
from soak.conductor import Conductor
from soak.flow import Flow
from soak.halting import KillSwitch
from soak.judging import SoakVerdict, fills_by_asset, judge
from soak.kinds import EVERY_HOURS, make_kinds
from soak.measured import Closing, Measured
from soak.options import SoakOptions
from soak.plan import plan_faults, plan_requests
from soak.report import make_report
from soak.scene import Scene
from soak.trading_day import DayOfTheRun
from soak.watching import Watch
from soak.webhook import STRATEGY, make_hook

Say = Callable[[str], None]
SHOW_SECONDS = 0.5
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LAST_WORDS = 20


@dataclass
class SoakRun:
    options: SoakOptions
    stack: DrivenStack
    day: DayOfTheRun
    say: Say
    show: Callable[[float], None]  # seconds since the run began
    interrupted: bool = False

    def run(self, machine: Mapping[str, Any]) -> tuple[dict[str, Any], SoakVerdict]:
        """Ctrl-C or SIGTERM end the time of the run, not its judgement; a second one ends both."""
        seconds, seed = self.options.seconds, self.options.seed
        planned = plan_faults(EVERY_HOURS, self.options.faults, self.options.hours, seconds, seed)
        switch = KillSwitch([])
        kinds = make_kinds(switch)
        with self.stack.watched() as placements:
            scene = Scene(self.stack, placements)
            before = self._settle(scene)
            flow = Flow(scene, plan_requests(self.options.hours, seconds, seed), make_hook(self.stack), seed)
            if flow.hook is None:
                self.say("no webhook could be made; alerts are sent as signals")
            watch = Watch(scene, seconds)
            conductor = Conductor(scene, kinds, planned)
            scene.began = time.time()
            lasted = self._play(scene, flow, watch, conductor, seconds)
            closing = self._close(scene, before)
            found = Measured(
                scene,
                flow,
                watch,
                kinds,
                planned,
                conductor.troubles,
                switch.measured,
                closing,
                lasted,
                self.interrupted,
            )
            verdict = judge(found)
            report = make_report(self.options, found, verdict, self.day, machine)
        return report, verdict

    def _settle(self, scene: Scene) -> dict[str, Decimal]:
        """The first order makes the strategy known; the balances from which everything is counted."""
        before = count_back(scene)
        with self.stack.client() as client:
            client.post_signal(quantity="0.0004", strategy=STRATEGY).raise_for_status()
        return before

    def _play(self, scene: Scene, flow: Flow, watch: Watch, conductor: Conductor, seconds: float) -> float:
        began = time.monotonic()
        flow.start()
        watch.start()
        shown = Shown(began, self.show)
        shown.start(scene)
        try:
            with stopping_politely(scene):
                conductor.run(until=began + seconds)
        finally:
            scene.over.set()
        lasted = time.monotonic() - began
        self.interrupted = scene.stop_asked
        if self.interrupted:
            self.say("interrupted: coming to rest, then the table; once more ends it at once")
        watch.finish()
        if not flow.finish():
            flow.waiting = "a client still waits for an answer long after its last request"
        return lasted

    def _close(self, scene: Scene, before: dict[str, Decimal]) -> Closing:
        self.say("coming to rest …")
        trouble = self.stack.come_to_rest()
        self.say("comparing with the venue's ledger …")
        synced = self.stack.manage("sync_portfolio")
        if synced.returncode:
            trouble = trouble or f"the last sync: {synced.stderr.strip()[-300:]}"
        findings = self.stack.examine(scene.placements)
        audited = self.stack.manage("verify_audit")
        said = "\n".join((audited.stdout + audited.stderr).splitlines()[-LAST_WORDS:])
        return Closing(findings, trouble, audited.returncode, said, before)


@contextmanager
def stopping_politely(scene: Scene) -> Iterator[None]:
    """The first signal asks to stop; whoever is impatient gets KeyboardInterrupt by the second."""

    def ask(number: int, frame: FrameType | None) -> None:
        if scene.stop_asked:
            signal.default_int_handler(number, frame)
        scene.stop_asked = True

    before = {number: signal.signal(number, ask) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def count_back(scene: Scene) -> dict[str, Decimal]:
    """On a stack that has traded before, what it began with: today's balances less what its fills moved."""
    held = {asset: Decimal(row["total"]) for asset, row in scene.stack.venue.balances().items()}
    moved = fills_by_asset(scene)
    return {asset: held.get(asset, Decimal(0)) - moved.get(asset, Decimal(0)) for asset in {*held, *moved}}


class Shown:
    """Says how far it is, from a thread: the main one plays the faults."""

    def __init__(self, began: float, show: Callable[[float], None]) -> None:
        self._began, self._show = began, show

    def start(self, scene: Scene) -> None:
        def repeat() -> None:
            while scene.rest(SHOW_SECONDS):
                self._show(time.monotonic() - self._began)

        threading.Thread(target=repeat, daemon=True).start()
