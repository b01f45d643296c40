"""Writes many rows of one table at once, by COPY: for rows that are written once and never asked for their key.

Triggers, constraints and rights hold as for any INSERT, and a violation is an IntegrityError that takes the whole
commit back. No default is filled in: every column is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter

from django.db import connection
from django.db.models import Model


def copy_rows(columns: Sequence[str], rows: Iterable[Model], into: type[Model]) -> None:
    """The caller is in the transaction that the rows belong to."""
    read = attrgetter(*columns)
    statement = f"COPY {into._meta.db_table} ({', '.join(columns)}) FROM STDIN"
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(read(row))
