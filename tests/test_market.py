"""Prices and instruments: only ever newer, exactly as the venue states them, and never judged here."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from tests.making import World
from tests.worlds import frozen_venue, impatient, world
from trading.domain.errors import VenueError
from trading.domain.outcomes import PriceReport
from trading.market import ensure_price, forget_failures, refresh_instruments, refresh_prices, store_prices
from trading.models import HaltState, Instrument, Quote

__all__ = ["frozen_venue", "impatient", "world"]


def bitcoin() -> Instrument:
    return Instrument.objects.get(symbol="BTC/USDT")


def report(last: str, seconds: float) -> PriceReport:
    at = timezone.now() + timedelta(seconds=seconds)
    return PriceReport("BTCUSDT", Decimal(last), None, None, at)


def test_a_newer_price_replaces_and_an_older_one_does_not(world: World):
    assert store_prices([bitcoin()], [report("51000", 1)]) == 1
    assert Quote.objects.get(instrument=bitcoin()).last == 51000
    store_prices([bitcoin()], [report("1", -60)])
    assert Quote.objects.get(instrument=bitcoin()).last == 51000


def test_a_price_of_a_symbol_nobody_asked_for_is_left_out(world: World):
    ether = Instrument.objects.get(symbol="ETH/USDT")
    assert store_prices([ether], [report("1", 1)]) == 0


def test_the_rules_are_the_venues(world: World):
    row = bitcoin()
    assert (row.tick_size, row.lot_size) == (Decimal("0.01"), Decimal("0.000001"))
    assert row.is_tradable and "MARKET" in row.order_types and row.sides == ["BUY", "SELL"]
    assert not Instrument.objects.get(symbol="PAUSED/USDT").is_tradable
    assert Instrument.objects.get(symbol="SELLONLY/USDT").sides == ["SELL"]


def test_every_instrument_has_a_halt_state_that_a_refresh_leaves_alone(world: World):
    symbols = set(Instrument.objects.values_list("symbol", flat=True))
    states = HaltState.objects.filter(scope="instrument")
    assert set(states.values_list("target", flat=True)) == symbols
    states.filter(target="BTC/USDT").update(state="halted")
    refresh_instruments(world.account)
    assert states.get(target="BTC/USDT").state == "halted"


def test_a_refresh_updates_in_place(world: World):
    before = bitcoin().pk
    world.venue.change_instrument("BTCUSDT", min_notional="25")
    refresh_instruments(world.account)
    assert (bitcoin().pk, bitcoin().min_notional) == (before, 25)


def test_a_fresh_price_is_not_asked_for_again(world: World):
    asked = len(world.venue.requests())
    ensure_price(world.account, bitcoin())
    assert len(world.venue.requests()) == asked


def test_an_old_price_is_refreshed_and_keeps_its_age_if_the_venue_is_silent(world: World):
    old = timezone.now() - timedelta(seconds=20)
    Quote.objects.update(received_at=old)
    world.venue.faults([{"match": {"path": "/api/v3/ticker/*"}, "kind": "http_status", "status": 503}])
    ensure_price(world.account, bitcoin())
    assert Quote.objects.get(instrument=bitcoin()).received_at == old
    with pytest.raises(VenueError):
        refresh_prices(world.account, [bitcoin()])
    world.venue.clear_faults()
    asked = len(world.venue.requests())
    ensure_price(world.account, bitcoin())
    assert len(world.venue.requests()) == asked, "a silent venue is left alone for a moment"
    forget_failures()
    ensure_price(world.account, bitcoin())
    assert Quote.objects.get(instrument=bitcoin()).received_at > old


@pytest.mark.parametrize("variant", ["html", "truncated", "nan"])
def test_garbage_is_no_price(world: World, variant):
    old = timezone.now() - timedelta(seconds=20)
    Quote.objects.update(received_at=old, last=7)
    world.venue.faults([{"match": {"path": "/api/v3/ticker/*"}, "kind": "malformed", "variant": variant}])
    ensure_price(world.account, bitcoin())
    assert Quote.objects.get(instrument=bitcoin()).last == 7


def test_nothing_wanted_is_nothing_asked(world: World):
    asked = len(world.venue.requests())
    assert refresh_prices(world.account, []) == 0 and len(world.venue.requests()) == asked
