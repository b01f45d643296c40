"""One algo's page: how far it is and why, its pictures, what was asked, its children, its checks, its trail.

Everything is shown as recorded. A constant number of queries, however many children there are; long tables are cut and
lead to the list that has all of it.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from trading.domain.algo_states import LIVING
from trading.domain.denials import explain_reason
from trading.domain.enums import AlgoKind, AlgoState
from trading.domain.money import divide
from trading.models import Algo, AlgoChild, AuditEntry
from trading.queries.algos import (
    AlgoProgress,
    ends_at,
    has_schedule,
    read_children,
    read_curves,
    read_fills,
    read_plan,
    read_progress,
)

from . import cells
from .algo_cells import cost_of, kind_word, name_of, slippage_cell, slippage_words, state_badge
from .algo_pictures import plan_chart, prices_chart, schedule_chart, slices_chart
from .algo_words import START, STOP, AlgoNow, describe_now, span_words, tell_task
from .audit_page import summary
from .cells import page_url
from .charts import Chart
from .order_page import check_rows
from .page import Detail, Facts, Table

MOST = 100


def describe_algo(request: HttpRequest, algo: Algo) -> Detail:
    now = timezone.now()
    progress = read_progress([algo], now)[algo.pk]
    children = list(read_children(algo))
    entries = list(
        AuditEntry.objects.filter(object_type="algo", object_id=str(algo.pk)).order_by("-id")[:MOST]
    )
    may = {right for right in (START, STOP) if request.user.has_perm(right)}
    pictures = _pictures(algo, children, progress, now)
    head: AlgoNow = describe_now(algo, progress, now, may=may)
    return Detail(
        title=name_of(algo),
        badges=[state_badge(algo), cells.badge(algo.account.mode)],
        lead=tell_task(algo),
        sections=[
            head,
            *pictures[:1],
            _results(algo, progress),
            *pictures[1:],
            _children(algo, children),
            checks_table(algo.checks, "What was asked before it was started"),
            _trail(entries),
        ],
        side=[_asked(algo, now), _stops(entries), _names(algo)],
    )


def _pictures(algo: Algo, children: list[AlgoChild], progress: AlgoProgress, now: datetime) -> list[Chart]:
    if algo.state == AlgoState.DENIED:
        points = read_curves(algo, now, ()).schedule
        end = ends_at(algo, algo.start_at)
        asset = algo.instrument.base_asset
        return [plan_chart(points, end, asset, algo.quantity)] if has_schedule(algo) else []
    fills = read_fills(algo)
    charts = [
        schedule_chart(algo, read_curves(algo, now, fills), progress, now),
        prices_chart(algo, fills, now),
    ]
    if len(algo.plan) > 1:
        charts.append(slices_chart(algo, children))
    return charts


def _results(algo: Algo, progress: AlgoProgress) -> Facts:
    asset, quote = algo.instrument.base_asset, algo.instrument.quote_asset
    return Facts(
        "What came of it",
        [
            ("Filled", cells.exact(progress.filled, asset)),
            ("Left", cells.exact(progress.left, asset)),
            ("Ordered and not ended", cells.exact(progress.alive, asset)),
            ("Filled notional", cells.exact(progress.notional, quote)),
            ("Average price", cells.average(progress.average_price, quote)),
            ("Price at its start", cells.exact(algo.arrival_price, quote)),
            ("Slippage", slippage_cell(progress.slippage_bps)),
            ("Children", progress.children),
        ],
        note=_slippage_note(algo, progress),
    )


def _slippage_note(algo: Algo, progress: AlgoProgress) -> str:
    cost = cost_of(algo, progress)
    if cost is None or progress.slippage_bps is None:
        return (
            "Slippage appears with the first fill: how much worse than the last price at its start it traded."
        )
    brought = "cost" if cost > 0 else "brought"
    money = f"{cells.dollar_text(cost.copy_abs())} {algo.instrument.quote_asset}"
    return (
        f"Slippage: {slippage_words(progress.slippage_bps)} than the last price at its start, in hundredths of a "
        f"percent, which {brought} {money}. The market's own move while it ran is part of it; fees are not."
    )


def _asked(algo: Algo, now: datetime) -> Facts:
    asset, quote = algo.instrument.base_asset, algo.instrument.quote_asset
    price: Any = cells.exact(algo.price, quote) if algo.price is not None else "market"
    rows: list[tuple[str, Any]] = [
        ("Kind", kind_word(algo)),
        ("Side", cells.badge(algo.side)),
        ("Quantity", cells.exact(algo.quantity, asset)),
        ("Rests at" if algo.kind == AlgoKind.ICEBERG else "Worst price", price),
        *([("Shows", cells.exact(algo.visible_quantity, asset))] if algo.visible_quantity else []),
        ("Reduce-only", "yes" if algo.reduce_only else "no"),
        *_schedule_rows(algo),
        ("Starts" if algo.start_at > now else "Started", cells.when(algo.start_at)),
        ("Ended", cells.when(algo.finished_at)) if algo.finished_at else ("Its time ends", _end(algo, now)),
    ]
    return Facts("What was asked", rows)


def _schedule_rows(algo: Algo) -> list[tuple[str, Any]]:
    seconds = algo.duration_seconds
    rows: list[tuple[str, Any]] = [("Over", span_words(seconds) if seconds else "as long as it takes")]
    if has_schedule(algo) and seconds:
        slices = len(read_plan(algo))
        rows.append(
            ("Slices", f"{slices}, one every {span_words(divide(Decimal(seconds), Decimal(slices)))}")
        )
    if algo.profile_source:
        rows.append(("Weights from", algo.profile_source))
    return rows


def _end(algo: Algo, now: datetime) -> Any:
    end = ends_at(algo, now)
    if end is None:
        return "when all of it is filled"
    return "its clock stands" if algo.state == AlgoState.PAUSED else cells.when(end)


def _stops(entries: list[AuditEntry]) -> Facts:
    """Its pauses, by whom or by which halt."""
    rows = [
        (
            entry.kind.removeprefix("algo."),
            cells.stack([explain_reason(_reason(entry)), cells.when(entry.at)]),
        )
        for entry in reversed(entries)
        if entry.kind in ("algo.paused", "algo.resumed", "algo.canceling")
    ]
    return Facts("Pauses and halts it met", rows or [("", "None yet.")])


def _reason(entry: AuditEntry) -> str:
    return str(entry.data.get("reason") or f"by {entry.actor}")


def _names(algo: Algo) -> Facts:
    strategy: Any = (
        cells.row_link("strategy", algo.strategy_id, algo.strategy) if algo.strategy else cells.NOTHING
    )
    return Facts(
        "Origin and ids",
        [
            ("Asked by", algo.actor),
            ("Account", cells.row_link("exchangeaccount", algo.account_id, algo.account.name)),
            ("Strategy", strategy),
            ("Created", cells.when(algo.created_at)),
            ("Algo id", cells.mono(algo.pk)),
            ("Key", cells.mono(algo.key)),
            ("Request id", cells.mono(algo.request_id)),
        ],
    )


def _children(algo: Algo, children: list[AlgoChild]) -> Table:
    url = f"{page_url('order', 'changelist')}?algo={algo.pk}"
    newest = children[::-1][:MOST]
    slices = ["#Slice"] if has_schedule(algo) else []
    return Table(
        "Children" if len(children) <= MOST else f"The last {MOST} of {len(children)} children",
        ["#No.", *slices, "Order", "Status", "#Quantity", "#Filled", "#Average", "Time", "Why"],
        [_child_row(child, has_slices=bool(slices)) for child in newest],
        empty="No child yet: the first is made when the first slice is due."
        if algo.state in LIVING
        else "No child was made.",
        more_url=url if children else "",
    )


def _child_row(child: AlgoChild, *, has_slices: bool) -> list[Any]:
    order = child.order
    average = divide(order.filled_notional, order.filled_quantity) if order.filled_quantity else None
    return [
        child.number,
        *([child.slice + 1] if has_slices else []),
        cells.tail_link("order", order.pk, order.client_order_id),
        cells.badge(order.status),
        cells.exact(order.quantity),
        cells.exact(order.filled_quantity) if order.filled_quantity else cells.NOTHING,
        cells.average(average),
        cells.when(child.at),
        explain_reason(order.status_reason) or cells.NOTHING,
    ]


def checks_table(checks: list[dict[str, Any]], title: str) -> Table:
    """Recorded, or of a dry run: what was asked of one child and of the whole, broken checks first."""
    ordered = sorted(checks, key=lambda check: bool(check.get("passed")))
    rows = [
        [cells.stack([name, cells.muted("of the whole")]) if check.get("of") == "whole" else name, *rest]
        for check, (name, *rest) in zip(ordered, check_rows(ordered), strict=True)
    ]
    failed = sum(not check.get("passed") for check in checks)
    verdict = f"{failed} of {len(checks)} checks fail" if failed else f"all {len(checks)} checks pass"
    headers = ["Check", "Verdict", "#Observed", "#Limit", "Note"]
    note = (
        "Asked of the largest child where it does not say of the whole. Nothing was reserved by it: each child is"
        " judged again when it is made."
    )
    return Table(f"{title}: {verdict}", headers, rows, "No check is recorded.", note, is_folded=not failed)


def _trail(entries: list[AuditEntry]) -> Table:
    rows = [
        [
            cells.when(entry.at),
            cells.row_link("auditentry", entry.pk, entry.kind),
            entry.actor,
            cells.muted(summary(entry)),
        ]
        for entry in entries
    ]
    url = page_url("auditentry", "changelist") + f"?q={entries[0].object_id}" if entries else ""
    return Table("Audit entries", ["Time", "What", "Who", "Details"], rows, more_url=url)
