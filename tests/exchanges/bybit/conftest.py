"""The adapter's tests at the simulated Bybit."""

from __future__ import annotations

import pytest

from trading.domain.enums import VenueName


@pytest.fixture
def venue_name() -> VenueName:
    return VenueName.BYBIT
