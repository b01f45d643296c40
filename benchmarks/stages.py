"""Reads the product's own histograms: how long each stage took, exactly per event while events come one at a time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from rig.panel_client import PanelClient

ORDERS = "levi_order_latency_seconds"
HALTS = "levi_halt_seconds"


class StageClock:
    """Seconds and events per stage since the last look."""

    def __init__(self, client: PanelClient, family: str, label: str) -> None:
        self._client, self._family, self._label = client, family, label
        self._before = self._read()

    def _read(self) -> dict[tuple[str, str], float]:
        text = self._client.http.get("/metrics").raise_for_status().text
        return sum_stages(text_string_to_metric_families(text), self._family, self._label)

    def lap(self) -> dict[str, tuple[float, int]]:
        """(seconds, events) of every stage that happened."""
        now, before = self._read(), self._before
        self._before = now
        found = {}
        for part, stage in now:
            events = round(now["count", stage] - before.get(("count", stage), 0))
            if part == "sum" and events:
                found[stage] = (now["sum", stage] - before.get(("sum", stage), 0), events)
        return found


def sum_stages(families: Iterable[Any], family: str, label: str) -> dict[tuple[str, str], float]:
    return {
        (sample.name.removeprefix(f"{family}_"), sample.labels[label]): sample.value
        for found in families
        for sample in found.samples
        if sample.name in (f"{family}_sum", f"{family}_count")
    }
