"""Starts the session's servers before Django's settings are read, and offers what every test may use.

Plain `pytest tests/x` works, with and without `-n`. Nothing is mocked: tests talk to a real PostgreSQL, a real Redis
and, through `simulated_venue`, a real venue over HTTP.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import hypothesis
import pytest

from tests.servers import start_for_session

_servers = start_for_session()

import django  # noqa: E402  (the settings read the environment that start_for_session has set)

django.setup()

from django.conf import settings  # noqa: E402
from django.test import TransactionTestCase  # noqa: E402

from tests.resetting import remember_seed_rows, reset_tables  # noqa: E402

# Timings are asserted in benchmarks, never in tests: a slow machine makes no example wrong.
hypothesis.settings.register_profile("levi", deadline=None)
hypothesis.settings.load_profile("levi")

# A rolled-back test is one long transaction, idle while it talks to the venue: the product's five seconds are too short
# for it on a slow machine.
_options = settings.DATABASES["default"]["OPTIONS"]
_options["options"] = _options["options"].replace(
    "idle_in_transaction_session_timeout=5s", "idle_in_transaction_session_timeout=120s"
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """pytest-django sets Django up from an inherited variable before a worker has read this file: the workers would
    share this process's stop flag, Redis database and metrics."""
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)


def pytest_unconfigure() -> None:
    if _servers:
        from django.db import connections

        connections.close_all()
        _servers.stop()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker) -> Iterator[None]:
    """The test database as the migrations made it, with a copy of the rows they created."""
    with django_db_blocker.unblock():
        remember_seed_rows()
        TransactionTestCase._fixture_teardown = lambda _self: reset_tables()
        # Processes that a test starts must use this worker's database.
        os.environ["DATABASE_URL"] = test_database_url()
    yield


def test_database_url() -> str:
    from django.db import connection

    head = os.environ["DATABASE_URL"].rpartition("/")[0]
    return f"{head}/{connection.settings_dict['NAME']}"


test_database_url.__test__ = False


@pytest.fixture(autouse=True)
def no_stop_flag() -> None:
    """The tables are reset after each test, files are not: a halt of another test must not stop this one."""
    settings.STOP_FLAG.unlink(missing_ok=True)


@pytest.fixture(autouse=True)
def no_anchors() -> None:
    """Tables begin anew with every test; the file that remembers checkpoints must too."""
    settings.AUDIT_ANCHOR_FILE.unlink(missing_ok=True)


@pytest.fixture
def redis_client():
    """An empty Redis database of this worker's own."""
    import redis

    client = redis.Redis.from_url(settings.REDIS_URL)
    client.flushdb()
    yield client
    client.flushdb()
    client.close()


@pytest.fixture(scope="session")
def simulated_venue():
    """A simulated venue over HTTP for the whole session; reset it in a test that needs it empty."""
    from simulator.testing import running_venue

    with running_venue() as venue:
        yield venue
