"""verify_audit finds damage; export_audit and export_orders write what is asked for and nothing half."""

from __future__ import annotations

import csv
import json
import stat
from io import StringIO

import pytest

from tests.management.typing_commands import DEAD_DATABASE, DEAD_REDIS, type_here, type_in_shell
from tests.paper_trading import TESTER, place
from tests.resetting import run_past_triggers
from trading.execution.algos import start_algo
from trading.execution.algos.running import advance_algo
from trading.models import AuditEntry, Order

TABLE = "trading_auditentry"


def damage(statement: str, *values: object) -> None:
    run_past_triggers(TABLE, statement, values)


def test_an_intact_trail_verifies_with_redis_away(account):
    place("one")
    typed = type_in_shell("verify_audit", "--json", **DEAD_REDIS)
    assert typed.code == 0, typed.err
    assert typed.document["ok"] is True
    assert typed.document["entries"] == AuditEntry.objects.count()


def test_a_changed_entry_is_named(account):
    place("one")
    wrong = AuditEntry.objects.filter(kind="order.filled").get()
    damage("UPDATE trading_auditentry SET actor = 'nobody' WHERE id = %s", wrong.id)
    typed = type_here("verify_audit")
    assert typed.code == 1
    assert f"entry {wrong.id} (changed)" in typed.out


def test_a_removed_entry_is_noticed(account):
    place("one")
    wrong = AuditEntry.objects.filter(kind="order.approved").get()
    damage("DELETE FROM trading_auditentry WHERE id = %s", wrong.id)
    typed = type_here("verify_audit", "--json")
    assert typed.code == 1
    assert typed.document["damages"][0]["kind"] == "missing"


def test_a_database_that_is_away_is_a_failure_without_a_traceback():
    typed = type_in_shell("verify_audit", **DEAD_DATABASE)
    assert typed.code == 1
    assert "The database cannot be used" in typed.err
    assert "Traceback" not in typed.err


def test_the_audit_export_has_every_entry_and_only_its_owner_reads_it(account, tmp_path):
    place("one")
    file = tmp_path / "audit.ndjson"
    assert type_here("export_audit", "--output", str(file)).code == 0
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert [row["id"] for row in rows] == list(AuditEntry.objects.order_by("id").values_list("id", flat=True))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_the_audit_export_filters_by_kind_and_time(account):
    place("one")
    first = AuditEntry.objects.filter(kind__startswith="order.").order_by("id").first()
    assert first
    found = type_here("export_audit", "--kind", "order.", "--since", first.at.isoformat(), "--format", "csv")
    kinds = [row["kind"] for row in csv.DictReader(StringIO(found.out))]
    assert kinds[0] == "order.approved"
    assert all(kind.startswith("order.") for kind in kinds)
    assert type_here("export_audit", "--until", "2020-01-01").out == ""


def test_orders_are_exported_with_exact_numbers(account):
    placed = [place("one"), place("two", side="SELL")]
    typed = type_here("export_orders", "--format", "csv")
    rows = list(csv.DictReader(StringIO(typed.out)))
    assert [row["client_order_id"] for row in rows] == [order.client_order_id for order in placed]
    assert rows[0]["filled_quantity"] == "0.01"
    assert rows[0]["average_price"] == "50000.01"  # a tick above the middle
    found = type_here("export_orders", "--format", "ndjson", "--status", "denied")
    assert found.out == ""
    assert Order.objects.count() == 2


def test_an_exported_order_names_its_algo(account):
    body = {"kind": "twap", "symbol": "BTC/USDT", "side": "BUY", "quantity": "0.02", "duration_seconds": 60}
    algo = start_algo({**body, "slices": 2}, actor=TESTER, key="one").algo
    advance_algo(algo.pk)
    place("two")
    rows = list(csv.DictReader(StringIO(type_here("export_orders").out)))
    assert [row["algo"] for row in rows] == [str(algo.pk), ""]


def test_cells_that_would_be_formulas_are_made_harmless(account):
    place("one")
    Order.objects.update(actor='=HYPERLINK("http://x")')
    rows = list(csv.DictReader(StringIO(type_here("export_orders").out)))
    assert rows[0]["actor"].startswith("'=")


@pytest.mark.parametrize("command", ["export_audit", "export_orders"])
def test_an_unwritable_place_is_a_failure_without_a_traceback(db, command):
    typed = type_here(command, "--output", "/nowhere/at/all")
    assert typed.code == 1
    assert "/nowhere/at" in typed.err


def test_a_time_that_is_none_is_wrong_use():
    typed = type_in_shell("export_orders", "--since", "yesterday")
    assert typed.code == 2
    assert "'yesterday' is no time" in typed.err
