"""Exports: a copy of a list written in the background, one at a time, that expires after a day.

A row is the job. Whoever claims it (a worker that was rung, or the clock's ring) writes the file under HOME_DIR/exports
with its progress in the row; one whose writer died is taken up again from the beginning. Never holds more than a chunk
of rows, and never runs two at once, so that resolving and syncing keep their workers.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, OperationalError, connection, transaction
from django.utils import timezone

from trading import audit
from trading.domain.actors import Actor
from trading.domain.errors import LeviError
from trading.doorbell import ring
from trading.models import ExportJob, ExportState
from trading.queries.export_sources import ExportSource, chosen_rows, get_source, read_filters
from trading.queries.records import FORMATS

log = logging.getLogger(__name__)
KEPT = timedelta(days=1)
_DEAD_AFTER = timedelta(minutes=2)
_STEP = 2000
_COUNT_SECONDS = 20
_LOCK = 7_305_002  # the advisory lock of "one export at a time"


class UnknownExport(LeviError):
    code = "unknown_export"


def exports_dir() -> Path:
    folder: Path = settings.HOME_DIR / "exports"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def path_of(job: ExportJob) -> Path:
    return exports_dir() / job.file_name


def request_export(
    source_name: str, format_name: str, given: Mapping[str, str], *, actor: Actor
) -> ExportJob:
    source, now = get_source(source_name), timezone.now()
    if format_name not in FORMATS:
        raise UnknownExport(
            f"Unknown export format {format_name!r}.", remedy=f"Use one of {', '.join(FORMATS)}."
        )
    filters = read_filters(source, given, now)
    with transaction.atomic():
        job = ExportJob.objects.create(
            source=source_name,
            format=format_name,
            filters=filters,
            actor=str(actor),
            requested_at=now,
            moved_at=now,
        )
        data = {"source": source_name, "format": format_name, "filters": filters}
        audit.record("export.requested", actor=actor, object_type="export", object_id=job.pk, data=data)
        ring("run_exports", job.pk)
    return job


def run_exports() -> int:
    """Everything that waits, oldest first; returns how many were written. 0 while another process is at it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            return 0
    try:
        return sum(1 for job in _waiting() if _write(job))
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _waiting() -> Iterator[ExportJob]:
    """Also those whose writer is gone: the lock says that nobody is writing."""
    seen: set[UUID] = set()
    while True:
        open_jobs = ExportJob.objects.filter(state__in=[ExportState.WAITING, ExportState.RUNNING])
        job = open_jobs.exclude(pk__in=seen).order_by("requested_at").first()
        if job is None:
            return
        seen.add(job.pk)
        yield job


def _write(job: ExportJob) -> bool:
    draft = path_of(job).with_suffix(".draft")
    try:
        source = get_source(job.source)
        _move(
            job,
            state=ExportState.RUNNING,
            host=socket.gethostname(),
            rows_done=0,
            rows_total=_count(source, job),
        )
        _write_rows(job, source, draft)
        draft.replace(path_of(job))
    except (LeviError, DatabaseError, OSError) as error:
        log.warning("export %s failed: %s", job.pk, error)
        draft.unlink(missing_ok=True)
        said = "The disk or the database refused." if not isinstance(error, LeviError) else str(error)
        _move(job, state=ExportState.FAILED, error=said[:300], finished_at=timezone.now())
        return False
    now = timezone.now()
    size = path_of(job).stat().st_size
    _move(
        job,
        state=ExportState.DONE,
        size=size,
        rows_total=job.rows_done,
        finished_at=now,
        expires_at=now + KEPT,
    )
    return True


def _count(source: ExportSource, job: ExportJob) -> int | None:
    """None where counting takes too long: the progress is then a number without an end."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = '{_COUNT_SECONDS}s'")
            return chosen_rows(source, job.filters).count()
    except OperationalError:
        return None


def _write_rows(job: ExportJob, source: ExportSource, draft: Path) -> None:
    # Each piece is a row; a CSV file begins with its header.
    lines = 0 if job.format == "ndjson" else -1
    with draft.open("w", encoding="utf-8", newline="") as file:
        draft.chmod(0o600)
        for piece in source.write(chosen_rows(source, job.filters), job.format):
            file.write(piece)
            lines += 1
            if lines % _STEP == 0 and lines > 0:
                _move(job, rows_done=lines, size=file.tell())
    _move(job, rows_done=max(lines, 0))


def _move(job: ExportJob, **fields: object) -> None:
    for name, value in {**fields, "moved_at": timezone.now()}.items():
        setattr(job, name, value)
    job.save(update_fields=[*fields, "moved_at"])


def expire_exports() -> int:
    """Files that are older than a day go; the row stays and says so."""
    old = ExportJob.objects.filter(state=ExportState.DONE, expires_at__lt=timezone.now())
    for job in old:
        path_of(job).unlink(missing_ok=True)
        _move(job, state=ExportState.EXPIRED)
    return len(old)
