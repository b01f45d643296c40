"""`manage.py break_glass` as a process of its own, with PostgreSQL and Redis out of reach, against a real venue."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from django.conf import settings

from tests.management.typing_commands import DEAD_DATABASE, DEAD_REDIS, type_here, type_in_shell
from tests.paper_trading import TESTER, open_paper_account, place, rest
from tests.simulator.mexc_client import SignedClient
from trading.break_glass.clearing import clear_accounts
from trading.break_glass.key_file import read_key_file
from trading.domain.enums import CancelScope, HaltScope
from trading.exchanges.limiter import LocalLimiter
from trading.execution.halts import missing_for_release, release
from trading.models import AuditEntry, ExchangeAccount
from trading.queries.halts import read_status
from trading.queries.strip import read_strip
from trading.sealed_file import key_path

DEAD = DEAD_DATABASE | DEAD_REDIS


@pytest.fixture
def account(transactional_db, simulated_venue) -> ExchangeAccount:
    return open_paper_account(simulated_venue)


@pytest.fixture
def key_file(account) -> Path:
    assert type_here("prepare_break_glass").code == 0
    return key_path(settings.HOME_DIR)


@pytest.fixture
def foreign_order(account, simulated_venue) -> str:
    client = SignedClient(simulated_venue.base_url, simulated_venue.key, simulated_venue.secret)
    answer = client.place(quantity="0.001", price="30000", newClientOrderId="their-1")
    client.close()
    assert answer.status_code == 200
    return "their-1"


def open_ids(venue) -> list[str]:
    return [row["client_order_id"] for row in venue.orders() if row["status"] in ("NEW", "PARTIALLY_FILLED")]


def clear(ring, scope=CancelScope.OURS, seconds=10.0, proof_after=0.0):
    return clear_accounts(ring, scope, limiter=LocalLimiter(), seconds=seconds, proof_after=proof_after)


def unsealed(key_file):
    return read_key_file(key_file, settings.ENCRYPTION_KEY)


def test_without_database_and_redis_everything_of_ours_is_canceled_and_proven(
    key_file, foreign_order, simulated_venue
):
    rest("one")
    rest("two", price="41000")
    typed = type_in_shell("break_glass", "--json", "--reason", "the rack burns", **DEAD)
    assert typed.code == 0, typed.err
    (found,) = typed.document["accounts"]
    assert (typed.document["clean"], found["open"], found["foreign"]) == (True, [], 1)
    assert typed.document["stop_flag_raised"] is True
    assert open_ids(simulated_venue) == [foreign_order]
    assert settings.STOP_FLAG.exists() and "the rack burns" in settings.STOP_FLAG.read_text()


def test_afterwards_the_product_shows_halted_with_the_reason_and_sends_nothing(key_file, simulated_venue):
    type_in_shell("break_glass", "--seconds", "0", "--reason", "the rack burns", **DEAD)
    status = read_status()
    assert (status["kill_switch"], status["active"], status["state"]) == (True, False, "halted")
    assert status["reason"] == "break glass: the rack burns"
    assert status["scopes"][0]["trigger"] == "stop_flag"
    assert read_strip().is_halted
    denied = place("after")
    assert denied.status == "denied" and "halted" in denied.status_reason
    assert simulated_venue.orders() == []


def test_only_a_release_ends_it(key_file):
    type_in_shell("break_glass", "--seconds", "0", **DEAD)
    assert missing_for_release(HaltScope.EVERYTHING) == []
    release(HaltScope.EVERYTHING, reason="the rack is out", actor=TESTER)
    assert not settings.STOP_FLAG.exists()
    assert read_status()["active"] and rest("after").status == "open"


def test_without_a_key_file_the_flag_is_raised_and_the_way_on_is_named(tmp_path):
    typed = type_in_shell("break_glass", HOME_DIR=str(tmp_path), **DEAD)
    assert typed.code == 2
    assert (tmp_path / "run" / "stop.flag").exists()
    assert "--prepare" in typed.err and "cancel by hand" in typed.err


def test_where_the_flag_cannot_be_raised_that_is_said_and_orders_are_canceled_all_the_same(
    key_file, simulated_venue, tmp_path
):
    rest("one")
    (tmp_path / "run").touch()  # a plain file where the flag's folder should be
    key_path(tmp_path).parent.mkdir()
    key_path(tmp_path).write_bytes(key_file.read_bytes())
    key_path(tmp_path).chmod(0o600)
    typed = type_in_shell("break_glass", "--json", HOME_DIR=str(tmp_path), **DEAD)
    assert typed.code == 1 and "could NOT be raised" in typed.err and "Traceback" not in typed.err
    assert (typed.document["clean"], typed.document["stop_flag_raised"]) == (True, False)
    assert open_ids(simulated_venue) == []


def test_an_unknown_account_is_wrong_use_and_the_flag_is_raised(key_file):
    typed = type_in_shell("break_glass", "--account", "nobody", **DEAD)
    assert typed.code == 2 and "paper" in typed.err and settings.STOP_FLAG.exists()


def test_everything_takes_what_others_placed_as_well(key_file, foreign_order, simulated_venue):
    rest("one")
    (found,) = clear(unsealed(key_file), CancelScope.EVERYTHING)
    assert found.is_proven and open_ids(simulated_venue) == []


def test_what_the_venue_does_not_cancel_is_itemised(key_file, simulated_venue):
    order = rest("stubborn")
    simulated_venue.faults(
        [{"match": {"path": "/api/v3/order", "method": "DELETE"}, "kind": "http_status", "status": 500}]
    )
    (found,) = clear(unsealed(key_file), seconds=0.5)
    simulated_venue.clear_faults()
    assert not found.is_proven
    assert [item["client_order_id"] for item in found.open] == [order.client_order_id]
    assert "Unknown" in found.cancel_troubles[order.exchange_order_id]


def test_a_venue_that_cannot_be_asked_is_never_clean(key_file, simulated_venue):
    simulated_venue.faults([{"match": {"path": "/api/v3/openOrders"}, "kind": "http_status", "status": 500}])
    (found,) = clear(unsealed(key_file), seconds=0.5)
    simulated_venue.clear_faults()
    assert not found.is_proven and found.open is None and found.trouble


def test_an_empty_list_from_before_the_last_acceptance_proves_nothing(key_file):
    (found,) = clear(unsealed(key_file), seconds=0.5, proof_after=30.0)
    assert found.open == [] and not found.is_proven


def test_preparing_is_audited_without_any_key(key_file, simulated_venue):
    entry = AuditEntry.objects.get(kind="break_glass.prepared")
    assert entry.data["accounts"] == ["paper"]
    assert simulated_venue.secret not in json.dumps(entry.data)


def test_preparing_without_any_key_is_refused(transactional_db):
    typed = type_here("prepare_break_glass")
    assert typed.code == 1 and "API key" in typed.err


def test_prepare_is_reached_by_its_name(key_file):
    os.unlink(key_file)
    typed = type_in_shell("break_glass", "--prepare", "--json", DATABASE_URL=os.environ["DATABASE_URL"])
    assert typed.code == 0, typed.err
    assert typed.document["accounts"] == ["paper"] and key_file.exists()


def test_it_knows_no_django():
    import subprocess
    import sys

    code = (
        "import sys, trading.break_glass.command; sys.exit(any(m.startswith('django') for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
