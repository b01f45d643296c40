"""How much of each limit is in use: measured per scope, banded with hysteresis, never guessed; and told once."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.making import PERSON, World
from tests.worlds import frozen_venue, impatient, world
from trading.domain.enums import HaltScope
from trading.execution.limit_bands import warn_of_limits
from trading.execution.limit_changes import change_limits
from trading.models import Alert, AuditEntry, JobSlot, LimitBand, Quote
from trading.queries.utilisation import (
    HYSTERESIS,
    UseRow,
    band_of,
    next_band,
    read_utilisation,
    worst_shares,
)

__all__ = ["frozen_venue", "impatient", "world"]
D = Decimal


def row(limit: str, scope: str = "everything") -> UseRow:
    return next(row for row in read_utilisation() if (row.limit, row.scope) == (limit, scope))


def test_every_scope_is_measured_by_itself(world: World):
    world.change_limits(exposure_limit_symbol="2000", max_open_orders=4, max_notional_per_minute="10000")
    change_limits(
        {"max_open_orders": 2}, reason="tests", actor=PERSON, scope=HaltScope.INSTRUMENT, target="ETH/USDT"
    )
    world.approve("0.01", price="49000", strategy="one")
    world.approve("0.1", symbol="ETH/USDT", price="2900")
    exposure = row("exposure_limit_symbol")
    assert (exposure.subject, exposure.used, exposure.share_pct) == ("BTC/USDT", D(500), D(25))
    assert (row("max_open_orders").used, row("max_open_orders").band) == (D(2), 50)
    assert row("max_open_orders", "instrument").used == D(1)
    assert row("max_notional_per_minute").used == D(780)
    assert worst_shares(read_utilisation())["max_open_orders"] == D(50)


def test_what_cannot_be_told_has_no_share(world: World):
    world.change_limits(exposure_limit_symbol="2000")
    world.approve("0.01")
    Quote.objects.all().delete()
    assert row("exposure_limit_symbol").share_pct is None
    assert "exposure_limit_symbol" not in worst_shares(read_utilisation())


@pytest.mark.parametrize(
    ("share", "band"),
    [("49.9", 0), ("50", 50), ("75", 75), ("89", 75), ("90", 90), ("100", 100), ("170", 100)],
)
def test_bands(share, band):
    assert band_of(D(share)) == band
    assert band_of(None) == 0


@given(st.decimals("0", "200", places=1), st.decimals("0", str(HYSTERESIS), places=1))
def test_a_value_that_trembles_within_the_hysteresis_warns_once(share, tremble):
    entered = next_band(0, share)
    assert entered == band_of(share)
    assert next_band(entered, share - tremble) == entered
    assert next_band(entered, None) == entered


@given(st.sampled_from([0, 50, 75, 90, 100]), st.decimals("0", "200", places=1))
def test_a_band_is_entered_at_once_and_left_with_some_distance(before, share):
    after = next_band(before, share)
    assert after >= band_of(share)
    assert after <= max(band_of(share), before)
    if before and share < before - HYSTERESIS:
        assert after < before


def look() -> list[str]:
    JobSlot.objects.all().delete()
    return [raised.limit for raised in warn_of_limits()]


def test_entering_a_band_is_an_audit_entry_and_an_alert_once(world: World):
    world.change_limits(max_open_orders=4)
    world.approve("0.01", price="49000")
    assert look() == []
    world.approve("0.01", price="49000")
    assert look() == ["max_open_orders"] and look() == []
    entry = AuditEntry.objects.get(kind="limits.band")
    assert (entry.data["limit"], entry.data["band"], entry.data["share_pct"]) == ("max_open_orders", 50, "50")
    assert Alert.objects.get(event="limits.band").severity == "info"
    world.approve("0.01", price="49000")
    assert look() == ["max_open_orders"]
    assert Alert.objects.filter(event="limits.band").latest("at").severity == "warning"
    assert LimitBand.objects.get(limit="max_open_orders").band == 75
    world.change_limits(max_open_orders=100)
    assert look() == [] and LimitBand.objects.get(limit="max_open_orders").band == 0
