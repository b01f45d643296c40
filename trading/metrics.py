"""Every counter, gauge and histogram that code increments, with its help text.

Counters and histograms live in files shared by all processes of a host (prometheus_client's multiprocess mode), so that
one scrape shows what all workers did. What is a *state* (positions, halts, heartbeats) is not kept here: it is read
from the database at the scrape (see queries/exposition.py). Floats are allowed here and nowhere near money.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from prometheus_client import Counter, Gauge, Histogram

from .metric_files import use_roomy_files

use_roomy_files()
_LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

ORDERS = Counter("levi_orders", "Orders by the status they reached.", ["status", "symbol", "side"])
DENIALS = Counter("levi_denials", "Denied orders by denial code.", ["code"])
FILLS = Counter("levi_fills", "Fills booked.", ["symbol", "side"])
ORDER_LATENCY = Histogram(
    "levi_order_latency_seconds",
    "Seconds per stage: decide, wait (approved to permit), permit, dial, request, settle, total.",
    ["stage"],
    buckets=_LATENCY_BUCKETS,
)
HALT_SECONDS = Histogram(
    "levi_halt_seconds",
    "Seconds of a halt's phases: gate (commit), drain, first_cancel, clean.",
    ["phase"],
    buckets=_LATENCY_BUCKETS,
)
VENUE_REQUESTS = Counter(
    "levi_venue_requests", "Requests to venues by endpoint and outcome.", ["venue", "endpoint", "outcome"]
)
VENUE_LATENCY = Histogram(
    "levi_venue_request_seconds",
    "Seconds of a venue request.",
    ["venue", "endpoint"],
    buckets=_LATENCY_BUCKETS,
)
RATE_TOKENS = Gauge(
    "levi_rate_tokens",
    "Tokens left in a rate limiter's bucket.",
    ["venue", "bucket"],
    multiprocess_mode="livemostrecent",
)
SYNC_SECONDS = Histogram("levi_sync_seconds", "Seconds of one account's sync.", buckets=_LATENCY_BUCKETS)
ALERTS = Counter(
    "levi_alerts",
    "Alerts by what became of them: delivered, failed (one try), given_up, repeated, unrouted.",
    ["outcome"],
)
STREAM_EVENTS = Counter("levi_stream_events", "Events of private streams.", ["account", "kind"])
STREAM_LOSSES = Counter("levi_stream_losses", "Private streams lost after they had been live.", ["account"])
STREAM_GAPS = Counter("levi_stream_gaps", "Fills that a private stream never told of.", ["account"])
TRIGGER_RUNS = Counter("levi_trigger_evaluations", "Evaluations of automatic halts.", ["trigger", "verdict"])


def _count_order(data: Mapping[str, Any]) -> None:
    ORDERS.labels(data["status"], data["symbol"], data["side"]).inc()
    for code in data.get("codes", ()):
        DENIALS.labels(code).inc()


def _count_fill(data: Mapping[str, Any]) -> None:
    FILLS.labels(data["symbol"], data["side"]).inc()


# What an audit entry of this kind (or family, up to the dot) adds to the counters, after its commit.
COUNTED: dict[str, Callable[[Mapping[str, Any]], None]] = {
    "order": _count_order,
    "fill": _count_fill,
}


# These carry their account.
COUNTED_BY_ACCOUNT: dict[str, Counter] = {"stream.lost": STREAM_LOSSES, "stream.gap": STREAM_GAPS}


def count(kind: str, data: Mapping[str, Any]) -> None:
    if by_account := COUNTED_BY_ACCOUNT.get(kind):
        by_account.labels(data["account"]).inc()
    counter = COUNTED.get(kind.partition(".")[0])
    if counter and {"symbol", "side"} <= data.keys() and ("status" in data or kind.startswith("fill")):
        counter(data)


class RequestObserver:
    """What an adapter tells about its requests and its rate limits."""

    def on_request(self, venue: str, endpoint: str, outcome: str, seconds: float) -> None:
        VENUE_REQUESTS.labels(venue, endpoint, outcome).inc()
        VENUE_LATENCY.labels(venue, endpoint).observe(seconds)

    def on_tokens(self, venue: str, bucket: str, tokens: float) -> None:
        RATE_TOKENS.labels(venue, bucket).set(tokens)
