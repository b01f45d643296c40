"""The text of GET /metrics: what all processes of the host counted, and the state as the database has it now.

Counters and histograms are summed over the processes' files. States (positions, halts, heartbeats …) are read at the
scrape, so that no process remembers one for a metric. What is unknown is left out, never shown as zero. A database
that is away costs the states, not the counters: `levi_state_readable` says so.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import connection
from django.utils import timezone
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from .live_state import LiveState, read_live_state

__all__ = ["CONTENT_TYPE_LATEST", "render"]

log = logging.getLogger(__name__)
_LIVE_FILE = re.compile(r"gauge_live[a-z]*_(\d+)\.db")
Labelled = dict[str, float] | dict[tuple[str, ...], float]
Source = Callable[[LiveState], Labelled | float | None]

# Name, help, the labels (none: one number; several: their values as keys), where the numbers come from.
STATES: tuple[tuple[str, str, str, Source], ...] = (
    (
        "levi_kill_switch",
        "1 for the reason of every engaged halt; automatic halts carry their trigger's name.",
        "reason",
        lambda state: state.kill_switch,
    ),
    (
        "levi_halt_age_seconds",
        "Seconds since the oldest halt that is engaged; 0 if none is.",
        "",
        lambda state: state.halt_age_seconds,
    ),
    (
        "levi_position_notional",
        "Dollars of the positions in a symbol at its last price.",
        "symbol",
        lambda state: state.position_notional,
    ),
    (
        "levi_in_doubt_orders",
        "Orders whose outcome at the venue is not known, quarantined ones included.",
        "",
        lambda state: state.in_doubt_orders,
    ),
    ("levi_breaks", "Unresolved differences to the venue.", "kind", lambda state: state.breaks),
    (
        "levi_limit_utilisation",
        "Used part of a risk limit (1 = all of it), the worst of all accounts and symbols.",
        "limit",
        lambda state: state.limit_utilisation,
    ),
    (
        "levi_trigger_age_seconds",
        "Seconds since an automatic halt last looked; absent before its first look.",
        "trigger",
        lambda state: state.trigger_age_seconds,
    ),
    (
        "levi_heartbeat_age_seconds",
        "Seconds since a process of this role and host last gave a sign of life.",
        "process",
        lambda state: state.heartbeat_age_seconds,
    ),
    ("levi_equity", "Dollars of all enabled accounts.", "", lambda state: state.equity),
    ("levi_daily_pnl", "Equity less the day's first.", "", lambda state: state.daily_pnl),
    ("levi_account_equity", "Dollars of one account.", "account", lambda state: state.account_equity),
    (
        "levi_account_daily_pnl",
        "Equity of one account less its first of the day.",
        "account",
        lambda state: state.account_daily_pnl,
    ),
    (
        "levi_sync_age_seconds",
        "Seconds since the account's last complete sync.",
        "account",
        lambda state: state.sync_age_seconds,
    ),
    (
        "levi_stream_live",
        "1 while the account's private stream is live and somebody listens, else 0.",
        "account",
        lambda state: state.stream_live,
    ),
    (
        "levi_stream_age_seconds",
        "Seconds since the account's private stream was last heard of while it was live.",
        "account",
        lambda state: state.stream_age_seconds,
    ),
    ("levi_algos", "Algos that have not ended.", "kind state", lambda state: state.algos),
    (
        "levi_algo_behind_ratio",
        "The part of its quantity by which the latest running algo is behind its schedule (1 = all of it).",
        "",
        lambda state: state.algo_behind_ratio,
    ),
    (
        "levi_audit_checkpoint_age_seconds",
        "Seconds for which the oldest audit entry without a checkpoint has waited; 0 if every entry is sealed.",
        "",
        lambda state: state.audit_checkpoint_age_seconds,
    ),
    (
        "levi_audit_damage",
        "1 if the last verification of the audit trail found damage; absent before the first.",
        "",
        lambda state: state.audit_damage,
    ),
    (
        "levi_audit_verified_age_seconds",
        "Seconds since the audit trail was last verified.",
        "",
        lambda state: state.audit_verified_age_seconds,
    ),
    (
        "levi_dead_man_armed",
        "1 while a supervisor watches and would halt by itself; absent where it is switched off.",
        "",
        lambda state: state.dead_man_armed,
    ),
    (
        "levi_drill_overdue",
        "1 if the kill path was not tried with success for twice live.drill_hours.",
        "",
        lambda state: state.drill_overdue,
    ),
)


def _family(name: str, text: str, labels: str, found: Labelled | float | None) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels.split())
    if isinstance(found, dict):
        for key, number in sorted(found.items()):
            family.add_metric([key] if isinstance(key, str) else key, number)
    elif found is not None:
        family.add_metric([], found)
    return family


class StateCollector(Collector):
    """Reads the state once, completely, before the first family is written."""

    def collect(self) -> Iterator[Metric]:
        try:
            state = read_live_state(settings.LEVI_MODE, timezone.now())
        except DatabaseTrouble as error:
            log.warning("metrics without state: %s", type(error).__name__)
            connection.close()  # the next scrape dials anew
            state = None
        readable = GaugeMetricFamily("levi_state_readable", "1 if the states below could be read.")
        readable.add_metric([], float(state is not None))
        yield readable
        if state is not None:
            for name, text, labels, source in STATES:
                yield _family(name, text, labels, source(state))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # somebody else's: it lives
    return True


def forget_dead_processes(folder: Path) -> None:
    """Remove the live gauges of processes that ended without a word. Their counters stay: what they did was done."""
    for file in folder.glob("gauge_live*.db"):
        name = _LIVE_FILE.fullmatch(file.name)
        if name and not _is_alive(int(name[1])):
            with contextlib.suppress(FileNotFoundError):  # another scrape was quicker
                file.unlink()


def _collectors() -> Iterable[Collector]:
    folder = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    forget_dead_processes(folder)
    return (MultiProcessCollector(None, str(folder)), StateCollector())


def render() -> bytes:
    """The whole exposition in Prometheus' text format; its content type is CONTENT_TYPE_LATEST."""
    registry = CollectorRegistry()
    for collector in _collectors():
        registry.register(collector)
    return generate_latest(registry)
