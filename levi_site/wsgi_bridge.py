"""Runs the WSGI application under an ASGI server, so that ordinary pages and held-open streams share one port.

Each request runs in one thread of a fixed pool (a thread owns a database connection), and STOP has threads of its own
that nothing else can occupy. A body is read before the thread is taken, so that a slow sender holds none; one that is
declared too long is not read at all: the application answers it by its declared length. Never decides anything.
"""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Head = tuple[int, list[tuple[bytes, bytes]]]

MOST_BODY_BYTES = 4 * 1024 * 1024
_STREAM_BYTES = 256 * 1024  # a longer answer goes out in pieces
_SEND_SECONDS = 60  # a reader that takes nothing for so long is let go
STOP_PATHS = ("/live/kill", "/live/kill/", "/admin/trading/haltstate/stop/")
_STOP_THREADS = 2


class ReaderGone(Exception):
    """The browser left, or took nothing for a minute."""


class WsgiBridge:
    def __init__(self, application: Any, threads: int) -> None:
        self.application = application
        self.ordinary = ThreadPoolExecutor(threads, thread_name_prefix="request")
        self.stopping = ThreadPoolExecutor(_STOP_THREADS, thread_name_prefix="stop")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        environ = build_environ(scope, await read_body(scope, receive))
        loop = asyncio.get_running_loop()
        pool = self.stopping if scope["path"] in STOP_PATHS else self.ordinary
        answer = BridgedAnswer(loop, send)
        await loop.run_in_executor(pool, answer.run, self.application, environ)
        await answer.finish()

    async def ask(self, environ: dict[str, Any]) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """One short answer as a whole, for a caller that sends it on in its own way."""
        pieces: list[bytes] = []

        async def keep(message: dict[str, Any]) -> None:
            pieces.append(message.get("body", b""))

        loop = asyncio.get_running_loop()
        answer = BridgedAnswer(loop, keep)
        await loop.run_in_executor(self.ordinary, answer.run, self.application, environ)
        await answer.finish()
        return *answer.head, b"".join(pieces)


class BridgedAnswer:
    """Collects what the application says; a short answer is sent by the loop in one step, a long one from the thread,
    which then waits for the reader."""

    def __init__(self, loop: asyncio.AbstractEventLoop, send: Send) -> None:
        self.loop, self.send = loop, send
        self.head: Head = (500, [])
        self.pieces: list[bytes] = []
        self.waiting_bytes = 0
        self.is_streaming = False

    def start(
        self, status: str, headers: list[tuple[str, str]], _error: Any = None
    ) -> Callable[[bytes], None]:
        pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        self.head = (int(status[:3]), pairs)
        return self.take

    def run(self, application: Any, environ: dict[str, Any]) -> None:
        pieces: Iterable[bytes] = application(environ, self.start)
        try:
            for piece in pieces:
                self.take(piece)
        except ReaderGone:
            pass
        finally:
            if hasattr(pieces, "close"):
                pieces.close()

    def take(self, piece: bytes) -> None:
        self.pieces.append(piece)
        self.waiting_bytes += len(piece)
        if self.waiting_bytes >= _STREAM_BYTES:
            self._await(self._flush(more=True))

    def _await(self, step: Any) -> None:
        try:
            asyncio.run_coroutine_threadsafe(step, self.loop).result(_SEND_SECONDS)
        except (TimeoutError, OSError, RuntimeError) as error:
            raise ReaderGone from error

    async def _flush(self, *, more: bool) -> None:
        if not self.is_streaming:
            self.is_streaming = True
            await self.send({"type": "http.response.start", "status": self.head[0], "headers": self.head[1]})
        body, self.pieces, self.waiting_bytes = b"".join(self.pieces), [], 0
        await self.send({"type": "http.response.body", "body": body, "more_body": more})

    async def finish(self) -> None:
        await self._flush(more=False)


async def read_body(scope: Scope, receive: Receive) -> bytes:
    """All of it, or nothing of one that is declared or turns out to be longer than any page takes."""
    declared = dict(scope["headers"]).get(b"content-length", b"")
    if declared.isdigit() and (len(declared) > 12 or int(declared) > MOST_BODY_BYTES):
        return b""
    pieces, length, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            break
        pieces.append(message.get("body", b""))
        length += len(pieces[-1])
        more = message.get("more_body", False) and length <= MOST_BODY_BYTES
    return b"".join(pieces)


def build_environ(scope: Scope, body: bytes) -> dict[str, Any]:
    server, client = scope.get("server") or ("localhost", 80), scope.get("client") or ("", 0)
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or 80),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        add_header(environ, name.decode("latin-1"), value.decode("latin-1"))
    return environ


def add_header(environ: dict[str, Any], name: str, value: str) -> None:
    """A name with an underscore could pass for another header: dropped, as proxies do."""
    if "_" in name:
        return
    key = name.upper().replace("-", "_")
    if key not in ("CONTENT_LENGTH", "CONTENT_TYPE"):
        key = f"HTTP_{key}"
    joint = "; " if key == "HTTP_COOKIE" else ","
    environ[key] = f"{environ[key]}{joint}{value}" if key in environ else value
