"""Testnet mode at MEXC: the venue validates, and nothing is placed or canceled, whatever is asked."""

from __future__ import annotations

import pytest

from simulator.testing import running_venue
from trading.domain.enums import Environment, VenueName
from trading.domain.outcomes import CancelRefused, Refused
from trading.exchanges.base import Connection, Credentials, NullObserver
from trading.exchanges.limiter import LocalLimiter
from trading.exchanges.mexc.client import MexcExchange
from trading.exchanges.mexc.rehearsal import VALIDATED, MexcRehearsal
from trading.exchanges.registry import connect

from .asking import place


@pytest.fixture(scope="module")
def venue():
    with running_venue(limits="off", tick_ms=0) as running:
        yield running


def connection(base_url: str, key: str = "k" * 12, secret: str = "s" * 12) -> Connection:
    keys = Credentials(key, secret)
    return Connection(VenueName.MEXC, Environment.TESTNET, base_url, "rehearsal", keys)


@pytest.fixture
def rehearsal(venue):
    line = connection(venue.base_url, venue.key, venue.secret)
    exchange = MexcRehearsal(line, LocalLimiter(), NullObserver())
    yield exchange
    exchange.close()


def test_an_order_the_venue_would_take_is_validated_and_not_placed(rehearsal, venue):
    outcome, _ = place(rehearsal)
    assert isinstance(outcome, Refused)
    assert outcome.venue_code == VALIDATED
    assert not outcome.reached_matching
    assert venue.orders() == []


def test_cancels_are_refused_without_a_request(rehearsal, venue):
    assert isinstance(rehearsal.cancel_order("BTCUSDT", client_order_id="x"), CancelRefused)
    assert isinstance(rehearsal.cancel_all(), CancelRefused)
    assert venue.requests(method="DELETE") == []


def test_a_testnet_account_at_the_real_host_can_only_rehearse():
    assert isinstance(connect(connection("https://api.mexc.com")), MexcRehearsal)


def test_only_what_can_place_something_has_a_private_stream():
    assert MexcExchange.capabilities.private_stream
    assert not MexcRehearsal.capabilities.private_stream


def test_a_testnet_account_at_the_simulated_venue_places_for_real(venue):
    exchange = connect(connection(venue.base_url))
    assert type(exchange) is MexcExchange
