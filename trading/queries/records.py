"""Rows as CSV or NDJSON, streamed. Numbers are exact text; times are ISO 8601 in UTC; no cell is a formula."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from trading.domain.csv_cells import harmless
from trading.domain.errors import InvalidInput
from trading.domain.money import plain

_CHUNK = 2000
Columns = Mapping[str, Callable[[Any], Any]]


def _as_text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)


def record_of(row: Any, columns: Columns) -> dict[str, str | None]:
    return {name: _as_text(column(row)) for name, column in columns.items()}


def _ndjson(rows: Iterable[Any], columns: Columns) -> Iterator[str]:
    for row in rows:
        yield json.dumps(record_of(row, columns), ensure_ascii=False) + "\n"


def _csv(rows: Iterable[Any], columns: Columns) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(columns)
    yield _take(buffer)
    for row in rows:
        writer.writerow([harmless(cell or "") for cell in record_of(row, columns).values()])
        yield _take(buffer)


def _take(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


FORMATS = {"csv": _csv, "ndjson": _ndjson}


def export_records(rows: Any, columns: Columns, format_name: str) -> Iterator[str]:
    """`rows` is an ordered queryset; it is streamed here."""
    if format_name not in FORMATS:
        raise InvalidInput(
            f"Unknown export format {format_name!r}.", remedy=f"Use one of {', '.join(FORMATS)}."
        )
    return FORMATS[format_name](rows.iterator(chunk_size=_CHUNK), columns)
