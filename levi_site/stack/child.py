"""One running process of the stack: its group, its output, whether it is ready, when it may be started again.

Each child leads a session and group of its own, so that Ctrl-C in the terminal reaches the supervisor only, and so
that killing the group leaves no grandchild behind. It is a command of its own, or a child of the nursery: the words of
its command line are the same.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from typing import Any

from levi_site.stack.nursery_link import NurseryFailed, Nursling
from levi_site.stack.process_spec import ProcessSpec

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 30.0
STEADY_SECONDS = 60.0  # a process that lived this long starts its back-off from the beginning
TAIL_LINES = 15


class Child:
    def __init__(self, spec: ProcessSpec) -> None:
        self.spec = spec
        self.process: subprocess.Popen[bytes] | Nursling | None = None
        self.is_ready = False
        self.is_returning = False  # started again, not ready yet
        self.started_at = 0.0
        self.next_start_at = 0.0
        self.failures = 0
        self.tail: list[str] = []
        self._partial = b""

    @property
    def pid(self) -> int:
        return self.process.pid if self.process else 0

    @property
    def is_running(self) -> bool:
        return self.process is not None

    def start(self) -> None:
        if self.spec.prepare:
            self.spec.prepare()
        self.process = self._bear() or self._launch()
        self.is_ready, self.started_at, self._partial, self.tail = False, time.monotonic(), b"", []
        os.set_blocking(self.output_descriptor, False)
        if self.process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.write(self.spec.stdin)
                self.process.stdin.close()

    def _bear(self) -> Nursling | None:
        if self.spec.nursery:
            with contextlib.suppress(NurseryFailed):
                return self.spec.nursery.bear(self.spec.argv[1:], self.spec.environment)
        return None

    def _launch(self) -> subprocess.Popen[bytes]:
        identity: dict[str, Any] = self.spec.user.popen_arguments() if self.spec.user else {}
        link = self.spec.make_stdin() if self.spec.make_stdin else None
        try:
            process: subprocess.Popen[bytes] = subprocess.Popen(
                self.spec.argv,
                env=dict(self.spec.environment),
                stdin=link.fileno() if link else subprocess.PIPE if self.spec.stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=0o077,
                cwd="/" if self.spec.user else None,
                **identity,
            )
            return process
        finally:
            if link:
                link.close()

    def begin(self) -> None:
        """It is known to the reaper: a child of the nursery has waited for this."""
        if isinstance(self.process, Nursling):
            self.process.begin()

    @property
    def output_descriptor(self) -> int:
        assert self.process and self.process.stdout
        return self.process.stdout.fileno()

    def read_lines(self) -> tuple[list[bytes], bool]:
        """Complete lines that have arrived, and whether the output has ended."""
        try:
            chunk = os.read(self.output_descriptor, 65_536)
        except BlockingIOError:
            return [], False
        *lines, self._partial = (self._partial + chunk).split(b"\n")
        if not chunk and self._partial:
            lines, self._partial = [self._partial], b""
        self.tail = (self.tail + [line.decode(errors="replace") for line in lines])[-TAIL_LINES:]
        if self.spec.ready_text and any(self.spec.ready_text.encode() in line for line in lines):
            self.is_ready = True
        return lines, not chunk

    def check_ready(self) -> bool:
        if not self.is_ready and self.is_running:
            spec = self.spec
            self.is_ready = spec.is_ready() if spec.is_ready else not spec.ready_text
        return self.is_ready

    def is_late(self) -> bool:
        return not self.is_ready and time.monotonic() - self.started_at > self.spec.ready_seconds

    def poll(self) -> int | None:
        return self.process.poll() if self.process else None

    def mark_ended(self) -> None:
        """Forget the process and set the time of the next start: 0.5, 1, 2, 4 … 30 s."""
        if time.monotonic() - self.started_at > STEADY_SECONDS:
            self.failures = 0
        delay = min(FIRST_DELAY_SECONDS * 2**self.failures, LONGEST_DELAY_SECONDS)
        self.failures += 1
        self.next_start_at = time.monotonic() + delay
        # Members that outlived their leader (a pool child) must not work beside the next generation.
        self.kill_group()
        if self.process and self.process.stdout:
            self.process.stdout.close()
        self.process, self.is_ready, self.is_returning = None, False, True

    def ask_to_stop(self) -> None:
        """To the leader only: a pool ends its own children after their work."""
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, self.spec.stop_signal)

    def kill_group(self) -> None:
        if self.process:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
