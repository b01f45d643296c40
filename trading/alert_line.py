"""The line to an alert channel: one text to one Apprise address, with time-outs, and never to a host of the inside.

The address is a secret: it is neither logged nor part of an error. Apprise is imported when the first text leaves, so
only a process that delivers pays for it. Loopback, private and link-local hosts are refused unless allowed: when the
channel is stored, again before every text, and once more when a name is resolved to be dialled, so that a name server
cannot answer one thing to the check and another to the connection. Redirects are not followed. Kinds of channels that
act on this machine instead of sending anything are refused by name.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import threading
from typing import Any
from urllib.parse import urlsplit

from trading.domain.enums import Severity
from trading.domain.errors import InvalidInput

CONNECT_SECONDS, READ_SECONDS = 3.0, 5.0
MAX_URL = 1000
# They show windows, write to a journal or run a program on this host.
LOCAL_KINDS = frozenset(
    ("dbus", "glib", "gnome", "kde", "qt", "macosx", "windows", "syslog", "file", "python", "exec")
)
# Kinds whose address names a host of the operator's own; of all others Apprise knows the host by itself.
OWN_HOST_KINDS = frozenset(
    (
        *("json", "jsons", "xml", "xmls", "form", "forms", "mailto", "mailtos", "gotify", "gotifys"),
        *("ntfy", "ntfys", "matrix", "matrixs", "mmost", "mmosts", "rocket", "rockets", "mqtt", "mqtts"),
        *("apprise", "apprises", "rsyslog"),
    )
)
_REMEDY = "Write an Apprise address, such as json://host/path, mailto://user:password@host or slack://…"
_KIND_OF: dict[Severity, str] = {
    Severity.INFO: "info",
    Severity.WARNING: "warning",
    Severity.CRITICAL: "failure",
}


def kind_of(url: str) -> str:
    """The part before ://, in lower case."""
    return url.partition("://")[0].strip().lower()


def check_address(url: str, *, private_allowed: bool) -> str:
    """The trimmed address. Raises InvalidInput for what cannot or must not be an address; repeats no secret."""
    url = url.strip()
    kind = kind_of(url)
    if "://" not in url or not kind.replace("+", "").isalnum() or len(url) > MAX_URL or not url.isprintable():
        raise InvalidInput("This is no address of a channel.", remedy=_REMEDY, field="url")
    if kind in LOCAL_KINDS:
        raise InvalidInput(
            f"Channels of the kind {kind} act on this machine and reach nobody.", remedy=_REMEDY, field="url"
        )
    if kind in OWN_HOST_KINDS and (why := _why_not(_host_of(url), private_allowed=private_allowed)):
        raise InvalidInput(f"The channel's host {why}.", remedy=_PRIVATE_REMEDY, field="url")
    return url


_PRIVATE_REMEDY = "Use a public host, or set live.alerts_to_private_hosts in config/app.yaml."


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _why_not(host: str, *, private_allowed: bool) -> str:
    """Why this host must not be called, as the rest of a sentence; empty if it may."""
    if not host:
        return "is missing"
    if private_allowed:
        return ""
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return "cannot be resolved"
    inside = [address for address in found if not is_public(address)]
    return "is on this machine or in a private network" if inside else ""


def is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if inner is not None and not inner.is_global:
            return False
    return found.is_global and not found.is_multicast


class _Dialling:
    """What this thread resolves meanwhile leads to public addresses only: whoever connects gets the checked ones."""

    _resolve = staticmethod(socket.getaddrinfo)
    _thread = threading.local()

    def __init__(self, *, private_allowed: bool) -> None:
        self.is_narrow = not private_allowed

    def __enter__(self) -> None:
        socket.getaddrinfo = self._getaddrinfo  # once per process; other threads see no difference
        self._thread.is_narrow = self.is_narrow

    def __exit__(self, *_trouble: object) -> None:
        self._thread.is_narrow = False

    @classmethod
    def _getaddrinfo(cls, *args: Any, **kwargs: Any) -> list[Any]:
        found = cls._resolve(*args, **kwargs)
        if not getattr(cls._thread, "is_narrow", False):
            return found
        public = [entry for entry in found if is_public(str(entry[4][0]))]
        if not public:
            raise socket.gaierror(socket.EAI_NONAME, "on this machine or in a private network")
        return public


def send_text(url: str, *, subject: str, text: str, severity: Severity, private_allowed: bool) -> str:
    """Send now; an empty answer means that the channel took it, anything else says why not, without the address."""
    try:
        url = check_address(url, private_allowed=private_allowed)
    except InvalidInput as error:
        return str(error)
    line = _open_line(url)
    if line is None:
        return "Apprise does not understand this address."
    for host in _hosts_of(line):
        if why := _why_not(host, private_allowed=private_allowed):
            return f"The channel's host {why}."
    with _Complaints() as complaints, _Dialling(private_allowed=private_allowed):
        taken = _notify(line, subject, text, severity)
    return "" if taken else complaints.text(url) or "The channel did not take it."


def _open_line(url: str) -> Any:
    """Apprise's object for this address, with our time-outs; None if it knows no such kind or parts are missing."""
    from apprise import Apprise, AppriseAsset  # here, because only who delivers needs it

    asset = AppriseAsset(app_id="Levi", app_desc="Levi", app_url="", plugin_paths=[], secure_logging=True)
    line = Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if line is None or kind_of(url) in LOCAL_KINDS:
        return None
    line.socket_connect_timeout, line.socket_read_timeout = CONNECT_SECONDS, READ_SECONDS
    line.redirects = False
    return line


def _hosts_of(line: Any) -> list[str]:
    """What this line will dial, as far as the address and not Apprise says it."""
    named = [line.host] if "host" in line.template_tokens and line.host else []
    mail = getattr(line, "smtp_host", "")
    return [*named, mail] if mail else named


def _notify(line: Any, subject: str, text: str, severity: Severity) -> bool:
    try:
        return bool(line.notify(body=text or subject, title=subject, notify_type=_KIND_OF[severity]))
    except Exception as error:  # a plugin of Apprise may raise anything: then this text was not delivered
        logging.getLogger("apprise").warning("failed: %s", type(error).__name__)
        return False


class _Complaints(logging.Handler):
    """What Apprise says in this thread while it sends; it returns only True or False."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.thread = threading.get_ident()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self.thread:
            self.said.append(record.getMessage())

    def __enter__(self) -> _Complaints:
        logging.getLogger("apprise").addHandler(self)
        return self

    def __exit__(self, *_trouble: object) -> None:
        logging.getLogger("apprise").removeHandler(self)

    def text(self, url: str) -> str:
        """The last complaint without any part of the address."""
        said = self.said[-1] if self.said else ""
        parts = set(url.replace("://", "/").replace("@", "/").replace(":", "/").split("/"))
        for part in sorted(parts, key=len, reverse=True):
            said = said.replace(part, "***") if len(part) > 5 else said
        return " ".join(said.split())[:300]
