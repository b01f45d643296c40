"""Puts the database back to what the migrations made, after a test that really committed.

Django's own flush truncates every table and fails on tables whose triggers forbid it. Here only tables that changed
are touched: their user triggers are switched off, their rows deleted, the rows that migrations created put back
from a copy taken at the start of the session, and the triggers set to exactly the state they had.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from django.db import connection
from django.db.backends.utils import CursorWrapper

from trading.audit.writer import _chains

COPIES = "levi_seed"  # a schema of its own, so that nothing of the product sees the copies
UNTOUCHED = ("django_migrations",)
TRIGGER_WORDS = {"O": "ENABLE TRIGGER", "A": "ENABLE ALWAYS TRIGGER", "R": "ENABLE REPLICA TRIGGER"}


def list_tables(cursor: CursorWrapper) -> list[str]:
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
    return [name for (name,) in cursor.fetchall() if name not in UNTOUCHED]


def remember_seed_rows() -> None:
    """Copy every table's rows as the migrations left them; called once per session and database."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {COPIES} CASCADE")
        cursor.execute(f"CREATE SCHEMA {COPIES}")
        for table in list_tables(cursor):
            cursor.execute(f'CREATE TABLE {COPIES}."{table}" AS TABLE public."{table}"')
    changed_query.cache_clear()


@cache
def changed_query(database: str) -> str:
    """One statement that names every table whose rows differ from its copy. Rows are compared as text: json has
    no equality."""
    with connection.cursor() as cursor:
        tables = list_tables(cursor)
        cursor.execute(
            " UNION ALL ".join(f"SELECT '{t}' FROM {COPIES}.\"{t}\" HAVING count(*) > 0" for t in tables)
        )
        seeded = {name for (name,) in cursor.fetchall()}
    parts = []
    for table in tables:
        now, then = f'SELECT r::text FROM public."{table}" r', f'SELECT r::text FROM {COPIES}."{table}" r'
        differs = f"({now} EXCEPT ALL {then}) UNION ALL ({then} EXCEPT ALL {now})" if table in seeded else now
        parts.append(f"SELECT '{table}' WHERE EXISTS ({differs})")
    return " UNION ALL ".join(parts)


def find_user_triggers(cursor: CursorWrapper, tables: list[str]) -> list[tuple[str, str, str]]:
    cursor.execute(
        "SELECT c.relname, t.tgname, t.tgenabled::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
        "WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND c.relnamespace = 'public'::regnamespace "
        "AND c.relname = ANY(%s)",
        [tables],
    )
    return cursor.fetchall()


def run_past_triggers(table: str, statement: str, values: Sequence[object] = ()) -> None:
    """As the owner of the tables with a grudge would; the triggers are as they were afterwards."""
    with connection.cursor() as cursor:
        triggers = find_user_triggers(cursor, [table])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # no table with pending events can be altered
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement, values)
        for _table, trigger, state in triggers:
            cursor.execute(f'ALTER TABLE {table} {TRIGGER_WORDS[state]} "{trigger}"')
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def insertable_columns(cursor: CursorWrapper, table: str) -> str:
    cursor.execute(
        "SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns "
        "WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER'",
        [table],
    )
    return str(cursor.fetchone()[0])


def reset_tables() -> None:
    _chains.clear()  # their entries go, and no commit of ours says so
    """All changed tables in one transaction; foreign keys are checked once, at its end."""
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute(changed_query(str(connection.settings_dict["NAME"])))
        changed = [name for (name,) in cursor.fetchall()]
        if not changed:
            return
        triggers = find_user_triggers(cursor, changed)
        cursor.execute("BEGIN")
        try:
            restore_rows(cursor, changed, triggers)
            cursor.execute("COMMIT")
        finally:
            if connection.connection.info.transaction_status.name != "IDLE":
                cursor.execute("ROLLBACK")


def restore_rows(cursor: CursorWrapper, tables: list[str], triggers: list[tuple[str, str, str]]) -> None:
    for table, trigger, _state in triggers:
        cursor.execute(f'ALTER TABLE "{table}" DISABLE TRIGGER "{trigger}"')
    cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    for table in tables:
        cursor.execute(f'DELETE FROM public."{table}"')
    for table in tables:
        columns = insertable_columns(cursor, table)
        cursor.execute(
            f'INSERT INTO public."{table}" ({columns}) OVERRIDING SYSTEM VALUE '
            f'SELECT {columns} FROM {COPIES}."{table}"'
        )
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with pending checks cannot be altered
    for table, trigger, state in triggers:
        cursor.execute(f'ALTER TABLE "{table}" {TRIGGER_WORDS[state]} "{trigger}"')
