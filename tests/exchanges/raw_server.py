"""A server that does exactly what a test says with every connection, and keeps every byte it was sent.

with raw_server(answers("HTTP/1.1 200 OK", "{}")) as server:
    …
    assert server.received == b""
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator

Behaviour = Callable[["RawServer", socket.socket], None]


class RawServer:
    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.received = b""
        self.connections = 0
        self.is_stopping = threading.Event()
        self._link: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while not self.is_stopping.is_set():
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._link = link
            with link, contextlib.suppress(OSError):
                link.settimeout(10)
                self._behaviour(self, link)

    def read_request(self, link: socket.socket) -> bytes:
        """One request with its body; an empty text when the other side left."""
        read = b""
        while not _is_whole(read):
            part = link.recv(65536)
            if not part:
                break
            read += part
        self.received += read
        return read

    def stop(self) -> None:
        self.is_stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        # A client that keeps its connection open would keep the thread in recv.
        with contextlib.suppress(OSError):
            if self._link is not None:
                self._link.shutdown(socket.SHUT_RD)
        self._listener.close()
        self._thread.join(timeout=5)


def _is_whole(read: bytes) -> bool:
    head, end, body = read.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    return bool(end) and len(body) >= int(length[1] if length else 0)


@contextlib.contextmanager
def raw_server(behaviour: Behaviour) -> Iterator[RawServer]:
    server = RawServer(behaviour)
    try:
        yield server
    finally:
        server.stop()


def answers(status: str, body: str | bytes, *headers: str) -> Behaviour:
    """One well-framed answer to each request of a connection."""
    content = body.encode() if isinstance(body, str) else body

    def behave(server: RawServer, link: socket.socket) -> None:
        while server.read_request(link):
            head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", *headers))
            link.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)

    return behave


def sends(raw: bytes) -> Behaviour:
    """These bytes after the first request, then the end of the connection."""

    def behave(server: RawServer, link: socket.socket) -> None:
        server.read_request(link)
        link.sendall(raw)

    return behave


def closes_at_once(_server: RawServer, _link: socket.socket) -> None:
    """Accept and close without reading."""


def closes_after_reading(server: RawServer, link: socket.socket) -> None:
    server.read_request(link)


def stalls(server: RawServer, link: socket.socket) -> None:
    """Read the request and never answer."""
    server.read_request(link)
    while not server.is_stopping.is_set() and link.recv(1024):
        pass


def refused_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
