"""Exports: written in the background with progress, one at a time, guarded against formulas, gone after a day."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connections
from django.utils import timezone

from tests.admin.trading_day import TradingDay
from tests.making import PERSON
from trading.domain.errors import InvalidInput
from trading.execution import exports
from trading.execution.exports import expire_exports, path_of, request_export, run_exports
from trading.models import AuditEntry, ExportJob, Fill, Order


@pytest.fixture
def day(db, monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "HOME_DIR", tmp_path)
    return TradingDay()


def export(source: str, format_name: str = "csv", **filters: str) -> ExportJob:
    job = request_export(source, format_name, filters, actor=PERSON)
    assert job.state == "waiting" and not path_of(job).exists()
    run_exports()
    job.refresh_from_db()
    return job


def rows_of(job: ExportJob) -> list[dict[str, str]]:
    text = path_of(job).read_text()
    if job.format == "ndjson":
        return [json.loads(line) for line in text.splitlines()]
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("format_name", ["csv", "ndjson"])
@pytest.mark.parametrize(("source", "model"), [("orders", Order), ("fills", Fill), ("audit", AuditEntry)])
def test_a_copy_holds_every_row_and_says_so(day, source, model, format_name):
    count = model.objects.count() + (source == "audit")  # the request is an entry too
    job = export(source, format_name)
    assert (job.state, job.rows_done, len(rows_of(job))) == ("done", count, count)
    assert job.size == path_of(job).stat().st_size and job.expires_at > timezone.now()
    assert path_of(job).stat().st_mode & 0o077 == 0, "nobody else on this host reads it"


def test_filters_and_searches_are_those_of_the_list(day):
    assert {row["status"] for row in rows_of(export("orders", status="filled"))} == {"filled"}
    order = day.orders["open"]
    assert [row["id"] for row in rows_of(export("orders", q=order.client_order_id))] == [str(order.pk)]
    young = rows_of(export("orders", within="hour"))
    since = timezone.now() - timedelta(hours=1)
    assert len(young) == Order.objects.filter(created_at__gte=since).count()


def test_paging_and_unknown_words_are_no_filters(day):
    assert export("orders", cursor="x", nonsense="y").filters == {}


def test_no_cell_is_a_formula(day):
    Order.objects.filter(pk=day.orders["open"].pk).update(actor="=cmd|' /C calc'!A0")
    cells = [cell for row in rows_of(export("orders")) for cell in row.values() if cell]
    assert "'=cmd|' /C calc'!A0" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "@", "+"))]


def test_asking_is_in_the_trail(day):
    job = export("fills", side="BUY")
    entry = AuditEntry.objects.get(kind="export.requested", object_id=str(job.pk))
    assert entry.actor == str(PERSON) and entry.data["filters"] == {"side": "BUY"}


def test_what_is_unknown_is_named_and_writes_nothing(day):
    for source, format_name in (("secrets", "csv"), ("orders", "xlsx")):
        with pytest.raises(Exception, match=r"secrets|xlsx") as refused:
            request_export(source, format_name, {}, actor=PERSON)
        assert isinstance(refused.value, InvalidInput | exports.UnknownExport)
    assert not ExportJob.objects.exists()


def test_one_whose_writer_died_is_written_anew(day):
    job = request_export("orders", "csv", {}, actor=PERSON)
    ExportJob.objects.filter(pk=job.pk).update(state="running", rows_done=3)
    assert run_exports() == 1
    job.refresh_from_db()
    assert (job.state, job.rows_done) == ("done", Order.objects.count())


def test_a_failure_is_said_and_leaves_no_half_file(day, monkeypatch):
    job = request_export("orders", "csv", {}, actor=PERSON)

    def refuse(*_given: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(exports, "_write_rows", refuse)
    assert run_exports() == 0
    job.refresh_from_db()
    assert job.state == "failed" and "disk" in job.error and list(exports.exports_dir().iterdir()) == []


def test_after_a_day_the_file_is_gone_and_the_record_stays(day):
    job = export("orders")
    ExportJob.objects.filter(pk=job.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert expire_exports() == 1
    job.refresh_from_db()
    assert job.state == "expired" and not path_of(job).exists()


@pytest.mark.django_db(transaction=True)
def test_only_one_process_writes_at_a_time(monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "HOME_DIR", tmp_path)
    request_export("audit", "csv", {}, actor=PERSON)
    other = connections["default"].copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [exports._LOCK])
        assert run_exports() == 0
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [exports._LOCK])
    finally:
        other.close()
    assert run_exports() == 1
