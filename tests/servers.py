"""The servers of a test session: one PostgreSQL and one Redis on free ports, in a temporary folder.

Started by the first process of the session; xdist workers inherit the addresses through the environment, with a
database each (pytest-django) and a Redis database each. LEVI_TEST_DATABASE_URL and LEVI_TEST_REDIS_URL replace
them. A reaper ends them even when the session is killed. Nothing of the operator's environment is used.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from levi_site.stack.embedded_postgres import FAST_AND_FORGETFUL, EmbeddedPostgres
from levi_site.stack.embedded_redis import FORGETFUL, EmbeddedRedis
from levi_site.stack.ports import find_free_port
from levi_site.stack.reaper_link import ReaperLink

MARK = "LEVI_TEST_HOME"
OPERATORS_VARIABLES = ("LEVI_CONFIG", "LEVI_MODE", "SIMULATOR_URL", "DEBUG", "ALLOWED_HOSTS", "LEVI_HTTPS")
FIXED_ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "levi_site.settings",
    "SECRET_KEY": "tests-only-secret-key-0123456789abcdef",
    "LEVI_ENCRYPTION_KEY": "tests-only-encryption-key-0123456789ab",
    "LEVI_AUDIT_KEY": "tests-only-audit-key-0123456789abcdefgh",
    "LEVI_LOG_LEVEL": "WARNING",
}


class TestServers:
    """Runs until `stop`; a second instance has its own folder and ports."""

    __test__ = False  # not a test class, whatever its name

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="levi-tests-"))
        self.home.chmod(0o711)  # our own folder; the database server's user must pass through it
        self._reaper = ReaperLink()
        self._children: list[tuple[subprocess.Popen[bytes], int]] = []

    def start(self) -> dict[str, str]:
        """The addresses, as environment variables."""
        postgres, redis = self._start_postgres, self._start_redis
        return {
            MARK: str(self.home),
            "DATABASE_URL": os.environ.get("LEVI_TEST_DATABASE_URL") or postgres(),
            "REDIS_URL": os.environ.get("LEVI_TEST_REDIS_URL") or redis(),
        }

    def stop(self) -> None:
        for child, stop_signal in reversed(self._children):
            child.send_signal(stop_signal)
        for child, _signal in self._children:
            child.wait(timeout=20)
        self._reaper.release()
        shutil.rmtree(self.home, ignore_errors=True)

    def _start_postgres(self) -> str:
        settings = FAST_AND_FORGETFUL | {"max_connections": "120", "autovacuum": "off"}
        server = EmbeddedPostgres(self.home, find_free_port(), "tests", settings)
        self.launch_postgres(server)
        return server.url

    def launch_postgres(self, server: EmbeddedPostgres) -> None:
        server.prepare()
        extra = server.user.popen_arguments() if server.user else {}
        child = self._spawn(server.argv(), server.stop_signal, env=server.environment(), **extra)
        wait_until(server.is_ready, child, "PostgreSQL")

    def _start_redis(self) -> str:
        server = EmbeddedRedis(self.home, find_free_port(), "tests", FORGETFUL)
        server.prepare()
        child = self._spawn(server.argv(), 15, stdin=subprocess.PIPE)
        assert child.stdin
        child.stdin.write(server.configuration())
        child.stdin.close()
        wait_until(server.is_ready, child, "Redis")
        return server.url

    def _spawn(self, argv: list[str], stop_signal: int, **options: object) -> subprocess.Popen[bytes]:
        log = (self.home / f"{Path(argv[0]).name}.log").open("wb")
        child = subprocess.Popen(
            argv,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
            **options,  # type: ignore[call-overload]
        )
        self._reaper.add(child.pid, order=0, stop_signal=stop_signal)
        self._children.append((child, stop_signal))
        return child


def wait_until(is_ready, child: subprocess.Popen[bytes], name: str) -> None:
    deadline = time.monotonic() + 30
    while not is_ready():
        if child.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{name} of the test session did not start (exit code {child.returncode})")
        time.sleep(0.02)


def start_for_session() -> TestServers | None:
    """Servers and environment, before Django's settings are read. None where another process has started them."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    servers = None
    if MARK not in os.environ or not worker:
        for name in OPERATORS_VARIABLES:
            os.environ.pop(name, None)
        servers = TestServers()
        try:
            os.environ.update(servers.start())
        except BaseException:
            servers.stop()  # whatever went wrong: leave no server behind
            raise
    os.environ.update(FIXED_ENVIRONMENT)
    home = Path(os.environ[MARK]) / (worker or "main")
    os.environ["HOME_DIR"] = str(home)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(home / "run" / "metrics")
    if worker:
        # The runner may have read the settings already, with the first process's folder in them.
        Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).mkdir(parents=True, exist_ok=True)
        number = int(worker.removeprefix("gw")) + 1
        os.environ["REDIS_URL"] = os.environ["REDIS_URL"].rpartition("/")[0] + f"/{number}"
    return servers
