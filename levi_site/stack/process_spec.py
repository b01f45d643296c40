"""What the supervisor must know about one process: how to start it, when it is ready, how to stop it.

A spec is frozen data; a running process is a Child. Phases order start and stop: servers first and last.
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from levi_site.stack.nursery_link import NurseryLink
from levi_site.stack.unprivileged import ServerUser


class Phase(IntEnum):
    """Started upwards, stopped downwards; processes of one phase together."""

    SERVERS = 1
    VENUE = 2
    WORKERS = 3
    FRONT = 4


# Within ten seconds everything has ended. A worker in the middle of a venue call gets most of that: what it leaves
# behind is in doubt and resolved at the next start, never sent again.
STOP_SECONDS = {Phase.FRONT: 3.0, Phase.WORKERS: 4.0, Phase.VENUE: 0.7, Phase.SERVERS: 1.8}


@dataclass(frozen=True)
class ProcessSpec:
    name: str
    phase: Phase
    argv: list[str]
    environment: Mapping[str, str]
    is_ready: Callable[[], bool] | None = None
    ready_text: str = ""  # instead of is_ready: a piece of its output
    ready_seconds: float = 60.0
    prepare: Callable[[], None] | None = None
    stdin: bytes = b""
    make_stdin: Callable[[], socket.socket] | None = None  # instead of bytes: a socket, made for each start
    nursery: NurseryLink | None = None  # forked from there while there is one; else started by itself
    stop_signal: int = signal.SIGTERM
    user: ServerUser | None = None
    extra: dict[str, object] = field(default_factory=dict)


def answers_http(port: int, path: str, host: str = "127.0.0.1") -> bool:
    """Whether a web server answers this path with anything but a server error."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode()
    try:
        with socket.create_connection((host, port), timeout=5) as link:
            link.sendall(request)
            head = link.recv(64)
    except OSError:
        return False
    return head.startswith(b"HTTP/1.") and head[9:10] in b"234" and len(head) > 10
