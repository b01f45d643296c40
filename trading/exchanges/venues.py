"""Where requests may go: the single list of venue addresses. A base URL is never free text.

Hosts are compared as a whole, https only, without port or path. Plain http goes to loopback only, where the simulated
venue lives, and never with environment live. MEXC offers no test installation for spot: its testnet is the simulated
venue plus the live order/test endpoint, which places nothing; the "testnet-api" host that documents mention is refused
by name, because a key sent to an invented host goes to whoever registers it. Knows no Django and opens no socket.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from trading.domain.enums import Environment, VenueName
from trading.domain.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class VenueAddresses:
    """One venue's hosts, each with the address of its private stream as a whole, because keys go there too."""

    production: Mapping[str, str]
    testnet: Mapping[str, str]  # test installations that exist
    # Real hosts that testnet mode may use for validation only, because the venue has a test order and no testnet.
    rehearsal: frozenset[str]
    loopback_stream_path: (
        str  # the simulated venue speaks on the port of its requests, below the venue's path
    )
    example: str


_BINANCE_STREAM = "wss://ws-api.binance.com/ws-api/v3"
_BYBIT_STREAM = "wss://stream.bybit.com/v5/private"
ADDRESSES: Mapping[str, VenueAddresses] = {
    VenueName.MEXC: VenueAddresses(
        production={"api.mexc.com": "wss://wbs-api.mexc.com/ws"},
        testnet={},
        rehearsal=frozenset({"api.mexc.com"}),
        loopback_stream_path="/ws",
        example="https://api.mexc.com",
    ),
    VenueName.BINANCE: VenueAddresses(
        production=dict.fromkeys(
            (
                "api.binance.com",
                "api-gcp.binance.com",
                "api1.binance.com",
                "api2.binance.com",
                "api3.binance.com",
                "api4.binance.com",
            ),
            _BINANCE_STREAM,
        ),
        testnet={
            "testnet.binance.vision": "wss://ws-api.testnet.binance.vision/ws-api/v3",
            "demo-api.binance.com": "wss://demo-ws-api.binance.com/ws-api/v3",
        },
        rehearsal=frozenset(),
        loopback_stream_path="/ws-api/v3",
        example="https://api.binance.com",
    ),
    VenueName.BYBIT: VenueAddresses(
        production={"api.bybit.com": _BYBIT_STREAM, "api.bytick.com": _BYBIT_STREAM},
        testnet={
            "api-testnet.bybit.com": "wss://stream-testnet.bybit.com/v5/private",
            "api-demo.bybit.com": "wss://stream-demo.bybit.com/v5/private",
        },
        rehearsal=frozenset(),
        loopback_stream_path="/v5/private",
        example="https://api.bybit.com",
    ),
}
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})

KNOWN_FICTIONS: Mapping[str, str] = {
    "testnet-api.mexc.com": (
        "names a host that does not exist: MEXC runs no spot testnet. In testnet mode leave testnet_url out: orders "
        "are checked by the venue's order/test endpoint, or go to the simulated venue"
    ),
}


def hosts_of(venue: str, environment: Environment) -> frozenset[str]:
    """The hosts beside loopback that an account of this environment may talk to."""
    known = ADDRESSES[venue]
    if environment is Environment.LIVE:
        return frozenset(known.production)
    if environment is Environment.TESTNET:
        return frozenset(known.testnet) | known.rehearsal
    return frozenset()


def test_address(venue: str) -> str:
    """The venue's own test installation, the first of them; empty where it runs none."""
    return next((f"https://{host}" for host in ADDRESSES[venue].testnet), "")


def _remedy(venue: VenueName, environment: Environment) -> str:
    known = ADDRESSES[venue]
    if environment is Environment.LIVE:
        return f"Use the venue's own address, such as {known.example}."
    simulated = f"the simulated venue, such as http://127.0.0.1:9100/{venue}"
    if environment is Environment.SIMULATED:
        return f"Use {simulated}."
    if known.testnet:
        return f"Use https://{next(iter(known.testnet))}, or {simulated}."
    return f"Use {simulated}, or {known.example} for validation only."


def explain_bad_url(url: str, hosts: frozenset[str], *, loopback_allowed: bool) -> str | None:
    """Why this address must not be used, as the rest of a sentence; None when it may."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return f"is not a URL ({error})"
    if (parts.hostname or "") in KNOWN_FICTIONS:
        return KNOWN_FICTIONS[parts.hostname or ""]
    if parts.username is not None or parts.password is not None:
        return "carries a user or password; remove them"
    if "?" in url or "#" in url:
        return "carries a query or fragment; remove them"
    if not url.isascii() or any(sign.isspace() or sign in "\\@%" for sign in url):
        return "has characters that do not belong into a plain address; write it plainly"
    if (parts.hostname or "") in LOOPBACK_HOSTS:
        return _explain_bad_loopback(parts, loopback_allowed)
    if parts.scheme != "https":
        return f"uses {parts.scheme or 'no scheme'}; only https is allowed"
    if port not in (None, 443) or parts.path not in ("", "/"):
        return "has a port or a path; write scheme and host only"
    if (parts.hostname or "") not in hosts:
        known = ", ".join(sorted(hosts)) or "none"
        return f"names a host that is not on the allow-list (known: {known})"
    return None


def _explain_bad_loopback(parts: SplitResult, loopback_allowed: bool) -> str | None:
    if not loopback_allowed:
        return "is a loopback address; production mode talks to the real venue only"
    if parts.scheme != "http":
        return f"uses {parts.scheme or 'no scheme'}; the simulated venue speaks plain http"
    return "climbs out of its path; write it plainly" if ".." in parts.path else None


def check_base_url(venue: VenueName, environment: Environment, base_url: str) -> str:
    """The address without a trailing slash if this environment may use it; ConfigurationError otherwise."""
    reason = explain_bad_url(
        base_url, hosts_of(venue, environment), loopback_allowed=environment is not Environment.LIVE
    )
    if reason is None:
        return base_url.rstrip("/")
    shown = base_url.split("?")[0].rsplit("@", 1)[-1][:120]  # neither userinfo nor a query may reach a log
    raise ConfigurationError(
        f"base_url {shown!r} of {venue} ({environment}) {reason}.",
        remedy=_remedy(venue, environment),
        code="base_url_refused",
    )


def stream_address(venue: VenueName, environment: Environment, base_url: str) -> str:
    """Where the private stream of this address is, TLS everywhere but at loopback; never free text either.

    Raises ConfigurationError for an address that is not on the list.
    """
    known, parts = ADDRESSES[venue], urlsplit(check_base_url(venue, environment, base_url))
    host = parts.hostname or ""
    if host in LOOPBACK_HOSTS:
        return f"ws://{parts.netloc}{parts.path}{known.loopback_stream_path}"
    return {**known.production, **known.testnet}[host]


def is_rehearsal(venue: VenueName, environment: Environment, base_url: str) -> bool:
    """True for a testnet account at a real host: the venue validates, nothing is placed."""
    return environment is Environment.TESTNET and urlsplit(base_url).hostname in ADDRESSES[venue].rehearsal
