"""Chooses free ports on the loopback address and remembers them, so that a restart finds the same addresses.

A remembered port that another program has taken meanwhile is replaced. The panel's port is the operator's choice.
"""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

LOOPBACK = "127.0.0.1"


def is_port_free(port: int, host: str = LOOPBACK) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the servers do: a port in TIME_WAIT from the last run is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def hold_port(port: int) -> socket.socket | None:
    """Claim the panel's port among stacks of this machine, for as long as the returned socket is open.

    The web server shares its port between workers (SO_REUSEPORT), so the system would let a second stack share it too.
    A name in Linux's abstract namespace is claimed atomically and leaves no file. None: another stack has it.
    """
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    if sys.platform == "linux":
        try:
            claim.bind(f"\0levi-panel-port-{port}")
        except OSError:
            claim.close()
            return None
    return claim


def find_free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def read_ports(path: Path) -> dict[str, int]:
    try:
        return {str(name): int(port) for name, port in json.loads(path.read_text()).items()}
    except (OSError, ValueError, AttributeError):
        # Nothing remembered yet, or a damaged file: choosing anew is always right.
        return {}


def choose_ports(path: Path, names: tuple[str, ...]) -> dict[str, int]:
    """One free port per name; remembered in the file."""
    remembered = read_ports(path)
    chosen: dict[str, int] = {}
    for name in names:
        port = remembered.get(name, 0)
        while not port or port in chosen.values() or not is_port_free(port):
            port = find_free_port()
        chosen[name] = port
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(remembered | chosen))
    return chosen
