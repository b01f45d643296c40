"""Daily reports: read, made anew until they are signed, and signed by a person for a day that is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.dateparse import parse_date
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.http import require_POST
from unfold.decorators import display

from trading.execution.daily_reports import describe_report, make_report, sign_report, write_report_files
from trading.models import DailyReport
from trading.queries.equity import trading_day

from . import cells
from .acting import accept, actor_of, attempt, go
from .forms import PanelForm
from .page import Ask, Detail, Facts, Page, PanelAdmin, demand

SIGN = "trading.sign_report"


class SignForm(PanelForm):
    note = forms.CharField(max_length=300, required=False, label="What you want to say of it")
    digest = forms.CharField(widget=forms.HiddenInput)


@admin.register(DailyReport)
class DailyReportScreen(PanelAdmin):
    empty_words = "No daily report yet. One is made for every day, some minutes after it ends."
    list_display = ("day", "state_cell", "signed_by", "signed_cell", "made_cell")
    list_display_links = ("day",)
    ordering = ("-day",)

    def pages(self) -> Sequence[Page]:
        return [("make/", "make", self.make_view), ("<str:day>/sign/", "sign", self.sign_view)]

    def describe(self, request: HttpRequest, row: DailyReport) -> Detail:
        facts = Facts(
            "",
            [
                ("Made", cells.when(row.created_at)),
                ("Signed by", row.signed_by or cells.NOTHING),
                ("Signed", cells.when(row.signed_at)),
                ("Note", row.note or cells.NOTHING),
                ("SHA-256", cells.mono(row.digest)),
            ],
        )
        side = []
        if request.user.has_perm(SIGN) and row.signed_at is None:
            form = SignForm(initial={"digest": row.digest})
            why = "That you have read it. From then on it stays as it is."
            side.append(
                Ask("Sign", cells.page_url("dailyreport", "sign", row.pk), "Sign it", form, why, "main")
            )
        return Detail(
            title=f"Report of {row.day}",
            badges=[self.state_cell(row)],
            sections=[
                facts,
                Facts(
                    "Report",
                    [("", _as_written(describe_report(row)))],
                    note="As data: GET /api/v1/reports, and HOME_DIR/reports.",
                ),
            ],
            side=side,
        )

    @method_decorator(require_POST)
    def make_view(self, request: HttpRequest) -> HttpResponse:
        demand(request, SIGN)
        day = parse_date(request.POST.get("day", "")) or trading_day()
        row = attempt(request, lambda: make_report(day, actor=actor_of(request)))
        if row is None:
            return go("dailyreport")
        attempt(request, lambda: write_report_files(row))
        messages.success(request, f"The report of {day} is made.")
        return go("dailyreport", "change", day)

    @method_decorator(require_POST)
    def sign_view(self, request: HttpRequest, day: str) -> HttpResponse:
        demand(request, SIGN)
        form, wanted = SignForm(request.POST), _read_day(day)
        if accept(request, form):
            said = form.cleaned_data
            row = attempt(
                request,
                lambda: sign_report(
                    wanted, digest=said["digest"], note=said["note"], actor=actor_of(request)
                ),
            )
            if row is not None:
                write_report_files(row)
                messages.success(request, f"You have signed the report of {wanted}.")
        return go("dailyreport", "change", wanted)

    @display(description="state")
    def state_cell(self, row: DailyReport) -> Any:
        return cells.badge("signed", "good") if row.signed_at else cells.badge("not signed", "warn")

    @display(description="signed")
    def signed_cell(self, row: DailyReport) -> Any:
        return cells.when(row.signed_at)

    @display(description="made")
    def made_cell(self, row: DailyReport) -> Any:
        return cells.when(row.created_at)


def _as_written(text: str) -> Any:
    return format_html('<pre class="lv-code">{}</pre>', text)


def _read_day(text: str) -> date:
    day = parse_date(text)
    if day is None:
        raise Http404(f"{text} is no day.")
    return day
