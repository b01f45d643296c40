"""Verifying the audit trail: every entry is hashed again and compared with its neighbour."""

from __future__ import annotations

from benchmarks.rows import Row

ENTRIES = 8_000


def measure() -> list[Row]:
    from django.db import transaction

    from benchmarks.books import BENCHMARK, time_call
    from trading import audit

    data = {
        "status": "measured",
        "client_order_id": "lv0123456789abcdef01234567890",
        "attempt": 1,
        "reason": "",
    }

    def write() -> None:
        with transaction.atomic(durable=True):
            for _entry in range(ENTRIES):
                audit.record(
                    "benchmark.entry", actor=BENCHMARK, object_type="benchmark", object_id="1", data=data
                )

    writing, _ = time_call(write)
    verifying, report = time_call(audit.verify)
    assert report.ok, report.damages[:3]
    return [
        Row("entries verified a second", report.entries / verifying, "/s", ">= 200,000 /s", "one process"),
        Row("entries", report.entries, ""),
        Row("entries written a second", ENTRIES / writing, "/s", note="in one commit, one process"),
    ]
