"""Schedules: what Celery beat rings and when. Administrators may switch an entry on or off and change its interval.

Beat only rings; a switched-off entry is found by the pollers all the same where money depends on it. Entries are made
by the product, not here, and never deleted.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from axes import admin as axes_admin
from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST
from django_celery_beat import admin as beat_admin
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from unfold.decorators import display

from trading import audit

from . import cells
from .acting import accept, actor_of
from .forms import PanelForm
from .page import Ask, Detail, Facts, Page, PanelAdmin, demand
from .signals import pretty

MANAGE = "trading.change_exchangeaccount"

# Both packages bring screens that delete and act on GET; importing them here makes their registration happen first.
for module in (beat_admin, axes_admin):
    for model in [
        model
        for model in admin.site._registry
        if type(admin.site._registry[model]).__module__ == module.__name__
    ]:
        admin.site.unregister(model)


class IntervalForm(PanelForm):
    seconds = forms.IntegerField(label="Every so many seconds", min_value=1, max_value=86_400)


def interval_of(row: PeriodicTask) -> timedelta | None:
    return timedelta(**{row.interval.period: row.interval.every}) if row.interval else None


@admin.register(PeriodicTask)
class ScheduleScreen(PanelAdmin):
    empty_words = "No schedule yet. Beat writes its entries when it starts for the first time."
    list_display = (
        "name",
        "enabled_cell",
        "interval_cell",
        "last_cell",
        "next_cell",
        "late_cell",
        "runs_cell",
        "task_cell",
    )
    list_display_links = ("name",)
    list_select_related = ("interval", "crontab")
    ordering = ("name",)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(MANAGE)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MANAGE)

    def pages(self) -> Sequence[Page]:
        return [
            ("<int:task_id>/switch/", "switch", self.switch_view),
            ("<int:task_id>/interval/", "interval", self.interval_view),
        ]

    def describe(self, request: HttpRequest, row: PeriodicTask) -> Detail:
        facts = [
            ("Bell", cells.mono(row.task)),
            ("Queue", row.queue or cells.NOTHING),
            ("Every", self.interval_cell(row)),
            ("Last rung", cells.when(row.last_run_at)),
            ("Next ring", self.next_cell(row)),
            ("Lateness", self.late_cell(row)),
            ("Times rung", row.total_run_count),
            ("Changed", cells.when(row.date_changed)),
            ("Arguments", pretty({"args": row.args, "kwargs": row.kwargs})),
        ]
        return Detail(
            title=row.name,
            badges=[self.enabled_cell(row)],
            sections=[
                Facts(
                    "",
                    facts,
                    note="Each periodic slot runs once, whoever rings; the pollers look for themselves.",
                )
            ],
            side=self._asks(row),
        )

    def _asks(self, row: PeriodicTask) -> list[Ask]:
        word, tone = ("Switch off", "quiet-bad") if row.enabled else ("Switch on", "good")
        asks = [Ask(word, schedule_url("switch", row), word, None, "Takes effect within five seconds.", tone)]
        span = interval_of(row)
        if span is not None:
            form = IntervalForm(initial={"seconds": int(span.total_seconds())})
            asks.append(Ask("Interval", schedule_url("interval", row), "Change the interval", form))
        return asks

    @method_decorator(require_POST)
    def switch_view(self, request: HttpRequest, task_id: int) -> HttpResponse:
        demand(request, MANAGE)
        row = self._get(task_id)
        self._save(request, row, enabled=not row.enabled)
        messages.success(request, f"{row.name} is {'on' if row.enabled else 'off'}.")
        return self._back(row)

    @method_decorator(require_POST)
    def interval_view(self, request: HttpRequest, task_id: int) -> HttpResponse:
        demand(request, MANAGE)
        row, form = self._get(task_id), IntervalForm(request.POST)
        if row.interval is None:
            messages.error(request, "This entry runs by the calendar, not by an interval.")
        elif accept(request, form):
            every, _ = IntervalSchedule.objects.get_or_create(
                every=form.cleaned_data["seconds"], period=IntervalSchedule.SECONDS
            )
            self._save(request, row, interval=every)
            messages.success(request, f"{row.name} runs every {every.every} s.")
        return self._back(row)

    def _get(self, task_id: int) -> PeriodicTask:
        row = PeriodicTask.objects.select_related("interval").filter(pk=task_id).first()
        if row is None:
            raise Http404(f"There is no schedule {task_id}.")
        return row

    def _save(self, request: HttpRequest, row: PeriodicTask, **changes: Any) -> None:
        before = {name: str(getattr(row, name)) for name in changes}
        for name, value in changes.items():
            setattr(row, name, value)
        with transaction.atomic():
            row.save()  # tells beat through its own change marker
            after = {name: str(value) for name, value in changes.items()}
            data = {"name": row.name, "before": before, "after": after}
            audit.record(
                "schedule.changed",
                actor=actor_of(request),
                object_type="schedule",
                object_id=row.pk,
                data=data,
            )

    def _back(self, row: PeriodicTask) -> HttpResponse:
        return redirect("admin:django_celery_beat_periodictask_change", row.pk)

    @display(description="state")
    def enabled_cell(self, row: PeriodicTask) -> Any:
        return cells.badge("on", "good") if row.enabled else cells.badge("off", "warn")

    @display(description="every")
    def interval_cell(self, row: PeriodicTask) -> Any:
        span = interval_of(row)
        return cells.duration(span.total_seconds()) if span else str(row.schedule)

    @display(description="last rung")
    def last_cell(self, row: PeriodicTask) -> Any:
        return cells.when(row.last_run_at)

    @display(description="next ring")
    def next_cell(self, row: PeriodicTask) -> Any:
        span = interval_of(row)
        if not row.enabled or span is None or row.last_run_at is None:
            return cells.NOTHING
        return cells.age(row.last_run_at + span)

    @display(description="runs")
    def runs_cell(self, row: PeriodicTask) -> Any:
        return row.total_run_count

    @display(description="task")
    def task_cell(self, row: PeriodicTask) -> Any:
        return cells.mono(row.task)

    @display(description="lateness")
    def late_cell(self, row: PeriodicTask) -> Any:
        span = interval_of(row)
        if not row.enabled or span is None or row.last_run_at is None:
            return cells.NOTHING
        late = timezone.now() - row.last_run_at - span
        return (
            cells.badge(f"late by {cells.age_words(late.total_seconds())}", "warn")
            if late > 3 * span
            else cells.badge("on time", "good")
        )


def schedule_url(page: str, row: PeriodicTask) -> str:
    return reverse(f"admin:django_celery_beat_periodictask_{page}", args=[row.pk])
