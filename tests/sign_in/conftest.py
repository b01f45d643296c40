"""Operators with and without a phone, and their browsers, in an installation that demands second factors."""

from __future__ import annotations

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User

from tests.admin.trading_day import TradingDay, make_people
from tests.sign_in.browsers import Browser
from trading.sign_in.trail import forget_recorded


@pytest.fixture(autouse=True)
def nothing_left_over():
    forget_recorded()
    django_settings.STOP_FLAG.unlink(missing_ok=True)
    yield
    forget_recorded()
    django_settings.STOP_FLAG.unlink(missing_ok=True)


@pytest.fixture
def day(db) -> TradingDay:
    return TradingDay()


@pytest.fixture
def people(db) -> dict[str, User]:
    return make_people()


@pytest.fixture
def testnet(day, settings) -> None:
    settings.LEVI_MODE = "testnet"


@pytest.fixture
def production(day, settings) -> None:
    settings.LEVI_MODE = "production"


@pytest.fixture
def browser(people):
    """browser("risk") has shown the password and nothing else."""
    return lambda role: Browser(people[role])
