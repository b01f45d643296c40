"""The addresses, passwords and folders of one installation, as the stack uses them. Generated once under HOME_DIR.

`announce` tells commands in other terminals where the embedded servers are, for as long as they run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from levi_site.env import REPO_DIR, EnvironmentVariables, services_file
from levi_site.secret_files import generate_secret, make_private_dir, read_or_create
from levi_site.stack.embedded_postgres import EmbeddedPostgres
from levi_site.stack.embedded_redis import EmbeddedRedis
from levi_site.stack.nursery_link import NurseryLink, can_nurse
from levi_site.stack.options import NURSED, StackOptions
from levi_site.stack.ports import choose_ports

PORT_NAMES = ("postgres", "redis", "simulator")


@dataclass(frozen=True)
class Installation:
    home_dir: Path
    mode: str
    options: StackOptions
    postgres: EmbeddedPostgres | None
    redis: EmbeddedRedis | None
    simulator_port: int  # 0: none of our own
    addresses: Mapping[str, str]
    nursery: NurseryLink | None = None

    @property
    def url(self) -> str:
        host = "127.0.0.1" if self.options.host in ("0.0.0.0", "::") else self.options.host
        return f"http://{host}:{self.options.port}"

    @property
    def first_run_file(self) -> Path:
        return self.home_dir / "first-run.json"

    def secret(self, name: str) -> str:
        return read_or_create(self.home_dir / "secrets" / name, generate_secret)

    def environment(self, role: str) -> dict[str, str]:
        """Everything a child needs; what the operator set in the shell stays."""
        return {
            **os.environ,
            **self.addresses,
            "HOME_DIR": str(self.home_dir),
            "PROMETHEUS_MULTIPROC_DIR": str(self.home_dir / "run" / "metrics"),
            "DJANGO_SETTINGS_MODULE": "levi_site.settings",
            "LEVI_ROLE": f"levi-{role}",
            "PYTHONPATH": str(REPO_DIR),
            "PYTHONUNBUFFERED": "1",
            # glibc otherwise keeps an arena per thread: tens of megabytes over the whole stack.
            "MALLOC_ARENA_MAX": "2",
        }

    def announce(self) -> None:
        file = services_file(self.home_dir)
        draft = file.with_suffix(".draft")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
            json.dump(dict(self.addresses), handle)
        draft.replace(file)

    def withdraw(self) -> None:
        services_file(self.home_dir).unlink(missing_ok=True)

    def clear_old_metrics(self) -> None:
        """Counters of processes that are gone. Scrapers expect that a counter starts anew at a restart."""
        for file in make_private_dir(self.home_dir / "run" / "metrics").glob("*.db"):
            file.unlink()


def make_home_dir(home_dir: Path) -> None:
    """Private. As root others may pass through (not look in), because the database server runs as another user."""
    if not home_dir.exists():
        home_dir.mkdir(parents=True)
        # Not left to the umask; a folder that was there already keeps the mode its owner gave it.
        home_dir.chmod(0o711 if os.geteuid() == 0 else 0o700)
    for name in ("run", "logs", "secrets"):
        make_private_dir(home_dir / name)


def needs_nursery(options: StackOptions) -> bool:
    """It pays from the second process on."""
    return options.nursery and can_nurse() and sum(map(options.wants, NURSED)) > 1


def build_installation(env: EnvironmentVariables, options: StackOptions, mode: str) -> Installation:
    home_dir = env.home_dir
    make_home_dir(home_dir)
    ports = choose_ports(home_dir / "ports.json", PORT_NAMES)

    def secret(name: str) -> str:
        return read_or_create(home_dir / "secrets" / name, generate_secret)

    postgres = redis = None
    if options.wants("postgres") and not env.text("DATABASE_URL"):
        postgres = EmbeddedPostgres(
            home_dir,
            ports["postgres"],
            secret("postgres_password"),
            app_password=secret("postgres_app_password"),
        )
    if options.wants("redis") and not env.text("REDIS_URL"):
        redis = EmbeddedRedis(home_dir, ports["redis"], secret("redis_password"))
    simulates = options.wants("simulator") and mode == "paper" and not env.text("SIMULATOR_URL")
    addresses = {
        "DATABASE_URL": postgres.app_url if postgres else env.text("DATABASE_URL"),
        "REDIS_URL": redis.url if redis else env.text("REDIS_URL"),
        "SIMULATOR_URL": f"http://127.0.0.1:{ports['simulator']}" if simulates else env.text("SIMULATOR_URL"),
        "LEVI_EMBEDDED_SERVERS": ",".join(n for n, own in (("postgres", postgres), ("redis", redis)) if own),
    }
    return Installation(
        home_dir=home_dir,
        mode=mode,
        options=options,
        postgres=postgres,
        redis=redis,
        simulator_port=ports["simulator"] if simulates else 0,
        addresses={name: address for name, address in addresses.items() if address},
        nursery=NurseryLink() if needs_nursery(options) else None,
    )
