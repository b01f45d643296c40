"""The process table: every process of the product, in one place. A new one is one more function in BUILDERS.

Order workers, resolvers and the rest are processes of their own, so that a slow sync never delays an order.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from levi_site.env import REPO_DIR
from levi_site.stack.installation import Installation
from levi_site.stack.nursery_link import PADDING
from levi_site.stack.process_spec import Phase, ProcessSpec, answers_http

Builder = Callable[[Installation], ProcessSpec | None]
# The system checks load every URL and admin page; `setup` has run them already, workers need none of it.
PYTHON = [sys.executable]
NURSERY_MODULE = "levi_site.nursery"
CELERY = [*PYTHON, "-m", "celery", "--quiet", "--skip-checks", "-A", "levi_site.celery:app"]
# No chatter between workers: each knows its queue, and nobody steers the order path through Redis.
QUIET = ["--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "INFO"]

# As root Celery prints a warning of ten lines per worker. Production runs under a user of its own (ops/systemd).
NO_ROOT_LECTURE = {"PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges"}


def build_postgres(home: Installation) -> ProcessSpec | None:
    server = home.postgres
    if server is None:
        return None
    return ProcessSpec(
        name="postgres",
        phase=Phase.SERVERS,
        argv=server.argv(),
        environment=server.environment(),
        prepare=server.prepare,
        is_ready=server.is_ready,
        stop_signal=server.stop_signal,
        user=server.user,
    )


def build_nursery(home: Installation) -> ProcessSpec | None:
    """Loads once what the Python processes below share; they are forked from it."""
    link = home.nursery
    if link is None:
        return None
    return ProcessSpec(
        name="nursery",
        phase=Phase.SERVERS,
        argv=[*PYTHON, "-m", NURSERY_MODULE, PADDING],
        environment=home.environment("nursery") | NO_ROOT_LECTURE,
        make_stdin=link.make_stdin,
        is_ready=link.is_ready,
    )


def build_redis(home: Installation) -> ProcessSpec | None:
    server = home.redis
    if server is None:
        return None
    return ProcessSpec(
        name="redis",
        phase=Phase.SERVERS,
        argv=server.argv(),
        environment={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        stdin=server.configuration(),
        prepare=server.prepare,
        is_ready=server.is_ready,
    )


def simulator_keys(home: Installation) -> dict[str, str]:
    """By environment, so that they show in no process list."""
    return {"SIM_KEY": home.secret("simulator_key"), "SIM_SECRET": home.secret("simulator_secret")}


def build_simulator(home: Installation) -> ProcessSpec | None:
    port = home.simulator_port
    if not port:
        return None
    arguments = {
        "--port": str(port),
        "--seed": str(home.options.seed),
        "--limits": "20",  # trading.connections.SIMULATED_LIMIT_SCALE
        "--data-dir": str(home.home_dir / "simulator"),
    }
    return ProcessSpec(
        name="simulator",
        phase=Phase.VENUE,
        argv=[*PYTHON, "-m", "simulator", *(word for pair in arguments.items() for word in pair)],
        environment=home.environment("simulator") | simulator_keys(home),
        is_ready=lambda: answers_http(port, "/_sim/health"),
    )


def build_worker(home: Installation, name: str, queues: str, pool_size: int) -> ProcessSpec:
    options = ["-Q", queues, "-n", f"{name}@%h", "-P", "prefork", "-c", str(pool_size), "-O", "fair"]
    return ProcessSpec(
        name=name,
        phase=Phase.WORKERS,
        argv=[*CELERY, "worker", *options, *QUIET],
        environment=home.environment(name) | NO_ROOT_LECTURE,
        nursery=home.nursery,
        ready_text=" ready.",
    )


def build_orders(home: Installation) -> ProcessSpec | None:
    return build_worker(home, "orders", "orders", home.options.orders_workers)


def build_background(home: Installation) -> ProcessSpec | None:
    return build_worker(home, "background", "resolve,sync,default", home.options.background_workers)


def build_supervisor(home: Installation) -> ProcessSpec | None:
    """Sweeps after halts and syncs when Celery, beat or Redis are dead: a process that needs none of them."""
    return ProcessSpec(
        name="supervisor",
        phase=Phase.WORKERS,
        argv=[*PYTHON, str(REPO_DIR / "manage.py"), "supervise"],
        environment=home.environment("supervisor"),
        nursery=home.nursery,
        ready_text="supervising",
    )


def build_streams(home: Installation) -> ProcessSpec | None:
    """Listens to the venues' private streams, so that a fill is looked at when it happens. Needs no Redis."""
    return ProcessSpec(
        name="streams",
        phase=Phase.WORKERS,
        argv=[*PYTHON, str(REPO_DIR / "manage.py"), "run_streams"],
        environment=home.environment("streams"),
        nursery=home.nursery,
        ready_text="listening",
    )


def build_beat(home: Installation) -> ProcessSpec | None:
    return ProcessSpec(
        name="beat",
        phase=Phase.FRONT,
        argv=[*CELERY, "beat", "-l", "INFO", "--pidfile="],
        environment=home.environment("beat"),
        nursery=home.nursery,
        ready_text="beat: Starting",
    )


def build_web(home: Installation) -> ProcessSpec | None:
    chosen = home.options
    arguments = {
        "--interface": "asginl",
        "--host": chosen.host,
        "--port": str(chosen.port),
        "--workers": str(chosen.web_workers),
        # granian loses a SIGTERM that arrives while it starts, and then never ends.
        "--workers-kill-timeout": "3",
        "--http": "1",
        "--log-level": "warning",
    }
    words = [word for pair in arguments.items() for word in pair]
    return ProcessSpec(
        name="web",
        phase=Phase.FRONT,
        argv=[
            *PYTHON,
            "-m",
            "granian",
            *words,
            "--no-ws",
            "--respawn-failed-workers",
            "levi_site.asgi:application",
        ],
        environment=home.environment("web") | {"LEVI_WEB_THREADS": str(chosen.web_threads)},
        nursery=home.nursery,
        is_ready=lambda: answers_http(chosen.port, "/healthz/live"),
    )


def build_setup(home: Installation) -> ProcessSpec:
    """Runs once before anything that needs tables: migrations, then what a first run must find."""
    return ProcessSpec(
        name="setup",
        phase=Phase.WORKERS,
        argv=[*PYTHON, str(REPO_DIR / "manage.py"), "seed_first_run", "--migrate", "--url", home.url],
        environment=home.environment("setup")
        | ({"DATABASE_URL": home.postgres.url} if home.postgres else {})  # as the owner: it migrates
        | (simulator_keys(home) if home.simulator_port else {}),
        nursery=home.nursery,
    )


BUILDERS: dict[str, Builder] = {
    "postgres": build_postgres,
    "redis": build_redis,
    "simulator": build_simulator,
    "orders": build_orders,
    "background": build_background,
    "supervisor": build_supervisor,
    "streams": build_streams,
    "beat": build_beat,
    "web": build_web,
}


def build_specs(home: Installation) -> list[ProcessSpec]:
    """The wanted processes, in the table's order. The nursery first: it loads while the servers start."""
    builders = [build for name, build in BUILDERS.items() if home.options.wants(name)]
    wanted = (build(home) for build in (build_nursery, *builders))
    return [spec for spec in wanted if spec]
