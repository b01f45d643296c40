"""What `manage.py up` can be told, on the command line and by the environment."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from levi_site.env import EnvironmentVariables, SettingError

PROCESS_NAMES = (
    "postgres",
    "redis",
    "simulator",
    "orders",
    "background",
    "supervisor",
    "streams",
    "beat",
    "web",
)
NURSED = ("orders", "background", "supervisor", "streams", "beat", "web")
EMBEDDED = {"postgres": "DATABASE_URL", "redis": "REDIS_URL"}


@dataclass(frozen=True)
class StackOptions:
    port: int
    host: str
    only: frozenset[str]
    without: frozenset[str]
    web_workers: int
    web_threads: int
    orders_workers: int
    background_workers: int
    drain_seconds: float
    seed: int
    nursery: bool

    def wants(self, name: str) -> bool:
        return name not in self.without and (not self.only or name in self.only)

    @property
    def is_whole(self) -> bool:
        """This supervisor owns the installation: it migrates and seeds. Parts on other hosts do not."""
        return not self.only

    @property
    def lock_name(self) -> str:
        """Parts of one installation may run beside each other, each under a supervisor of its own."""
        return "-".join(["up", *sorted(self.only)])


def name_set(text: str) -> frozenset[str]:
    names = frozenset(word.strip() for word in text.split(",") if word.strip())
    unknown = names - set(PROCESS_NAMES)
    if unknown:
        raise argparse.ArgumentTypeError(
            f"unknown process {', '.join(sorted(unknown))}; known: {', '.join(PROCESS_NAMES)}"
        )
    return names


def positive(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 256:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 256")
    return int(text)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    names = ", ".join(PROCESS_NAMES)
    parser.add_argument("--only", type=name_set, default=frozenset(), help=f"start only these: {names}")
    parser.add_argument("--without", type=name_set, default=frozenset(), help="start all but these")
    parser.add_argument("--port", type=int, help="the panel's port (PORT, default 8000)")
    parser.add_argument("--host", help="address the panel listens on (HOST, default 127.0.0.1)")
    parser.add_argument("--web-workers", type=positive, default=1, metavar="N", help="web processes")
    parser.add_argument(
        "--web-threads", type=positive, default=4, metavar="N", help="threads per web process"
    )
    parser.add_argument(
        "--orders-workers", type=positive, default=2, metavar="N", help="processes that send orders"
    )
    parser.add_argument(
        "--background-workers",
        type=positive,
        default=2,
        metavar="N",
        help="processes that resolve, sync and sweep",
    )
    parser.add_argument(
        "--drain-seconds",
        type=float,
        default=4.0,
        help="how long workers may finish their work when stopping",
    )
    parser.add_argument("--seed", type=int, default=7, help="seed of the simulated venue")
    parser.add_argument(
        "--no-nursery",
        dest="nursery",
        action="store_false",
        help="start each process by itself instead of forking it from one that has loaded everything",
    )


def build_options(given: argparse.Namespace, env: EnvironmentVariables) -> StackOptions:
    port = given.port if given.port is not None else env.integer("PORT", 8000, low=1, high=65_535)
    if not 1 <= port <= 65_535:
        raise SettingError(f"--port {port}: must be from 1 to 65535")
    names = {
        field: getattr(given, field)
        for field in StackOptions.__dataclass_fields__
        if field not in ("port", "host")
    }
    return StackOptions(port=port, host=given.host or env.text("HOST", "127.0.0.1"), **names)


def parse_options(argv: Sequence[str], env: EnvironmentVariables) -> StackOptions:
    parser = argparse.ArgumentParser(
        prog="manage.py up", description="Start and supervise every process of Levi; Ctrl-C stops all of it."
    )
    add_arguments(parser)
    return build_options(parser.parse_args(argv), env)
