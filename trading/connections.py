"""Which line leads to which venue: one adapter per account and process, built from the account's row.

Owns the cache of adapters. They are created after fork and never shared between processes; a changed base URL or a
replaced credential makes a new one. Only processes that execute or sync open credentials; the web process asks venues
for public prices only and uses `public_exchange`.
"""

from __future__ import annotations

import os
import threading
from typing import Any

from django.conf import settings

from trading.domain.enums import Environment, VenueName
from trading.domain.errors import ConfigurationError, LeviError
from trading.exchanges.base import Connection, Credentials, Exchange
from trading.exchanges.registry import connect, connect_stream, get_limiter
from trading.exchanges.streams import PrivateStream
from trading.metrics import RequestObserver
from trading.models import Credential, ExchangeAccount
from trading.vault import open_credentials

# The simulated venue of `manage.py up` is started with the same factor: a rehearsal should not wait for real quotas.
SIMULATED_LIMIT_SCALE = 20
_lock = threading.Lock()
_exchanges: dict[tuple[Any, ...], Exchange] = {}


def stop_requested() -> bool:
    """The local stop flag: seen by every process of this host before it writes a new order. Unreadable means stop."""
    try:
        os.stat(settings.STOP_FLAG)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def describe(account: ExchangeAccount, credentials: Credentials | None) -> Connection:
    """The adapter's settings: the account's row over the venue's section in config/app.yaml."""
    configured = settings.LEVI_CONFIG.exchange.get(account.venue)
    if configured is None:
        raise ConfigurationError(
            f"exchange.{account.venue} is missing in the configuration.",
            remedy=f"Add a section for {account.venue} to config/app.yaml.",
        )
    live = settings.LEVI_CONFIG.live
    return Connection(
        venue=VenueName(account.venue),
        environment=Environment(account.environment),
        base_url=account.base_url,
        account=account.name,
        credentials=credentials,
        timeout_seconds=configured.timeout_sec,
        rate_limit_rps=account.rate_limit_rps or configured.rate_limit_rps,
        max_retries=live.max_retries,
        retry_backoff_ms=live.retry_backoff_ms,
        limit_scale=SIMULATED_LIMIT_SCALE if account.environment == Environment.SIMULATED else 1,
        stop_requested=stop_requested,
    )


def _cached(key: tuple[Any, ...], connection: Connection) -> Exchange:
    with _lock:
        if key not in _exchanges:
            for old in [known for known in _exchanges if known[:3] == key[:3]]:
                _exchanges.pop(old).close()
            _exchanges[key] = connect(
                connection, limiter=get_limiter(settings.REDIS_URL), observer=RequestObserver()
            )
        return _exchanges[key]


def _check_mode(account: ExchangeAccount) -> None:
    """A rehearsal must not reach real money, whoever asks and whatever for."""
    if account.mode != settings.LEVI_MODE:
        raise ConfigurationError(
            f"Account {account.name} belongs to {account.mode} mode, and Levi runs in {settings.LEVI_MODE} mode.",
            remedy=f"Use it where LEVI_MODE is {account.mode}.",
        )


def _open_key(account: ExchangeAccount) -> Credentials:
    credentials = open_credentials(account)
    if credentials is None:
        raise ConfigurationError(
            f"Account {account.name} has no credentials.", remedy="Store an API key for it in the panel."
        )
    return credentials


def exchange_for(account: ExchangeAccount) -> Exchange:
    """The signed line of this account. Raises ConfigurationError if it has no usable credentials, or belongs to another
    mode."""
    _check_mode(account)
    replaced_at = Credential.objects.filter(account=account).values_list("replaced_at", flat=True).first()
    key = (os.getpid(), "account", account.pk, account.base_url, account.rate_limit_rps, replaced_at)
    with _lock:
        known = _exchanges.get(key)
    if known is not None:
        return known
    return _cached(key, describe(account, _open_key(account)))


def stream_for(account: ExchangeAccount) -> PrivateStream:
    """A private stream of this account, not open yet and nobody else's. Raises as `exchange_for` does."""
    _check_mode(account)
    connection = describe(account, _open_key(account))
    return connect_stream(connection, limiter=get_limiter(settings.REDIS_URL), observer=RequestObserver())


def offers_stream(account: ExchangeAccount) -> bool:
    """Whether its venue tells of changes by itself. Opens nothing; False for an address that cannot be used."""
    try:
        return public_exchange(account).capabilities.private_stream
    except LeviError:
        return False


def public_exchange(account: ExchangeAccount) -> Exchange:
    """An unsigned line to the same venue: instruments and prices only."""
    key = (os.getpid(), "public", account.venue, account.base_url)
    with _lock:
        known = _exchanges.get(key)
    return known if known is not None else _cached(key, describe(account, None))


def forget_all() -> None:
    """Close every line of this process (before fork, after a test)."""
    with _lock:
        for exchange in _exchanges.values():
            exchange.close()
        _exchanges.clear()
