"""Exports: copies of lists, written in the background. Ask for one, leave, come back and fetch it within a day.

Asking and fetching need the right to what is copied; a file is never served without asking again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.utils.html import format_html
from django.views.decorators.http import require_POST
from unfold.decorators import display

from trading.execution.exports import path_of, request_export
from trading.models import ExportJob, ExportState
from trading.queries.export_sources import get_source

from . import cells
from .acting import actor_of, attempt, go
from .page import Detail, Facts, Page, PanelAdmin, demand

TONES = {"waiting": "calm", "running": "busy", "done": "good", "failed": "bad", "expired": "calm"}


def size_words(size: int) -> str:
    for unit, step in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= step:
            return f"{size / step:.1f} {unit}"
    return f"{size} B"


@require_POST
def ask_view(request: HttpRequest) -> HttpResponse:
    name = request.POST.get("source", "")
    source = attempt(request, lambda: get_source(name))
    if source is None:
        return go("exportjob")
    demand(request, source.right)
    filters = QueryDict(request.POST.get("query", "")[:2000]).dict()
    job = attempt(
        request,
        lambda: request_export(name, request.POST.get("format", "csv"), filters, actor=actor_of(request)),
    )
    if job is not None:
        messages.success(request, "The export is being written. You can leave this page and come back.")
        return go("exportjob", "change", job.pk)
    return go("exportjob")


ask_page = admin.site.admin_view(ask_view)


@admin.register(ExportJob)
class ExportScreen(PanelAdmin):
    list_display = (
        "asked_cell",
        "what_cell",
        "state_cell",
        "progress_cell",
        "size_cell",
        "actor",
        "file_cell",
    )
    list_display_links = ("what_cell",)
    keyset = ("-requested_at", "-id")
    ordering = ("-requested_at", "-id")
    topics = ("audit",)
    empty_words = (
        "No export yet. The lists of orders, fills and audit entries have the buttons; files stay for a day."
    )

    def pages(self) -> Sequence[Page]:
        return [("<uuid:job_id>/file/", "file", self.file_view)]

    def file_view(self, request: HttpRequest, job_id: UUID) -> HttpResponseBase:
        demand(request, "trading.view_exportjob")
        job = ExportJob.objects.filter(pk=job_id).first()
        if job is None:
            raise Http404(f"There is no export {job_id}.")
        demand(request, get_source(job.source).right)
        if job.state != ExportState.DONE or not path_of(job).exists():
            raise Http404("This export has no file here: it expired, or another host wrote it.")
        return FileResponse(path_of(job).open("rb"), as_attachment=True, filename=job.file_name)

    def describe(self, request: HttpRequest, row: ExportJob) -> Detail:
        facts = [
            ("Copied", row.source),
            ("Filters", ", ".join(f"{name} {value}" for name, value in row.filters.items()) or "all of it"),
            ("Format", row.format.upper()),
            ("Asked by", row.actor),
            ("Asked", cells.when(row.requested_at)),
            ("Rows", self.progress_cell(row)),
            ("Size", self.size_cell(row)),
            ("Written", cells.when(row.finished_at)),
            ("Expires", cells.when(row.expires_at)),
            ("Host", row.host or cells.NOTHING),
            *([("What went wrong", row.error)] if row.error else []),
        ]
        return Detail(
            title=f"Export of {row.source}",
            badges=[self.state_cell(row)],
            lead=self.file_cell(row) if row.state == ExportState.DONE else "",
            sections=[
                Facts("", facts, note="The file is deleted a day after it was written; this record stays.")
            ],
            extra={"live_detail": True},
        )

    @display(description="asked")
    def asked_cell(self, row: ExportJob) -> Any:
        return cells.when(row.requested_at)

    @display(description="what")
    def what_cell(self, row: ExportJob) -> Any:
        return f"{row.source} as {row.format.upper()}"

    @display(description="state")
    def state_cell(self, row: ExportJob) -> Any:
        return cells.badge(row.state, TONES.get(row.state, "calm"))

    @display(description="rows")
    def progress_cell(self, row: ExportJob) -> Any:
        of = (
            f" of {row.rows_total:,}"
            if row.rows_total is not None and row.state == ExportState.RUNNING
            else ""
        )
        return format_html('<span class="lv-num">{}{}</span>', f"{row.rows_done:,}", of)

    @display(description="size")
    def size_cell(self, row: ExportJob) -> Any:
        return size_words(row.size) if row.size else cells.NOTHING

    @display(description="file")
    def file_cell(self, row: ExportJob) -> Any:
        if row.state != ExportState.DONE:
            return cells.NOTHING
        return cells.link(
            cells.page_url("exportjob", "file", row.pk),
            format_html('Download<span class="lv-unseen"> {}</span>', row.file_name),
        )
