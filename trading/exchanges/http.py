"""The one line out: sends one prepared request and proves what left.

Owns the httpx client of an adapter. A request goes out as the exact URL string that was signed, at most once: no
redirects, no transport retries, no proxies from the environment, no cookies, explicit time-outs, a bounded answer.
The trace hook runs at the moment before the first byte of the headers is written: until it has passed nothing has left,
afterwards everything is possible. Never logs, and never lets a URL, header, key or signature into an exception.
"""

from __future__ import annotations

import contextlib
import os
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from trading.domain.errors import NotSent
from trading.domain.outcomes import Exchanged
from trading.failpoints import failpoint

from .clock import boot_seconds
from .redaction import quiet_http_loggers, redact

KEEPALIVE_SECONDS = 5.0  # shorter than any venue's own: a connection the venue closed is a lost order
DEFAULT_MAX_BYTES = 1 << 20
_MAX_KEPT_ANSWER = 64 * 1024
_CONNECT_SECONDS = 3.0
_WRITE_SECONDS = 2.0
_POOL_SECONDS = 1.0
USER_AGENT = "levi/0.1"
_ANSWER_AWAITED = "http11.receive_response_headers.started"

quiet_http_loggers()


@dataclass(frozen=True, slots=True)
class WireRequest:
    """One request, ready. `url` is signed and stays secret; `shown_path` is what may be kept and shown.

    `content` is the body, byte for byte as it was signed; None for a request without one.
    `guard` is called at the last moment before bytes leave and raises NotSent to stop them.
    """

    method: str
    url: str = field(repr=False)
    shown_path: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: bytes | None = field(default=None, repr=False)
    max_bytes: int = DEFAULT_MAX_BYTES
    guard: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class WireAnswer:
    """A complete answer. `sent` and `answered` are instants of the boot clock; names of headers are in lower case."""

    http_status: int
    body: bytes = field(repr=False)
    retry_after: str
    exchanged: Exchanged
    sent: float
    answered: float
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class WireFailure(Exception):
    """No complete answer came. `exchanged.sent_at` is None exactly when nothing had left."""

    def __init__(self, reason: str, exchanged: Exchanged) -> None:
        super().__init__(reason)
        self.reason = reason
        self.exchanged = exchanged

    @property
    def may_have_left(self) -> bool:
        return self.exchanged.sent_at is not None


class _Unusable(Exception):
    """An answer that is not read to its end; the text says why."""


@cache
def shared_ssl_context() -> ssl.SSLContext:
    """One for all lines (it costs 20 ms and 7 MB), also for processes forked after it was made: it is only read, and
    OpenSSL draws new random numbers after a fork. Roots named in the environment do not count."""
    return httpx.create_ssl_context(trust_env=False)


class _Trip:
    """What is known about one request while it is under way."""

    def __init__(self, request: WireRequest) -> None:
        self.request = request
        self.began = boot_seconds()
        self.is_decided = False
        self.sent_at: datetime | None = None
        self.sent = self.answered = self.began
        self.http_status: int | None = None
        self.body = bytearray()
        self.headers: Mapping[str, str] = {}

    def on_trace(self, event: str, _info: Mapping[str, object]) -> None:
        """The first event that is not about connecting (`http11.send_request_headers.started`) is the last moment.

        Any such event counts, whatever its name: should the library rename it, requests would not become "not sent".
        """
        if self.is_decided or event.startswith("connection."):
            if event == _ANSWER_AWAITED:
                self.pass_failpoint("http.after_send")
            return
        self.is_decided = True
        self.pass_failpoint("http.before_guard")
        if self.request.guard is not None:
            self.request.guard()
        # From here on the request counts as sent: an exception between this line and the write only errs towards doubt.
        self.sent = boot_seconds()
        self.sent_at = datetime.now(UTC)
        self.pass_failpoint("http.before_write")

    def pass_failpoint(self, name: str) -> None:
        """Only what may not be late has a guard, and only that is worth dying at."""
        if self.request.guard is not None:
            failpoint(name)

    def exchanged(self, secrets: Sequence[str]) -> Exchanged:
        # Redact before cutting to length, so that no secret is cut in half and kept.
        text = redact(bytes(self.body[: 2 * _MAX_KEPT_ANSWER]).decode("utf-8", "replace"), secrets)
        return Exchanged(
            method=self.request.method,
            path=redact(self.request.shown_path, secrets),
            http_status=self.http_status,
            answer=text.encode()[:_MAX_KEPT_ANSWER].decode("utf-8", "ignore"),
            sent_at=self.sent_at,
            seconds=boot_seconds() - self.began,
        )


class HttpLine:
    """The client of one adapter. Thread-safe; recreates its client in a forked child instead of sharing sockets."""

    def __init__(self, *, timeout_seconds: float, secrets: Sequence[str] = ()) -> None:
        self._secrets = tuple(secrets)
        self._timeout = httpx.Timeout(
            connect=min(_CONNECT_SECONDS, timeout_seconds),
            write=min(_WRITE_SECONDS, timeout_seconds),
            pool=_POOL_SECONDS,
            read=timeout_seconds,
        )
        self._longest = _CONNECT_SECONDS + _WRITE_SECONDS + _POOL_SECONDS + timeout_seconds
        self._lock = threading.Lock()
        self._client: tuple[int, httpx.Client] | None = None
        self._used_at: float | None = None

    @property
    def is_cold(self) -> bool:
        """True if the next request would probably have to connect first."""
        return self._used_at is None or boot_seconds() - self._used_at > KEEPALIVE_SECONDS * 0.8

    def hide(self, secret: str) -> None:
        """One more text to take out of whatever is kept of an exchange."""
        self._secrets += (secret,)

    def send(self, request: WireRequest) -> WireAnswer:
        """Send once. Raises WireFailure for every Exception on the way; lets SystemExit and its like pass."""
        trip = _Trip(request)
        try:
            self._exchange(trip)
        except Exception as error:  # broad: whatever broke, only the trip can say whether bytes had left
            raise WireFailure(self._reason(error), trip.exchanged(self._secrets)) from None
        trip.pass_failpoint("http.after_answer")
        self._used_at = boot_seconds()
        return WireAnswer(
            http_status=trip.http_status or 0,
            body=bytes(trip.body),
            retry_after=trip.headers.get("retry-after", ""),
            exchanged=trip.exchanged(self._secrets),
            sent=trip.sent,
            answered=trip.answered,
            headers=trip.headers,
        )

    def close(self) -> None:
        with self._lock:
            found, self._client = self._client, None
        if found is not None and found[0] == os.getpid():
            found[1].close()

    def _exchange(self, trip: _Trip) -> None:
        client = self._get_client()
        request = client.build_request(
            trip.request.method,
            trip.request.url,
            headers=dict(trip.request.headers),
            content=trip.request.content,
            extensions={"trace": trip.on_trace},
        )
        if not trip.request.url.endswith(request.url.raw_path.decode("ascii")):
            raise NotSent("the HTTP library would rewrite the signed URL")
        with contextlib.closing(client.send(request, stream=True)) as response:
            trip.http_status = response.status_code
            trip.answered = boot_seconds()
            trip.headers = {name.lower(): value for name, value in response.headers.items()}
            self._read_body(trip, response)

    def _read_body(self, trip: _Trip, response: httpx.Response) -> None:
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise _Unusable("the answer is compressed, which was not asked for")
        for chunk in response.iter_raw():
            trip.body += chunk
            if len(trip.body) > trip.request.max_bytes:
                raise _Unusable(f"the answer is larger than {trip.request.max_bytes} bytes")
            if boot_seconds() - trip.began > self._longest:
                raise _Unusable(f"the answer took longer than {self._longest:g} s")

    def _reason(self, error: Exception) -> str:
        detail = redact(str(error), self._secrets)[:200]
        if isinstance(error, (NotSent, _Unusable)):
            return detail
        return f"{type(error).__name__}: {detail}" if detail else type(error).__name__

    def _get_client(self) -> httpx.Client:
        with self._lock:
            if self._client is None or self._client[0] != os.getpid():
                self._client = (os.getpid(), self._make_client())
            return self._client[1]

    def _make_client(self) -> httpx.Client:
        limits = httpx.Limits(
            max_connections=16, max_keepalive_connections=16, keepalive_expiry=KEEPALIVE_SECONDS
        )
        transport = httpx.HTTPTransport(
            verify=shared_ssl_context(), trust_env=False, http2=False, limits=limits, retries=0
        )
        return httpx.Client(
            transport=transport,
            timeout=self._timeout,
            follow_redirects=False,
            trust_env=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            # Without compression the size cap holds for what is unpacked as well.
            headers={"User-Agent": USER_AGENT, "Accept": "application/json", "Accept-Encoding": "identity"},
        )
