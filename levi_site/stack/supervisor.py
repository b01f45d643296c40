"""Starts the processes in order, restarts what dies, passes on their output, stops them in order.

One thread, one loop: output, deaths, readiness and signals are looked at in turn. Every group is known to the reaper
from the moment it exists until it has ended, so that even SIGKILL of this process leaves nothing behind.
"""

from __future__ import annotations

import os
import selectors
import signal
import time
from collections.abc import Callable, Iterable

from levi_site.stack.child import Child
from levi_site.stack.output import Console
from levi_site.stack.process_spec import STOP_SECONDS, Phase, ProcessSpec
from levi_site.stack.reaper_link import ReaperLink

TICK_SECONDS = 0.1
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StartFailed(Exception):
    """A process did not come up; the message carries its last lines."""


class Stopped(Exception):
    """A stop was asked for while something was being waited for."""


class Supervisor:
    def __init__(self, console: Console, reaper: ReaperLink, *, drain_seconds: float | None = None) -> None:
        self._console = console
        self._reaper = reaper
        self._children: list[Child] = []
        self._selector = selectors.DefaultSelector()
        self._stop_seconds = dict(STOP_SECONDS)
        if drain_seconds is not None:
            self._stop_seconds[Phase.WORKERS] = drain_seconds
        self._stop_asked = 0
        self._wake_reader, self._wake_writer = os.pipe()
        os.set_blocking(self._wake_writer, False)
        self._selector.register(self._wake_reader, selectors.EVENT_READ, None)
        for number in STOP_SIGNALS:
            signal.signal(number, self._on_stop_signal)

    # --- signals ----------------------------------------------------------------------------------------------

    def _on_stop_signal(self, _number: int, _frame: object) -> None:
        self._stop_asked += 1
        os.write(self._wake_writer, b"!")

    @property
    def is_stopping(self) -> bool:
        return self._stop_asked > 0

    # --- starting ---------------------------------------------------------------------------------------------

    def start(self, specs: Iterable[ProcessSpec]) -> None:
        """Start these together and wait until all are ready. Raises StartFailed or Stopped."""
        group = [Child(spec) for spec in specs]
        for child in group:
            self._children.append(child)
            self._launch(child)
        self._wait_for(lambda: all(child.check_ready() for child in group), group)

    def run_once(self, spec: ProcessSpec) -> None:
        """Run one command to its end. Raises StartFailed when it fails."""
        child = Child(spec)
        self._launch(child)
        try:
            self._wait_for(lambda: child.poll() is not None, [])
            if code := child.poll():
                raise StartFailed(self._describe_failure(child, code))
        finally:
            self._drop(child)

    def _launch(self, child: Child) -> None:
        child.start()
        self._reaper.add(child.pid, order=child.spec.phase, stop_signal=child.spec.stop_signal)
        child.begin()
        self._selector.register(child.output_descriptor, selectors.EVENT_READ, child)

    def _wait_for(self, is_done: Callable[[], bool], watched: list[Child]) -> None:
        while not is_done():
            self._tick(TICK_SECONDS / 2)
            if self.is_stopping:
                raise Stopped
            for child in watched:
                code = child.poll()
                if code is not None:
                    raise StartFailed(self._describe_failure(child, code))
                if child.is_late():
                    raise StartFailed(
                        f"{child.spec.name} was not ready after {child.spec.ready_seconds:.0f} s; "
                        f"see {child.spec.name}.log"
                    )

    def _describe_failure(self, child: Child, code: int) -> str:
        self._drain(child)
        said = "\n".join(f"    {line}" for line in child.tail) or "    (it said nothing)"
        return f"{child.spec.name} ended with code {code} while starting; its last lines:\n{said}"

    # --- running ----------------------------------------------------------------------------------------------

    def watch(self) -> None:
        """Until a stop is asked for: restart, with back-off, whatever ends."""
        while not self.is_stopping:
            self._tick(TICK_SECONDS)
            for child in self._children:
                if child.is_running:
                    self._check_alive(child)
                elif time.monotonic() >= child.next_start_at:
                    self._restart(child)

    def _check_alive(self, child: Child) -> None:
        code = child.poll()
        if code is None:
            if child.is_returning and child.check_ready():
                child.is_returning = False
                self._console.say(f"{child.spec.name} is back")
            return
        self._drop(child)
        wait = max(0.0, child.next_start_at - time.monotonic())
        self._console.say(f"{child.spec.name} ended with code {code}; starting it again in {wait:.1f} s")

    def _restart(self, child: Child) -> None:
        try:
            self._launch(child)
        except OSError as error:
            child.mark_ended()
            self._console.say(f"{child.spec.name} cannot be started ({error}); trying again")

    def _tick(self, seconds: float) -> None:
        for key, _events in self._selector.select(seconds):
            if key.data is None:
                os.read(self._wake_reader, 64)
            else:
                self._relay(key.data)

    def _relay(self, child: Child) -> None:
        lines, ended = child.read_lines()
        for line in lines:
            self._console.relay(child.spec.name, line)
        if ended:
            self._selector.unregister(child.output_descriptor)

    def _drain(self, child: Child) -> None:
        """What a dead child has still written."""
        while child.is_running and child.output_descriptor in self._selector.get_map():
            lines, ended = child.read_lines()
            for line in lines:
                self._console.relay(child.spec.name, line)
            # A helper process of a server may hold the pipe open a little longer: nothing to wait for.
            if ended or not lines:
                self._selector.unregister(child.output_descriptor)

    def _drop(self, child: Child) -> None:
        """The process has ended: take its last words, forget its group."""
        if child.is_running:
            pid = child.pid
            child.kill_group()
            self._drain(child)
            child.mark_ended()
            self._reaper.forget(pid)

    # --- stopping ---------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """The front first, the servers last. A phase that takes too long is killed; a second Ctrl-C kills at once."""
        hurry_from = self._stop_asked + 1
        for phase in sorted(Phase, reverse=True):
            members = [child for child in self._children if child.spec.phase == phase and child.is_running]
            for child in members:
                child.ask_to_stop()
            deadline = time.monotonic() + self._stop_seconds[phase]
            while any(child.poll() is None for child in members):
                if time.monotonic() > deadline or self._stop_asked >= hurry_from:
                    break
                self._tick(TICK_SECONDS / 4)
            for child in members:
                if child.poll() is None:
                    self._console.say(f"{child.spec.name} did not stop in time and is killed")
                    child.kill_group()
                    if child.process:
                        child.process.wait()
                self._drop(child)
        self._selector.close()
