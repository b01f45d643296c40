"""A PostgreSQL of our own: data folder, configuration, and how it is started and known to be ready.

Listens on 127.0.0.1 only, no unix socket, scram passwords, data checksums. Two roles, neither a superuser: one owns
the database and migrates it, the other is the application's and cannot rewrite history (ops/sql/roles.sql). The
superuser's password is generated and thrown away. Stopped with SIGINT (fast shutdown).
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from levi_site.stack.postgres_binaries import INSTALL, find_postgres_bin
from levi_site.stack.unprivileged import ServerUser, find_server_home, find_server_user, make_own_dir

ROLE = "levi"
APP_ROLE = "levi_app"
DATABASE = "levi"

# Small enough for a laptop, honest about durability. Operators with more load bring their own server.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "80",
    "shared_buffers": "24MB",
    "work_mem": "4MB",
    "maintenance_work_mem": "32MB",
    "max_wal_size": "256MB",
    "io_method": "sync",
    "max_parallel_workers_per_gather": "0",
    "autovacuum_naptime": "20s",
    "log_min_messages": "fatal",  # statements in errors could carry secrets; the application logs its errors
    "log_checkpoints": "off",
    "log_line_prefix": "%p %a ",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# For tests only, except where durability itself is tested.
FAST_AND_FORGETFUL = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class ServerFailed(Exception):
    """The server could not be set up; the message carries what it said."""


@dataclass
class EmbeddedPostgres:
    home_dir: Path
    port: int
    password: str
    settings: dict[str, str] = field(default_factory=dict)
    app_password: str = ""  # empty: the owner's

    def __post_init__(self) -> None:
        self.user: ServerUser | None = find_server_user()
        self.server_home = find_server_home(self.home_dir, self.user)
        self.bin = find_postgres_bin(self.server_home, self.user)
        self.data_dir = self.server_home / "postgres"

    @property
    def url(self) -> str:
        return f"postgresql://{ROLE}:{self.password}@127.0.0.1:{self.port}/{DATABASE}"

    @property
    def app_url(self) -> str:
        """For everything but migrations."""
        password = self.app_password or self.password
        return f"postgresql://{APP_ROLE}:{password}@127.0.0.1:{self.port}/{DATABASE}"

    @property
    def stop_signal(self) -> signal.Signals:
        return signal.SIGINT

    def argv(self) -> list[str]:
        chosen = SETTINGS | self.settings | {"port": str(self.port)}
        if INSTALL not in self.bin.parts:
            chosen.pop("io_method")  # new in 18; one found on the system may be older
        flags = [word for key, value in chosen.items() for word in ("-c", f"{key}={value}")]
        return [str(self.bin / "postgres"), "-D", str(self.data_dir), *flags]

    def environment(self) -> dict[str, str]:
        """Nothing of the operator's: HOME may be a folder the server's user cannot enter."""
        return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": str(self.server_home), "TZ": "UTC"}

    def prepare(self) -> None:
        """Create the data folder once; clear what a crash left behind."""
        if not (self.data_dir / "PG_VERSION").exists():
            self._initialise()
        self._clear_stale_pid_file()
        self._add_app_role()

    def is_ready(self) -> bool:
        """The server writes its state into the eighth line of its pid file."""
        try:
            lines = (self.data_dir / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready" and lines[3].strip() == str(self.port)

    def _initialise(self) -> None:
        draft = self.data_dir.with_name("postgres.draft")
        shutil.rmtree(draft, ignore_errors=True)
        make_own_dir(draft, self.user)
        password_file = draft.with_name("postgres.pw")
        password_file.write_text(secrets.token_urlsafe(32))
        if self.user:
            os.chown(password_file, self.user.uid, self.user.gid)
        options = [
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-locale",
            "--data-checksums",
            "--no-instructions",
        ]
        try:
            argv = [str(self.bin / "initdb"), "-D", str(draft), "-U", "postgres", *options]
            self._run([*argv, f"--pwfile={password_file}", "--no-sync"])
        finally:
            password_file.unlink()
        self._run(
            [str(self.bin / "postgres"), "--single", "-D", str(draft), "postgres"], self._first_statements()
        )
        os.sync()
        draft.rename(self.data_dir)

    def _first_statements(self) -> str:
        self._check_passwords()
        return (
            f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{self.password}'\n"
            f"CREATE DATABASE {DATABASE} OWNER {ROLE}\n"
        )

    def _check_passwords(self) -> None:
        # token_urlsafe has no quote; the check keeps it so for a password from the operator.
        for password in filter(None, (self.password, self.app_password)):
            if not password.replace("-", "").replace("_", "").isalnum():
                raise ServerFailed("the database password may hold letters, digits, - and _ only")

    def _add_app_role(self) -> None:
        """Once, also in a folder that is older than the role. Only a server that is down can be asked as superuser."""
        mark = self.data_dir.with_name("postgres.app-role")
        if mark.exists():
            return
        self._check_passwords()
        known = f"SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}'"
        made = f"CREATE ROLE {APP_ROLE} LOGIN PASSWORD '{self.app_password or self.password}'"
        statement = f"DO $$ BEGIN IF NOT EXISTS ({known}) THEN {made}; END IF; END $$\n"
        self._run([str(self.bin / "postgres"), "--single", "-D", str(self.data_dir), "postgres"], statement)
        mark.touch()

    def _run(self, argv: list[str], text: str = "") -> None:
        extra: dict[str, Any] = self.user.popen_arguments() if self.user else {}
        done = subprocess.run(
            argv,
            input=text,
            text=True,
            capture_output=True,
            check=False,
            cwd="/",
            env=self.environment(),
            **extra,
        )
        if done.returncode != 0 or "ERROR:" in done.stderr:
            raise ServerFailed(f"{Path(argv[0]).name} failed: {(done.stderr or done.stdout).strip()[-2000:]}")

    def _clear_stale_pid_file(self) -> None:
        """After a crash the recorded pid may belong to anyone. PostgreSQL then refuses to start, or is still alive."""
        file = self.data_dir / "postmaster.pid"
        try:
            pid = int(file.read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return
        if is_postgres(pid):
            stop_orphan(pid)
        file.unlink(missing_ok=True)


def is_postgres(pid: int) -> bool:
    try:
        return b"postgres" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        # No such process; or no /proc (macOS): then PostgreSQL's own check of its pid file decides.
        return False


def stop_orphan(pid: int) -> None:
    """A server of this data folder that outlived its supervisor (both it and its reaper were killed)."""
    os.kill(pid, signal.SIGINT)
    deadline = time.monotonic() + 10
    while is_postgres(pid):
        if time.monotonic() > deadline:
            raise ServerFailed(
                f"a PostgreSQL of this HOME_DIR (pid {pid}) does not stop; end it and start again"
            )
        time.sleep(0.05)
