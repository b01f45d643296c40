"""The audit trail over HTTP: found by who, what and when; verified; exported so that no spreadsheet runs it."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.db import connection, transaction

from trading import audit
from trading.api import audit as audit_api
from trading.domain.actors import Actor, ActorKind
from trading.models import AuditEntry

AUDIT = "/api/v1/audit"


def text_of(answer) -> str:
    """Reading to the end also closes the answer, as a server does."""
    return b"".join(answer.streaming_content).decode()


@pytest.fixture
def trail(world):
    with transaction.atomic():
        audit.record(
            "note.made",
            actor=Actor(ActorKind.OPERATOR, "=cmd|' /C calc'!A0"),
            object_type="note",
            object_id="@SUM(1)",
            data={"text": "Zoë"},
        )


def test_filters(trail, viewer):
    def kinds(**query: str) -> list[str]:
        return [row["kind"] for row in viewer.get(AUDIT, **query).json()["results"]]

    assert kinds(kind="note.made") == ["note.made"]
    assert set(kinds(kind="account.")) == {"account.created"}
    assert kinds(object_type="note", object_id="@SUM(1)") == ["note.made"]
    assert kinds(actor="command:tests").count("limits.changed") == 1
    latest = AuditEntry.objects.latest("id").at.isoformat()
    assert "account.created" not in kinds(at_after=latest)
    assert kinds(at_before="2000-01-01T00:00:00Z") == []


def test_an_intact_trail_verifies(trail, risk):
    body = risk.get(f"{AUDIT}/verify").json()
    assert body["ok"] is True and body["entries"] == AuditEntry.objects.count() and body["damages"] == []


def test_a_changed_entry_is_named(trail, risk):
    entry = AuditEntry.objects.get(kind="note.made")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE trading_auditentry DISABLE TRIGGER refuse_rows")
        cursor.execute("UPDATE trading_auditentry SET actor = 'system:beat' WHERE id = %s", [entry.pk])
        cursor.execute("ALTER TABLE trading_auditentry ENABLE ALWAYS TRIGGER refuse_rows")
    body = risk.get(f"{AUDIT}/verify").json()
    assert body["ok"] is False
    assert [(damage["entry_id"], damage["kind"]) for damage in body["damages"]] == [(entry.pk, "changed")]


def test_ndjson_is_the_default_and_carries_the_hashes(trail, risk):
    answer = risk.get(f"{AUDIT}/export")
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = [json.loads(line) for line in text_of(answer).splitlines()]
    assert [row["id"] for row in rows] == sorted(AuditEntry.objects.values_list("id", flat=True))
    note = next(row for row in rows if row["kind"] == "note.made")
    assert note["data"] == {"text": "Zoë"} and len(note["hash"]) == 64


def test_csv_cells_are_no_formulas(trail, risk):
    answer = risk.get(f"{AUDIT}/export", format="csv", kind="note.made")
    assert answer.headers["Content-Type"].startswith("text/csv")
    (row,) = list(csv.DictReader(io.StringIO(text_of(answer))))
    assert row["object_id"] == "'@SUM(1)"
    assert not [cell for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]


def test_the_filters_narrow_an_export_too(trail, risk):
    assert len(text_of(risk.get(f"{AUDIT}/export", kind="note.made")).splitlines()) == 1


@pytest.mark.parametrize("query", [{"format": "xlsx"}, {"fromat": "csv"}, {"at_after": "x"}])
def test_a_wrong_export_is_400(trail, risk, query):
    assert risk.get(f"{AUDIT}/export", **query).status_code == 400
    assert not audit_api._busy.locked()


def test_one_export_at_a_time(trail, risk):
    running = risk.get(f"{AUDIT}/export")
    second = risk.get(f"{AUDIT}/export")
    assert second.status_code == 429 and int(second.headers["Retry-After"]) > 0
    assert risk.get(f"{AUDIT}/verify").status_code == 429
    text_of(running)
    assert risk.get(f"{AUDIT}/verify").status_code == 200


def test_a_sealed_entry_has_a_proof_that_anybody_may_have_who_reads_it(trail, viewer):
    entry = AuditEntry.objects.get(kind="note.made")
    unsealed = viewer.get(f"{AUDIT}/{entry.pk}/proof")
    assert unsealed.status_code == 409 and unsealed.json()["code"] == "not_sealed"
    made = audit.seal("test", actor=Actor(ActorKind.COMMAND, "tests"))
    proof = viewer.get(f"{AUDIT}/{entry.pk}/proof").json()
    assert proof == audit.prove(entry.pk)
    assert proof["checkpoint"]["root"] == made.root and json.loads(proof["entry"])["data"] == {"text": "Zoë"}


@pytest.mark.parametrize("entry_id", [0, 10**9, 10**30, "one", "١", "-1"])
def test_an_entry_that_does_not_exist_is_404(trail, viewer, entry_id):
    answer = viewer.get(f"{AUDIT}/{entry_id}/proof")
    assert answer.status_code == 404 and answer.json()["code"] == "not_found"
