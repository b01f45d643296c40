"""The profile that a VWAP takes from its venue."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone

from tests.execution.algos.walking import VWAP
from tests.making import CLIENT, World
from tests.worlds import frozen_venue, impatient, world
from trading.domain.errors import InvalidInput
from trading.execution.algos import start_algo
from trading.models import Algo, Instrument
from trading.volume import fetch_volume_profile

__all__ = ["frozen_venue", "impatient", "world"]


def test_the_venues_candles_become_one_weight_per_slice_with_their_source(world: World):
    instrument = Instrument.objects.get(symbol="BTC/USDT")
    profile = fetch_volume_profile(
        world.account, instrument, starts_at=timezone.now(), seconds=86_400, slices=24
    )
    assert len(profile.weights) == 24 and min(profile.weights) > 0
    assert max(profile.weights) > 2 * min(profile.weights)
    assert re.fullmatch(r"15-minute candles of MEXC, \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d", profile.source)


def test_a_market_without_a_week_of_trade_has_no_profile(world: World):
    instrument = Instrument.objects.get(symbol="BTC/USDT")
    world.fault("malformed", method="GET", path="/api/v3/klines", body="[]")
    with pytest.raises(InvalidInput) as caught:
        fetch_volume_profile(world.account, instrument, starts_at=timezone.now(), seconds=600, slices=2)
    assert caught.value.code == "no_volume_profile" and caught.value.remedy


def test_a_vwap_without_weights_is_planned_by_them(world: World):
    algo = start_algo({**VWAP, "profile": None, "quantity": "0.08"}, actor=CLIENT, key="one").algo
    assert "candles of MEXC" in algo.profile_source
    assert algo.plan[-1]["target"] == "0.08"


def test_a_venue_that_does_not_answer_starts_nothing(world: World):
    world.fault("http_status", method="GET", path="/api/v3/klines", status=503, count=10)
    with pytest.raises(InvalidInput) as caught:
        start_algo({**VWAP, "profile": None}, actor=CLIENT, key="one")
    assert caught.value.code == "no_volume_profile"
    assert not Algo.objects.exists()
