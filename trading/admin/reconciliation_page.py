"""Reconciliation at one look: what differs, by kind, who looks after it, how the last looks went, and the reports."""

from __future__ import annotations

from django.db.models import Count, Max, Min
from django.http import HttpRequest

from trading.models import Break, BreakKind, BreakState, DailyReport, SyncRun

from . import cells
from .page import Ask, Detail, Facts, Table


def describe_reconciliation(request: HttpRequest) -> Detail:
    live = Break.objects.exclude(state=BreakState.RESOLVED)
    side: list[Facts | Table | Ask] = [_reports()]
    if request.user.has_perm("trading.sign_report"):
        why = "What the trading day has come to so far. The report of a day that is over can be signed."
        side.insert(
            0, Ask("Daily report", cells.page_url("dailyreport", "make"), "Make today's report", why=why)
        )
    return Detail(
        title="Reconciliation",
        lead="Our books beside the venue's. Nothing is repaired silently.",
        sections=[_by_kind(), _open(list(live.select_related("account").order_by("since")[:50])), _runs()],
        side=side,
        extra={"live_detail": True},
    )


def _by_kind() -> Table:
    """Without a complete look nothing is known to be equal."""
    looked = SyncRun.objects.filter(is_complete=True).exists()
    alike = cells.badge("equal", "good") if looked else cells.badge("not looked at yet", "warn")
    live = Break.objects.exclude(state=BreakState.RESOLVED).order_by().values("kind")
    found = {
        row["kind"]: row
        for row in live.annotate(count=Count("id"), oldest=Min("since"), last=Max("last_seen_at"))
    }
    rows = []
    for kind in BreakKind:
        row = found.get(kind)
        rows.append(
            [
                cells.link(f"{cells.page_url('break', 'changelist')}?kind={kind}", kind.label),
                row["count"] if row else 0,
                cells.badge("differs", "bad") if row else alike,
                cells.age(row["oldest"] if row else None),
            ]
        )
    return Table("Differences by kind", ["Kind", "#Open", "State", "Oldest"], rows)


def _open(breaks: list[Break]) -> Table:
    rows = [
        [
            cells.stack(
                [cells.row_link("break", row.pk, f"{row.kind} {row.subject[:24]}"), row.account.name]
            ),
            cells.stack(
                [
                    cells.badge(row.state, "bad" if row.state == BreakState.OPEN else ""),
                    row.owner or "nobody's",
                ]
            ),
            cells.exact(row.ours),
            cells.exact(row.theirs),
            cells.stack(
                [cells.dollars(row.value), "beyond tolerance" if row.is_beyond else "within tolerance"]
            ),
            cells.age(row.since),
        ]
        for row in breaks
    ]
    headers = ["What", "State", "#Ours", "#The venue's", "#Worth", "Since"]
    return Table("Open breaks", headers, rows, empty="No difference is open.")


def _runs() -> Table:
    rows = [
        [
            cells.row_link("syncrun", run.pk, f"{run.started_at:%H:%M:%S}"),
            run.account.name,
            cells.badge("complete") if run.is_complete else cells.badge("incomplete", "bad"),
            run.balances or cells.NOTHING,
            run.fills_booked,
            run.breaks_open,
            cells.text_or_nothing(run.error[:60]),
        ]
        for run in SyncRun.objects.select_related("account").order_by("-started_at", "-id")[:12]
    ]
    headers = ["Started", "Account", "Result", "Balances", "#Fills", "#Breaks", "Error"]
    return Table("The last looks", headers, rows, more_url=cells.page_url("syncrun", "changelist"))


def _reports() -> Table:
    rows = [
        [
            cells.row_link("dailyreport", row.pk, row.day),
            cells.badge("signed", "good") if row.signed_at else cells.badge("not signed", "warn"),
            cells.text_or_nothing(row.signed_by),
        ]
        for row in DailyReport.objects.order_by("-day")[:10]
    ]
    return Table(
        "Daily reports",
        ["Day", "State", "By"],
        rows,
        empty="No report yet.",
        more_url=cells.page_url("dailyreport", "changelist"),
    )
