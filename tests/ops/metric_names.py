"""Which series names the product really exposes, and which ones a PromQL expression asks for.

Counters and histograms are read from trading.metrics, states from the exposition: neither needs a database.
"""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client.metrics import MetricWrapperBase

REPO = Path(__file__).resolve().parents[2]
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
SERIES = re.compile(r"\blevi_[a-z_]+")


def list_counted_series() -> set[str]:
    from trading import metrics

    found: set[str] = set()
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            for family in metric.describe():
                found |= {family.name + suffix for suffix in SUFFIXES[family.type]}
    return found


def list_state_series() -> set[str]:
    from trading.queries.exposition import STATES

    return {name for name, *_rest in STATES} | {"levi_state_readable"}


def list_series() -> set[str]:
    return list_counted_series() | list_state_series()


def find_series(expression: str) -> set[str]:
    """The names an expression reads. Text in quotes is a label, not a name."""
    return set(SERIES.findall(re.sub(r"\"[^\"]*\"", "", expression)))
