"""The supervisor's side of the nursery: asks it for children, and knows how they are from then on.

A child is asked for, known to the reaper, and only then permitted to begin: one whose birth was given up ends unseen.
A nursery that is missing, slow or killed costs memory, never a process: then a command is started by itself, as
where there is no nursery at all. Children outlive it; their end is seen through their pidfd.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

ANSWER_SECONDS = 3.0  # a fork takes milliseconds; the supervisor waits meanwhile
END_SECONDS = 0.5
UNKNOWN_END = 255  # it ended while there was no nursery to say how
# Room for the command lines of the children, which are written over the nursery's own.
PADDING = "-" * 700


def can_nurse() -> bool:
    return sys.platform == "linux" and hasattr(os, "pidfd_open")


class NurseryFailed(OSError):
    """The nursery cannot give a child now."""


class Nursling:
    """A child of the nursery, with the part of Popen's interface that the supervisor needs."""

    stdin = None

    def __init__(self, pid: int, output: int, permission: int, nursery: NurseryLink) -> None:
        self.pid = pid
        self.stdout = io.FileIO(output)
        self.returncode: int | None = None
        self._permission = permission
        self._pidfd = os.pidfd_open(pid)
        self._nursery = nursery

    def begin(self) -> None:
        if self._permission >= 0:
            with contextlib.suppress(BrokenPipeError):
                os.write(self._permission, b"!")
            self._close_permission()

    def abandon(self) -> None:
        """It ends before it has done anything."""
        self._close_permission()

    def _close_permission(self) -> None:
        if self._permission >= 0:
            os.close(self._permission)
            self._permission = -1

    def poll(self) -> int | None:
        if self.returncode is None and self._has_ended(0):
            self.returncode = self._nursery.take_code(self.pid)
            os.close(self._pidfd)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None and not self._has_ended(timeout):
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        return self.poll() or 0

    def _has_ended(self, seconds: float | None) -> bool:
        poller = select.poll()
        poller.register(self._pidfd, select.POLLIN)
        return bool(poller.poll(None if seconds is None else seconds * 1000))


class NurseryLink:
    def __init__(self) -> None:
        self._link: socket.socket | None = None
        self._codes: dict[int, int] = {}
        self._has_greeted = False

    def make_stdin(self) -> socket.socket:
        """For a nursery that is being started: its end of a new socket. The old one's children live on."""
        self.close()
        self._link, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        return theirs

    def is_ready(self) -> bool:
        """It says so by itself when everything is loaded."""
        if not self._has_greeted:
            self._has_greeted = self._read(0) is not None
        return self._has_greeted

    def close(self) -> None:
        self._has_greeted = False
        if self._link:
            self._link.close()
            self._link = None

    def bear(self, words: Sequence[str], environment: Mapping[str, str]) -> Nursling:
        """A child that waits for `begin`. Raises NurseryFailed."""
        if self._link is None or not self.is_ready():
            raise NurseryFailed("there is no nursery")
        request = json.dumps({"words": list(words), "environment": dict(environment)}).encode()
        output, their_output = os.pipe()
        their_permission, permission = os.pipe()
        try:
            socket.send_fds(self._link, [request], [their_output, their_permission])
            pid = self._await_pid()
            return Nursling(pid, output, permission, self)
        except OSError as error:
            # Closing the pipe takes the permission back: a child that is born after this ends at once.
            self.close()
            os.close(output)
            os.close(permission)
            raise NurseryFailed(str(error)) from error
        finally:
            os.close(their_output)
            os.close(their_permission)

    def _await_pid(self) -> int:
        deadline = time.monotonic() + ANSWER_SECONDS
        while (message := self._read(max(0.0, deadline - time.monotonic()))) is not None:
            if "code" not in message:
                return message["pid"]
        raise NurseryFailed("it does not answer")

    def take_code(self, pid: int) -> int:
        """How this child, which has ended, ended."""
        while pid not in self._codes and self._read(END_SECONDS) is not None:
            pass
        return self._codes.pop(pid, UNKNOWN_END)

    def _read(self, seconds: float) -> dict[str, int] | None:
        """The next message; the ends of children are noted. None: there is none in that time, or no nursery."""
        if self._link is None:
            return None
        poller = select.poll()
        poller.register(self._link, select.POLLIN)
        try:
            said = self._link.recv(4096) if poller.poll(seconds * 1000) else b""
        except OSError:  # the nursery was killed
            return None
        if not said:
            return None
        message: dict[str, int] = json.loads(said)
        if "code" in message:
            self._codes[message["pid"]] = message["code"]
        return message
