"""Only listed addresses are ever talked to."""

from __future__ import annotations

import pytest

from tests.exchanges.making import CountingObserver
from trading.domain.enums import Environment, VenueName
from trading.domain.errors import ConfigurationError
from trading.exchanges.base import Connection
from trading.exchanges.registry import connect, connect_stream
from trading.exchanges.venues import (
    ADDRESSES,
    check_base_url,
    is_rehearsal,
    stream_address,
)

MEXC = VenueName.MEXC


@pytest.mark.parametrize(
    ("environment", "url", "expected"),
    [
        (Environment.LIVE, "https://api.mexc.com", "https://api.mexc.com"),
        (Environment.LIVE, "https://api.mexc.com/", "https://api.mexc.com"),
        (Environment.SIMULATED, "http://127.0.0.1:9100/mexc", "http://127.0.0.1:9100/mexc"),
        (Environment.SIMULATED, "http://localhost:9100/mexc/", "http://localhost:9100/mexc"),
        (Environment.SIMULATED, "http://[::1]:9100/mexc", "http://[::1]:9100/mexc"),
        (Environment.TESTNET, "http://127.0.0.1:9100/mexc", "http://127.0.0.1:9100/mexc"),
    ],
)
def test_a_listed_address_is_taken(environment: Environment, url: str, expected: str) -> None:
    assert check_base_url(MEXC, environment, url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "http://api.mexc.com",
        "https://api.mexc.com.evil.example",
        "https://evil.example/https://api.mexc.com",
        "https://api.mexc.com@evil.example",
        "https://user:word@api.mexc.com",
        "https://api.mexc.com:8443",
        "https://api.mexc.com/x",
        "https://api.mexc.com?x=1",
        "https://api.mexc.com#x",
        "https://api.mexc.com\\@evil.example",
        "https://api.mexc.cоm",
        "https://api%2emexc.com",
        "https://127.0.0.1",
        "http://127.0.0.1:9100",
        "https://169.254.169.254",
        "https://[::ffff:127.0.0.1]",
        "https://0x7f000001",
        "ftp://api.mexc.com",
        "//api.mexc.com",
        "api.mexc.com",
        "https://[::1",
        "https://api.mexc.com:99999999",
        "",
    ],
)
def test_live_takes_nothing_else(url: str) -> None:
    with pytest.raises(ConfigurationError):
        check_base_url(MEXC, Environment.LIVE, url)


@pytest.mark.parametrize("environment", list(Environment))
def test_the_invented_testnet_is_refused_with_an_explanation(environment: Environment) -> None:
    with pytest.raises(ConfigurationError, match="MEXC runs no spot testnet"):
        check_base_url(MEXC, environment, "https://testnet-api.mexc.com")


def test_testnet_may_use_the_real_host_because_it_only_validates_there() -> None:
    url = check_base_url(MEXC, Environment.TESTNET, "https://api.mexc.com")
    assert is_rehearsal(MEXC, Environment.TESTNET, url)
    assert not is_rehearsal(MEXC, Environment.LIVE, url)
    assert not is_rehearsal(MEXC, Environment.TESTNET, "http://127.0.0.1:9100/mexc")


def test_the_simulated_environment_never_leaves_this_host() -> None:
    with pytest.raises(ConfigurationError):
        check_base_url(MEXC, Environment.SIMULATED, "https://api.mexc.com")


@pytest.mark.parametrize("environment", [Environment.SIMULATED, Environment.TESTNET])
@pytest.mark.parametrize("url", ["http://10.0.0.1:9100", "http://127.0.0.1:9100/mexc/../x"])
def test_simulated_and_testnet_stay_on_loopback(environment: Environment, url: str) -> None:
    with pytest.raises(ConfigurationError):
        check_base_url(MEXC, environment, url)


def test_a_password_in_a_refused_address_is_not_repeated() -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_base_url(MEXC, Environment.LIVE, "https://user:hunter2@api.mexc.com/?token=hunter3")
    assert "hunter" not in str(caught.value)


def test_connect_checks_the_address_as_well() -> None:
    connection = Connection(MEXC, Environment.LIVE, "https://testnet-api.mexc.com", "main")
    with pytest.raises(ConfigurationError):
        connect(connection, observer=CountingObserver())


@pytest.mark.parametrize(
    ("environment", "url", "expected"),
    [
        (Environment.LIVE, "https://api.mexc.com/", "wss://wbs-api.mexc.com/ws"),
        (Environment.SIMULATED, "http://127.0.0.1:9100/mexc", "ws://127.0.0.1:9100/mexc/ws"),
        (Environment.TESTNET, "http://localhost:9100/mexc/", "ws://localhost:9100/mexc/ws"),
        (Environment.SIMULATED, "http://[::1]:9100/mexc", "ws://[::1]:9100/mexc/ws"),
    ],
)
def test_a_stream_is_where_the_list_says(environment: Environment, url: str, expected: str) -> None:
    assert stream_address(MEXC, environment, url) == expected


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        (Environment.LIVE, "http://127.0.0.1:9100/mexc"),
        (Environment.LIVE, "https://wbs-api.mexc.com"),
        (Environment.SIMULATED, "https://api.mexc.com"),
        (Environment.SIMULATED, "ws://127.0.0.1:9100/mexc"),
        (Environment.SIMULATED, "http://10.0.0.1:9100/mexc"),
    ],
)
def test_a_stream_of_another_address_is_refused(environment: Environment, url: str) -> None:
    with pytest.raises(ConfigurationError):
        stream_address(MEXC, environment, url)
    with pytest.raises(ConfigurationError):
        connect_stream(Connection(MEXC, environment, url, "main"))


def test_every_venue_has_addresses_with_tls_and_no_host_belongs_to_two() -> None:
    assert set(ADDRESSES) == set(VenueName)
    streams = [
        stream
        for known in ADDRESSES.values()
        for hosts in (known.production, known.testnet)
        for stream in hosts.values()
    ]
    assert all(stream.startswith("wss://") for stream in streams)
    hosts = [host for known in ADDRESSES.values() for host in (*known.production, *known.testnet)]
    assert len(hosts) == len(set(hosts))


@pytest.mark.parametrize(
    ("venue", "environment", "url", "stream"),
    [
        ("binance", "live", "https://api1.binance.com", "wss://ws-api.binance.com/ws-api/v3"),
        (
            "binance",
            "testnet",
            "https://testnet.binance.vision",
            "wss://ws-api.testnet.binance.vision/ws-api/v3",
        ),
        (
            "binance",
            "simulated",
            "http://127.0.0.1:9100/binance",
            "ws://127.0.0.1:9100/binance/ws-api/v3",
        ),
        ("bybit", "live", "https://api.bytick.com", "wss://stream.bybit.com/v5/private"),
        ("bybit", "testnet", "https://api-testnet.bybit.com", "wss://stream-testnet.bybit.com/v5/private"),
        ("bybit", "simulated", "http://127.0.0.1:9100/bybit", "ws://127.0.0.1:9100/bybit/v5/private"),
    ],
)
def test_further_venues_have_addresses_of_their_own(venue, environment, url, stream) -> None:
    assert stream_address(VenueName(venue), Environment(environment), url) == stream
    assert not is_rehearsal(VenueName(venue), Environment(environment), url)


@pytest.mark.parametrize(
    ("venue", "environment", "url", "remedy"),
    [
        ("binance", "live", "https://testnet.binance.vision", "https://api.binance.com"),
        ("binance", "testnet", "https://api.binance.com", "https://testnet.binance.vision"),
        ("bybit", "live", "https://api.binance.com", "https://api.bybit.com"),
        ("bybit", "testnet", "https://api.bybit.com", "https://api-testnet.bybit.com"),
        ("mexc", "testnet", "https://testnet.binance.vision", "for validation only"),
        ("bybit", "simulated", "https://api-testnet.bybit.com", "http://127.0.0.1:9100/bybit"),
    ],
)
def test_an_address_of_another_installation_is_refused_with_the_right_one(
    venue, environment, url, remedy
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_base_url(VenueName(venue), Environment(environment), url)
    assert remedy in caught.value.remedy


def test_a_rehearsal_has_no_stream() -> None:
    with pytest.raises(ConfigurationError, match="no private stream"):
        connect_stream(Connection(MEXC, Environment.TESTNET, "https://api.mexc.com", "main"))
