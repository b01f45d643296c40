"""A trading day in rows, one person per role, and a browser-like client for each."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.conf import settings as django_settings
from django.test import Client

from tests.admin.trading_day import TradingDay, make_people
from tests.worlds import frozen_venue, impatient, live_world, world

__all__ = ["frozen_venue", "impatient", "live_world", "world"]

Browse = Callable[..., Client]


@pytest.fixture
def day(db: None):
    django_settings.STOP_FLAG.unlink(missing_ok=True)
    yield TradingDay()
    django_settings.STOP_FLAG.unlink(missing_ok=True)


@pytest.fixture
def people(db: None):
    return make_people()


@pytest.fixture
def browse(people) -> Browse:
    """browse("trader") is that person's signed-in client; csrf=True enforces the token as a browser's request would."""

    def sign_in(role: str, *, csrf: bool = False) -> Client:
        client = Client(enforce_csrf_checks=csrf)
        client.force_login(people[role], backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in
