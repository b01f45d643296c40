"""Reads a page of a list by its key, in a time that does not depend on how many rows the list's filters match.

Filters that match hardly anything could make the database read every row. A filtered list gets a moment for all of
them; then only the next rows of the table are looked through, as many as the window holds, and the caller is told where
that ended, so that it can say so and lead on. Nobody is told that nothing matches before everything was looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import Q, QuerySet
from psycopg.errors import QueryCanceled

from .keyset import beyond

# How long a filtered list may look for a page's rows among all, and how many rows are looked through after that.
PATIENCE_MS = 75
WINDOW = 50_000


@dataclass(frozen=True, slots=True)
class KeyWalk:
    """One direction through a table by its key, from behind `key` on."""

    names: list[str]
    goes_down: bool
    key: list[Any]

    def along(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        ahead = (
            rows.filter(beyond(self.names, self.key, "lt" if self.goes_down else "gt")) if self.key else rows
        )
        return ahead.order_by(*[("-" if self.goes_down else "") + name for name in self.names])

    def up_to(self, edge: Any) -> Q:
        """The edge included."""
        at, operator = [getattr(edge, name) for name in self.names], "gt" if self.goes_down else "lt"
        # The first condition stands alone, so that an index is read from the edge on.
        bound = Q(**{f"{self.names[0]}__{operator}e": at[0]})
        return bound & (beyond(self.names, at, operator) | Q(pk=edge.pk))

    def read(self, rows: QuerySet[Any], count: int, *, is_filtered: bool) -> tuple[list[Any], Any]:
        """The first `count` of the rows; and the last row that was looked at, if that were not all."""
        if not is_filtered:
            return list(self.along(rows)[:count]), None
        try:
            with patience():
                return list(self.along(rows)[:count]), None
        except OperationalError as error:
            if not isinstance(error.__cause__, QueryCanceled):
                raise
        table = rows.model._default_manager.only(*self.names)
        edge = next(iter(self.along(table)[WINDOW - 1 : WINDOW]), None)
        found = self.along(rows)
        return list((found.filter(self.up_to(edge)) if edge else found)[:count]), edge


def instant_of(edge: Any, names: Sequence[str]) -> datetime | None:
    """When the row was written, as far as its key or its `at` says so."""
    times = (getattr(edge, name, None) for name in (*names, "at"))
    return next((at for at in times if isinstance(at, datetime)), None)


@contextmanager
def patience() -> Iterator[None]:
    """A statement in it is ended after a moment. Inside of another transaction the time is given back afterwards."""
    is_inner = connection.in_atomic_block
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {PATIENCE_MS}")
        yield
        if is_inner:
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
