"""The bridge from ASGI to WSGI: bodies, headers, long answers, readers that leave, and STOP's own threads."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import Any

from levi_site.wsgi_bridge import MOST_BODY_BYTES, STOP_PATHS, WsgiBridge, build_environ, read_body
from tests.loops import run_alone


def make_scope(
    path: str = "/", method: str = "GET", headers: tuple[tuple[str, str], ...] = ()
) -> dict[str, Any]:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"a=1",
        "http_version": "1.1",
        "scheme": "https",
        "server": ("levi.test", 443),
        "client": ("10.0.0.9", 1234),
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }


def call(application: Any, scope: dict[str, Any], *parts: bytes, threads: int = 1) -> list[dict[str, Any]]:
    async def visit() -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []
        left = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
        left.append({"type": "http.request", "body": b"", "more_body": False})

        async def receive() -> dict[str, Any]:
            return left.pop(0)

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await WsgiBridge(application, threads)(scope, receive, send)
        return sent

    return run_alone(visit())


def echo(environ: dict[str, Any], start: Any) -> list[bytes]:
    start("201 Created", [("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
    return [environ["REQUEST_METHOD"].encode(), b" ", environ["wsgi.input"].read()]


def test_a_request_reaches_the_application_and_its_answer_comes_back():
    head, body = call(echo, make_scope(method="POST"), b"one ", b"two")
    assert head["status"] == 201 and body["body"] == b"POST one two" and not body["more_body"]
    assert [value for name, value in head["headers"] if name == b"set-cookie"] == [b"a=1", b"b=2"]


def test_the_environment_says_what_a_server_must_say():
    headers = (("cookie", "a=1"), ("cookie", "b=2"), ("x-forwarded-proto", "https"), ("content-length", "3"))
    environ = build_environ(make_scope("/admin/é/", headers=headers), b"xyz")
    assert environ["PATH_INFO"].encode("latin-1").decode() == "/admin/é/"
    assert (environ["HTTP_COOKIE"], environ["CONTENT_LENGTH"]) == ("a=1; b=2", "3")
    assert (environ["REMOTE_ADDR"], environ["wsgi.url_scheme"], environ["SERVER_PORT"]) == (
        "10.0.0.9",
        "https",
        "443",
    )


def test_a_header_with_an_underscore_cannot_pass_for_another():
    forged = (("x_forwarded_proto", "https"), ("remote_user", "root"))
    environ = build_environ(make_scope(headers=forged), b"")
    assert "HTTP_X_FORWARDED_PROTO" not in environ and "HTTP_REMOTE_USER" not in environ


def test_a_body_declared_too_long_is_not_read():
    async def receive() -> dict[str, Any]:
        raise AssertionError("a byte of it was read")

    scope = make_scope(headers=(("content-length", str(MOST_BODY_BYTES + 1)),))
    assert run_alone(read_body(scope, receive)) == b""


def test_a_long_answer_goes_out_in_pieces_and_is_closed_in_its_thread():
    threads: list[int] = []

    class Rows:
        def __iter__(self):
            threads.append(threading.get_ident())
            yield from [b"x" * 100_000] * 9

        def close(self) -> None:
            threads.append(threading.get_ident())

    def application(_environ: Any, start: Any) -> Rows:
        start("200 OK", [])
        return Rows()

    sent = call(application, make_scope())
    assert sum(len(message.get("body", b"")) for message in sent) == 900_000 and len(sent) > 3
    assert len(set(threads)) == 1 and threads[0] != threading.get_ident()


def test_a_reader_that_left_ends_the_answer_and_frees_what_it_held():
    closed = threading.Event()

    def application(_environ: Any, start: Any) -> Any:
        start("200 OK", [])
        try:
            while True:
                yield b"x" * 300_000
        finally:
            closed.set()

    async def visit() -> None:
        async def send(_message: dict[str, Any]) -> None:
            raise OSError("the reader is gone")

        async def receive() -> dict[str, Any]:
            return {"type": "http.disconnect"}

        with contextlib.suppress(OSError):
            await WsgiBridge(application, 1)(make_scope(), receive, send)

    run_alone(visit())
    assert closed.wait(5)


def test_stop_gets_through_while_every_thread_is_busy():
    busy, enough = threading.Event(), threading.Event()

    def application(environ: Any, start: Any) -> list[bytes]:
        start("200 OK", [])
        if environ["PATH_INFO"] not in STOP_PATHS:
            busy.set()
            enough.wait(20)
        return [b"stopped"]

    async def visit() -> bytes:
        bridge, said = WsgiBridge(application, 1), []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            said.append(message.get("body", b""))

        slow = asyncio.ensure_future(bridge(make_scope("/admin/"), receive, send))
        while not busy.is_set():
            await asyncio.sleep(0.005)
        await asyncio.wait_for(bridge(make_scope(STOP_PATHS[0], "POST"), receive, send), 10)
        first = b"".join(said)
        enough.set()
        await slow
        return first

    assert run_alone(visit()) == b"stopped"
