"""Every venue of the program has a ledger of its own, and none of them exists before somebody talks to it."""

from __future__ import annotations

import pytest

from simulator.core.clock import SimClock
from simulator.core.profile import VenueProfile
from simulator.core.settings import VenueSettings
from simulator.core.store import VenueStore
from simulator.core.trading import TradingVenue
from simulator.mexc.wire import MexcWire
from simulator.opening import VenueHall
from simulator.testing import ControlFailed, running_venue


def make_hall() -> VenueHall:
    def opened(name: str) -> MexcWire:
        return MexcWire(TradingVenue(name, 7, VenueProfile(), VenueSettings(), SimClock(0), VenueStore(None)))

    return VenueHall({"mexc": lambda: opened("mexc"), "second": lambda: opened("second")})


def test_a_venue_opens_when_it_is_asked_for_and_only_once() -> None:
    hall = make_hall()
    assert hall.names == ["mexc", "second"]
    assert hall.has("second")
    assert list(hall.opened()) == []
    second = hall.find("second")
    assert hall.find("second") is second
    assert [name for name, _wire in hall.opened()] == ["second"]
    assert hall.find("third") is None


def test_a_venue_that_nobody_plays_is_refused_by_name(venue) -> None:
    with pytest.raises(ControlFailed, match="there is no venue 'third'; venues: mexc"):
        venue.at("third").orders()
    with pytest.raises(ControlFailed, match="there is no venue 'third'"):
        venue.at("third").set_price("BTCUSDT", "50000")


def test_only_venues_that_were_asked_for_have_books() -> None:
    with running_venue(tick_ms=0) as fresh:
        assert {row["venue"] for row in fresh.get("/balances")["balances"]} == {"mexc"}
        assert list(fresh.health()["venues"]) == ["mexc"]
        assert fresh.at("bybit").balances()["USDT"]["total"] == "100000"
        assert list(fresh.health()["venues"]) == ["mexc", "bybit"]
