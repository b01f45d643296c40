"""The database as a deployment makes it, on an empty server: set-up as its owner, everything else as levi_app."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from levi_site.stack.embedded_postgres import FAST_AND_FORGETFUL, EmbeddedPostgres
from levi_site.stack.ports import find_free_port
from tests.ops.metric_names import REPO
from tests.ops.test_database_roles import BYPASSES
from tests.servers import TestServers

CREATE = REPO / "ops" / "sql" / "create_database.sql"
ADMINISTRATOR = "administrator"


class EmptyServer(EmbeddedPostgres):
    """Only its administrator, as a database image or a provider hands a server over."""

    def _first_statements(self) -> str:
        return f"CREATE ROLE {ADMINISTRATOR} SUPERUSER LOGIN PASSWORD '{self.password}'\n"

    def _add_app_role(self) -> None:
        """Not ours to add."""


@dataclass(frozen=True)
class Deployment:
    server: EmptyServer
    home: Path
    environment: dict[str, str]

    def url(self, role: str, password: str, database: str = "levi") -> str:
        return f"postgresql://{role}:{password}@127.0.0.1:{self.server.port}/{database}"

    def secret(self, name: str) -> str:
        """As the containers get it, with the server's address on this machine."""
        text = (self.home / "secrets" / name).read_text().strip()
        return text.replace("@postgres:5432/", f"@127.0.0.1:{self.server.port}/")

    def ask_administrator(self, *statements: str) -> None:
        address = self.url(ADMINISTRATOR, self.server.password, "postgres")
        with psycopg.connect(address, autocommit=True) as connected:
            for statement in statements:
                connected.execute(statement)

    def run_tool(self, name: str, *words: str) -> None:
        subprocess.run([str(self.server.bin / name), *words], check=True, capture_output=True, timeout=60)

    def create(self, secrets: Path) -> subprocess.CompletedProcess[str]:
        psql = [str(self.server.bin / "psql"), "-X", "-v", f"secrets={secrets}", "-f", str(CREATE)]
        address = self.url(ADMINISTRATOR, self.server.password, "postgres")
        return subprocess.run([*psql, address], capture_output=True, text=True, check=False, timeout=60)

    def manage(self, address: str, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=REPO,
            env=self.environment | {"DATABASE_URL": address},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    servers = TestServers()
    try:
        server = EmptyServer(
            servers.home, find_free_port(), "administrators-password", dict(FAST_AND_FORGETFUL)
        )
        servers.launch_postgres(server)
        script = servers.home / "make-secrets.sh"
        script.write_text((REPO / "ops" / "compose" / "make-secrets.sh").read_text())
        subprocess.run(["sh", str(script)], check=True, capture_output=True)
        settings = {
            "LEVI_MODE": "testnet",
            "HOME_DIR": str(servers.home / "state"),
            "ALLOWED_HOSTS": "levi.example.com",
        }
        yield Deployment(server, servers.home, {**os.environ, **settings})
    finally:
        servers.stop()


@pytest.fixture(scope="module")
def migrated(deployment: Deployment) -> Deployment:
    created = deployment.create(deployment.home / "secrets")
    assert created.returncode == 0, created.stderr
    done = deployment.manage(deployment.secret("owner_database_url"), "seed_first_run", "--migrate")
    assert done.returncode == 0, done.stderr
    return deployment


def test_without_two_passwords_nothing_is_made(deployment, tmp_path):
    (tmp_path / "postgres_owner_password").write_text("only one")
    assert deployment.create(tmp_path).returncode == 3
    administrator = deployment.url(ADMINISTRATOR, deployment.server.password, "postgres")
    with psycopg.connect(administrator) as connected:
        assert connected.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'levi%'").fetchall() == []


def test_neither_role_is_more_than_a_user_of_this_database(migrated):
    with psycopg.connect(migrated.secret("owner_database_url")) as owner:
        powers = "rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls"
        found = owner.execute(f"SELECT rolname, {powers} FROM pg_roles WHERE rolname LIKE 'levi%' ORDER BY 1")
        assert found.fetchall() == [("levi", False), ("levi_app", False)]
        owners = owner.execute("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
        assert owners.fetchall() == [("levi",)]


def list_allowed(address: str) -> list[str]:
    """The bypasses that this address may take; the triggers stand afterwards as the migrations set them."""
    allowed = []
    with psycopg.connect(address, autocommit=True) as app:
        asked = "SELECT current_user, count(*) > 0 FROM trading_auditentry"
        assert app.execute(asked).fetchone() == ("levi_app", True)
        for statement in BYPASSES:
            try:
                app.execute(statement)
            except (psycopg.errors.InsufficientPrivilege, psycopg.errors.WrongObjectType):
                continue
            allowed.append(statement)
        enabled = app.execute("SELECT DISTINCT tgenabled FROM pg_trigger WHERE tgname LIKE 'refuse_%'")
        assert enabled.fetchall() == [("A",)]
    return allowed


def test_every_way_to_rewrite_history_is_refused_to_what_the_processes_connect_as(migrated):
    assert list_allowed(migrated.secret("database_url")) == []


def test_a_backup_is_restored_by_the_owner_and_set_up_gives_the_rights_again(migrated, tmp_path):
    owner, app = (f"{migrated.secret(name)}_again" for name in ("owner_database_url", "database_url"))
    dump = str(tmp_path / "levi.dump")
    migrated.run_tool("pg_dump", "-Fc", "-f", dump, migrated.secret("owner_database_url"))
    migrated.ask_administrator(
        "CREATE DATABASE levi_again OWNER levi TEMPLATE template0",
        "REVOKE ALL ON DATABASE levi_again FROM PUBLIC",
    )
    migrated.run_tool("pg_restore", "--no-owner", "--exit-on-error", "-d", owner, dump)
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(app)  # set-up has not given it the rights yet
    done = migrated.manage(owner, "seed_first_run", "--migrate")
    assert done.returncode == 0, done.stderr
    assert list_allowed(app) == []


def test_a_process_finds_the_tables_migrated_and_itself_without_power_over_them(migrated):
    """That the rest works with these rights is test_database_roles' business."""
    said = json.loads(migrated.manage(migrated.secret("database_url"), "preflight", "--json").stdout)
    found = {finding["check"]: (finding["result"], finding["observed"]) for finding in said["findings"]}
    assert found["migrations"] == ("good", "0 missing")
    assert found["database role"] == ("good", "levi_app cannot rewrite history")
