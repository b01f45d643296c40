"""System: what runs here, how it is, and on what: /admin/system/. Shows; nothing can be changed on it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from trading.queries.system import DatabaseFacts, SystemFacts, read_system

from . import cells
from .exports import size_words
from .page import Detail, Facts, Table, demand, page_context
from .rate_limits import rate_table

_FULL_PERCENT = 90


@require_safe
def system_view(request: HttpRequest) -> HttpResponse:
    demand(request, "trading.view_order")
    facts = read_system()
    builds = {row.beat.build for row in facts.processes if row.is_alive}
    page = Detail(
        title="System",
        lead=f"Build {settings.BUILD}."
        + (" Processes run different builds." if len(builds - {settings.BUILD}) else ""),
        sections=[_processes(facts), rate_table(facts.accounts), _tables(facts.database), _parts(facts)],
        side=[_server(facts), _queues(facts)],
        extra={"live_detail": True},
    )
    context = {**page_context(request), "title": page.title, "page": page, "topics": ""}
    return TemplateResponse(request, "panel/detail.html", context)


def _processes(facts: SystemFacts) -> Table:
    rows = [
        [
            row.beat.role,
            cells.badge(row.word),
            cells.age(row.beat.beat_at),
            cells.when(row.beat.started_at),
            cells.mono(row.beat.build),
            cells.mono(row.beat.process),
        ]
        for row in facts.processes
    ]
    headers = ["Role", "State", "Last sign of life", "Started", "Build", "Process"]
    empty = "No process has reported yet. Workers report every few seconds once they run."
    return Table(
        "Processes",
        headers,
        rows,
        empty=empty,
        note="Every process reports. What ended on this host is shown for a quarter of an hour; of other hosts only "
        "the age of the last sign is known.",
    )


def _server(facts: SystemFacts) -> Facts:
    database, disk = facts.database, facts.disk
    rows: list[tuple[str, Any]] = [
        ("Mode", cells.badge(settings.LEVI_MODE)),
        ("PostgreSQL", database.version),
        ("Database", size_words(database.size)),
        ("Connections", f"{database.connections} of {database.most_connections}"),
    ]
    if disk:
        word = cells.badge("nearly full", "bad") if disk.used_percent >= _FULL_PERCENT else ""
        rows += [
            ("Disk, free", f"{size_words(disk.free)} of {size_words(disk.total)}"),
            ("Disk, used", f"{disk.used_percent:.0f} %"),
        ]
        rows += [("Disk", word)] if word else []
    return Facts("Server", rows)


def _queues(facts: SystemFacts) -> Facts:
    if facts.queues is None:
        return Facts(
            "Queues",
            [("Redis", cells.badge("away", "warn"))],
            note="Work goes on: rows are the queue, the pollers find them.",
        )
    return Facts(
        "Queues", [(name, count) for name, count in facts.queues.items()], note="Bells not heard yet."
    )


def _tables(database: DatabaseFacts) -> Table:
    rows = [[cells.mono(name), f"{rows:,}", size_words(size)] for name, rows, size in database.tables]
    return Table("Largest tables", ["Table", "#Rows, about", "#Size with indexes"], rows)


def _parts(facts: SystemFacts) -> Table:
    rows = [[part.name, part.version, part.licence] for part in facts.parts]
    headers = ["Package", "Version", "Licence"]
    return Table("What it runs on, with its licence", headers, rows, is_folded=True)


system_page = admin.site.admin_view(system_view)
