"""Export of audit entries as NDJSON or CSV, streamed, oldest first.

Each line of NDJSON is the leaf of its entry under a checkpoint: every column, canonical to the byte. CSV is for
people and spreadsheets: cells that a spreadsheet would run as a formula are made harmless.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from trading.domain.chain import canonical, canonical_bytes
from trading.domain.csv_cells import harmless
from trading.domain.errors import InvalidInput
from trading.models import AuditEntry

from .writer import hashed_fields

COLUMNS = (
    "id",
    "at",
    "kind",
    "actor",
    "object_type",
    "object_id",
    "request_id",
    "data",
    "stream",
    "sequence",
    "hash",
)


def _ndjson(entries: Iterable[AuditEntry]) -> Iterator[str]:
    for entry in entries:
        fields = hashed_fields(entry)
        row = {"id": entry.pk, **fields, "previous_hash": entry.previous_hash, "hash": entry.hash}
        yield canonical_bytes(row).decode() + "\n"


def _csv(entries: Iterable[AuditEntry]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    yield _take(buffer)
    for entry in entries:
        row: dict[str, Any] = {**canonical(hashed_fields(entry)), "id": entry.pk, "hash": entry.hash}
        row["data"] = json.dumps(row["data"], ensure_ascii=False, sort_keys=True)
        writer.writerow([harmless(str(row[column])) for column in COLUMNS])
        yield _take(buffer)


def _take(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


FORMATS = {"ndjson": _ndjson, "csv": _csv}


def export_entries(entries: Any, format_name: str) -> Iterator[str]:
    """`entries` is a queryset; it is ordered and streamed here."""
    if format_name not in FORMATS:
        raise InvalidInput(
            f"Unknown export format {format_name!r}.", remedy=f"Use one of {', '.join(FORMATS)}."
        )
    return FORMATS[format_name](entries.order_by("id").iterator(chunk_size=2000))
