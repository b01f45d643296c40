"""Export: NDJSON that can be verified elsewhere, CSV that no spreadsheet runs."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.conf import settings
from django.db import transaction

from tests.making import CLIENT
from trading import audit
from trading.domain.chain import GENESIS, entry_hash
from trading.domain.errors import InvalidInput
from trading.models import AuditEntry

HASHED = (
    "stream",
    "sequence",
    "at",
    "kind",
    "actor",
    "object_type",
    "object_id",
    "request_id",
    "data",
)


@pytest.fixture
def entries(db: None) -> None:
    with transaction.atomic():
        for number in range(3):
            audit.record(
                "test.happened", actor=CLIENT, object_id="=1+1", data={"number": number, "text": "é"}
            )


def export(format_name: str) -> str:
    return "".join(audit.export_entries(AuditEntry.objects.all(), format_name))


def test_a_copy_in_ndjson_verifies_with_the_key_alone(entries):
    previous = GENESIS
    rows = [json.loads(line) for line in export("ndjson").splitlines()]
    assert [row["sequence"] for row in rows] == [1, 2, 3]
    for row in rows:
        fields = {name: row[name] for name in HASHED}
        assert row["previous_hash"] == previous
        assert row["hash"] == entry_hash(settings.AUDIT_KEY.encode(), previous, fields)
        previous = row["hash"]


def test_csv_cells_are_harmless(entries):
    rows = list(csv.DictReader(io.StringIO(export("csv"))))
    assert len(rows) == 3 and {row["object_id"] for row in rows} == {"'=1+1"}
    assert json.loads(rows[0]["data"]) == {"number": 0, "text": "é"}


def test_an_unknown_format_is_refused_with_the_known_ones(entries):
    with pytest.raises(InvalidInput, match="ndjson"):
        export("xlsx")
