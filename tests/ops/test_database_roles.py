"""The application's own database role: it can do all it needs, and every way to rewrite history is refused to it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from importlib import import_module
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection, transaction

from levi_site.database_roles import APP_ROLE, RIGHTS, grant_rights
from tests.conftest import test_database_url
from tests.management.typing_commands import type_in_shell
from trading import audit
from trading.domain.actors import system_actor
from trading.models import AuditCheckpoint, AuditEntry

GUARDS = import_module("trading.migrations.0002_guards")
KEPT = (*GUARDS.NO_DELETE, *import_module("trading.migrations.0006_approvals").NO_DELETE)
CHECKPOINTS = "trading_auditcheckpoint"
MOVEMENTS, REPORTS = "trading_movement", "trading_dailyreport"
ALGOS, CHILDREN = "trading_algo", "trading_algochild"
T = "trading_auditentry"


@pytest.fixture
def app_url(transactional_db) -> str:
    if not grant_rights():
        pytest.skip(f"this server has no role {APP_ROLE}")
    parts = urlsplit(test_database_url())
    return parts._replace(netloc=f"{APP_ROLE}:{parts.password}@{parts.hostname}:{parts.port}").geturl()


@pytest.fixture
def trail(app_url, settings, tmp_path) -> None:
    settings.AUDIT_ANCHOR_FILE = tmp_path / "anchors.jsonl"
    with transaction.atomic():
        for _entry in range(3):
            audit.record("note.made", actor=system_actor("tests"))
    audit.seal("test", actor=system_actor("tests"))


@pytest.fixture
def app(app_url) -> Iterator[psycopg.Connection]:
    with psycopg.connect(app_url, autocommit=True) as connected:
        yield connected


BYPASSES = (
    f"UPDATE {T} SET actor = 'x'",
    f"UPDATE ONLY {T} SET data = '{{}}' WHERE id = (SELECT min(id) FROM {T})",
    f"DELETE FROM {T}",
    f"DELETE FROM {T} USING {CHECKPOINTS}",
    f"TRUNCATE {T}",
    f"TRUNCATE {T} RESTART IDENTITY CASCADE",
    f"INSERT INTO {T} SELECT * FROM {T} ON CONFLICT (id) DO UPDATE SET actor = 'x'",
    f"MERGE INTO {T} USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE",
    f"WITH gone AS (DELETE FROM {T} RETURNING *) SELECT count(*) FROM gone",
    f"SELECT * FROM {T} FOR UPDATE",
    f"DO 'BEGIN LOCK TABLE {T} IN ACCESS EXCLUSIVE MODE; END'",
    f"ALTER TABLE {T} DISABLE TRIGGER USER",
    f"ALTER TABLE {T} DISABLE TRIGGER ALL",
    f"ALTER TABLE {T} DISABLE TRIGGER refuse_rows",
    f"ALTER TABLE {T} ENABLE REPLICA TRIGGER refuse_rows",
    f"ALTER TABLE {T} RENAME TO {T}_old",
    f"ALTER TABLE {T} DROP COLUMN hash",
    f"ALTER TABLE {T} OWNER TO {APP_ROLE}",
    f"DROP TRIGGER refuse_rows ON {T}",
    f"DROP TABLE {T} CASCADE",
    "DROP FUNCTION levi_refuse_change() CASCADE",
    "CREATE OR REPLACE FUNCTION levi_refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "ALTER FUNCTION levi_refuse_change() RENAME TO nothing",
    "SET session_replication_role = replica",
    f"ALTER ROLE {APP_ROLE} SET session_replication_role = replica",
    f"ALTER ROLE {APP_ROLE} SUPERUSER",
    f"CREATE RULE hide AS ON INSERT TO {T} DO INSTEAD NOTHING",
    f"CREATE TRIGGER mine BEFORE INSERT ON {T} FOR EACH ROW EXECUTE FUNCTION levi_guard_order()",
    f"CREATE TABLE child () INHERITS ({T})",
    f"CREATE TEMP TABLE {T} (id bigint)",
    f"CREATE VIEW public.mine AS SELECT * FROM {T}",
    "CREATE SCHEMA mine",
    f"COPY {T} TO PROGRAM 'cat'",
    f"COPY {T} FROM PROGRAM 'true'",
    f"COPY {T} TO '/tmp/levi-copy'",
    "UPDATE pg_class SET relname = 'x' WHERE relname = 'trading_auditentry'",
    "SET ROLE levi",
    "SET SESSION AUTHORIZATION levi",
    f"COMMENT ON TABLE {T} IS 'x'",
    f"UPDATE {CHECKPOINTS} SET root = ''",
    f"DELETE FROM {CHECKPOINTS}",
    f"TRUNCATE {CHECKPOINTS}",
    f"ALTER TABLE {CHECKPOINTS} DISABLE TRIGGER USER",
    "DELETE FROM django_migrations",
    "UPDATE trading_fill SET price = 1",
    "UPDATE trading_fill SET realized_pnl = 0, filled_at = now()",
)


def test_every_way_to_rewrite_history_is_refused(trail, app):
    allowed = []
    for statement in BYPASSES:
        try:
            app.execute(statement)
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.WrongObjectType) as error:
            assert error.sqlstate == "42501", (statement, error)
        else:
            allowed.append(statement)
    assert allowed == []
    app.execute(f"GRANT ALL ON {T} TO PUBLIC")  # no error: PostgreSQL warns that nothing was granted
    assert app.execute("SELECT has_table_privilege(%s, 'UPDATE')", [T]).fetchone() == (False,)
    app.execute("UPDATE trading_fill SET realized_pnl = 0, average_after = 0")  # derived: follows a late fill
    assert audit.verify().ok and AuditEntry.objects.count() == 3
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = '{T}'::regclass ORDER BY 1")
        assert cursor.fetchall() == [("refuse_rows", "A"), ("refuse_truncate", "A")]


def test_no_table_of_history_may_be_changed_and_none_that_must_stay_emptied(app_url, app):
    def may(table: str, right: str) -> bool:
        return bool(app.execute("SELECT has_table_privilege(%s, %s)", [table, right]).fetchone()[0])

    history, kept = (*GUARDS.APPEND_ONLY, CHECKPOINTS, MOVEMENTS, CHILDREN), (*KEPT, REPORTS, ALGOS)
    assert [table for table in history if may(table, "UPDATE") or not may(table, "INSERT")] == []
    assert [table for table in (*history, *kept) if may(table, "DELETE") or may(table, "TRUNCATE")] == []
    assert [table for table in kept if not may(table, "UPDATE")] == []


def test_the_rights_name_every_guarded_table():
    text = RIGHTS.read_text(encoding="utf-8")
    never, kept = re.findall(r"REVOKE (?:UPDATE, )?DELETE ON\s+([\w,\s]+?)\s+FROM levi_app;", text)
    assert set(re.findall(r"\w+", never)) == {*GUARDS.APPEND_ONLY, CHECKPOINTS, MOVEMENTS, CHILDREN}
    assert set(re.findall(r"\w+", kept)) == {*KEPT, REPORTS, ALGOS}


def test_the_application_records_seals_and_halts_with_these_rights(trail, app_url):
    for words in (("halt", "--reason", "as the application"), ("seal_audit",)):
        typed = type_in_shell(*words, DATABASE_URL=app_url, HOME_DIR=os.environ["HOME_DIR"] + "-app")
        assert typed.code == 0, (words, typed.err)
    assert AuditEntry.objects.filter(kind="halt.engaged").count() == 1
    assert AuditCheckpoint.objects.count() == 2
    assert audit.verify().ok


def test_where_there_is_no_such_role_nothing_happens(db, monkeypatch):
    monkeypatch.setattr("levi_site.database_roles.APP_ROLE", "nobody_at_all")
    assert grant_rights() is False
