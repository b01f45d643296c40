"""The allow-list of venue addresses: exact hosts, https only. A base URL is never free text.

Real venues' documented REST hosts only. A simulated venue may stand on plain http on a loopback address, in paper
and testnet mode; production talks to nothing but the real hosts.
"""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

PRODUCTION_HOSTS = {
    "mexc": frozenset({"api.mexc.com"}),
}
# Hosts of test environments that exist. MEXC's spot API has none (see docs/operations.md).
TESTNET_HOSTS: dict[str, frozenset[str]] = {"mexc": frozenset()}
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})

KNOWN_FICTIONS = {
    "testnet-api.mexc.com": (
        "this host does not exist: MEXC runs no spot testnet. In testnet mode leave testnet_url out: orders are "
        "checked by the venue's test-order endpoint, or go to the simulated venue"
    ),
}


def is_loopback(parts: SplitResult) -> bool:
    return (parts.hostname or "") in LOOPBACK_HOSTS


def explain_bad_url(url: str, hosts: frozenset[str], *, loopback_allowed: bool) -> str | None:
    """Why this URL must not be used, or None when it may."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return f"is not a URL ({error})"
    host = parts.hostname or ""
    if host in KNOWN_FICTIONS:
        return KNOWN_FICTIONS[host]
    if parts.username or parts.password:
        return "carries a user or password; remove them"
    if parts.query or parts.fragment:
        return "carries a query or fragment; remove them"
    if is_loopback(parts):
        return (
            None
            if loopback_allowed
            else "is a loopback address; production mode talks to the real venue only"
        )
    if parts.scheme != "https":
        return f"uses {parts.scheme or 'no scheme'}; only https is allowed"
    if port not in (None, 443) or parts.path not in ("", "/"):
        return "has a port or a path; write scheme and host only"
    if host not in hosts:
        known = ", ".join(sorted(hosts)) or "none"
        return f"names a host that is not on the allow-list (known: {known})"
    return None
