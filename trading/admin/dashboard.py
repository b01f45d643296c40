"""The control room: turns what queries/dashboard.py read into cards the index template lays out.

Only presentation: words, tones and shares. Operators without a role see how to get one, and nothing
of the trading state.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from trading.domain.enums import OrderStatus
from trading.domain.money import divide
from trading.queries.builds import is_welcome
from trading.queries.dashboard import ControlRoom, read_control_room
from trading.queries.pictures import RANGES
from trading.queries.processes import LivingProcess
from trading.queries.streams import StreamStanding

from . import cells
from .algo_tables import algos_table, living_title
from .audit_page import object_cell, summary
from .page import Table
from .room_charts import equity_chart, gauges, latency_chart, orders_chart, results_chart
from .tones import tone_of


@dataclass(frozen=True, slots=True)
class Tile:
    """One number that matters, linked to what it counts."""

    title: str
    value: Any
    url: str
    note: Any = ""
    tone: str = ""


def mode_prefix(request: HttpRequest) -> str:
    return f"{settings.LEVI_MODE.upper()} ·"


def describe_room(request: HttpRequest, span_name: str) -> dict[str, Any]:
    """The context of the index page. `span_name` is the range of the equity curve."""
    if not request.user.has_perm("trading.view_order"):
        return {"room": None}
    span_name = span_name if span_name in RANGES else "day"
    room = read_control_room(RANGES[span_name])
    return {
        "room": room,
        "mode": settings.LEVI_MODE,
        "tiles": _tiles(room),
        "equity_chart": equity_chart(room.curve, room.halts, span_name),
        "results_chart": results_chart(room.results),
        "orders_chart": orders_chart(room.hour),
        "latency_chart": latency_chart(room.latencies),
        "hour_statuses": [(status, count, tone_of(status)) for status, count in room.hour_by_status],
        "hour_total": sum(count for _, count in room.hour_by_status),
        "gauges": gauges(room.utilisation),
        "beats": [(row.beat, beat_word(row, room), _running_for(row, room)) for row in room.processes],
        "exposure_total": room.total_exposure,
        "exposure_limit": room.limits.exposure_limit_total if room.limits else None,
        "exposure_share": _share(room),
        "algos": _algos(room) if request.user.has_perm("trading.view_algo") else None,
        "breaks": _breaks(room),
        "trail": _trail(room),
        "accounts": [
            (account, *stream_cell(room.streams[account.pk], room.now)) for account in room.accounts
        ],
        "base_url": f"{request.scheme}://{request.get_host()}",
    }


def _tiles(room: ControlRoom) -> list[Tile]:
    orders = cells.page_url("order", "changelist")
    live = room.live_orders
    resting = live.get(OrderStatus.OPEN, 0) + live.get(OrderStatus.PARTIALLY_FILLED, 0)
    moving = live.get(OrderStatus.APPROVED, 0) + live.get(OrderStatus.SUBMITTING, 0)
    doubt, quarantined = live.get(OrderStatus.IN_DOUBT, 0), live.get(OrderStatus.QUARANTINED, 0)
    return [
        Tile(
            "Open orders",
            resting,
            f"{orders}?status=open",
            f"{moving} on the way" if moving else "resting at the venue",
        ),
        Tile(
            "In doubt",
            doubt,
            f"{orders}?status=in_doubt",
            "sent, fate unknown" if doubt else "every fate is known",
            "warn" if doubt else "",
        ),
        Tile(
            "Quarantined",
            quarantined,
            f"{orders}?status=quarantined",
            "need a person" if quarantined else "none need a person",
            "bad" if quarantined else "",
        ),
        Tile(
            "Open breaks",
            len(room.breaks),
            cells.page_url("break", "changelist"),
            "books and venue differ" if room.breaks else "books and venue agree",
            "bad" if room.breaks else "",
        ),
    ]


def _share(room: ControlRoom) -> Decimal | None:
    limit = room.limits.exposure_limit_total if room.limits else None
    total = room.total_exposure
    return divide(total * 100, limit) if total is not None and limit else None


def beat_word(row: LivingProcess, room: ControlRoom) -> str:
    if row.is_alive and not is_welcome(row.beat.build, room.expected_build):
        return "other build"
    return row.word


def _running_for(row: LivingProcess, room: ControlRoom) -> str:
    return cells.age_words((room.now - row.beat.started_at).total_seconds())


def stream_cell(stream: StreamStanding, now: datetime) -> tuple[str, str, str]:
    """The word for a private stream; for how long it is live, or nobody has heard of it; and why."""
    if not stream.is_expected:
        return stream.word, "", ""
    since = stream.live_since if stream.is_live else stream.heard_at
    age = cells.age_words((now - since).total_seconds()) if since else ""
    if stream.is_live:
        return stream.word, f"for {age}", ""
    return stream.word, f"unheard for {age}" if age else "", stream.reason


def _breaks(room: ControlRoom) -> Table:
    rows = [
        [
            cells.row_link("break", row.pk, f"{row.kind} {row.subject}"),
            cells.exact(row.ours),
            cells.exact(row.theirs),
            row.account.name,
            cells.age(row.since),
        ]
        for row in room.breaks
    ]
    url = cells.page_url("break", "changelist")
    return Table(
        "Open breaks",
        ["What", "#Ours", "#The venue's", "Account", "Since"],
        rows,
        empty="Books and venue agree.",
        more_url=url,
    )


def _algos(room: ControlRoom) -> Table:
    return algos_table(living_title(room.algo_counts), room.algos, room.now, query="?state=living")


def _trail(room: ControlRoom) -> Table:
    rows = [
        [
            cells.age(entry.at),
            cells.row_link("auditentry", entry.pk, entry.kind),
            entry.actor,
            object_cell(entry),
            cells.muted(summary(entry)),
        ]
        for entry in room.entries
    ]
    url = cells.page_url("auditentry", "changelist")
    return Table(
        "Last audit entries",
        ["When", "What", "Who", "Object", "Details"],
        rows,
        empty="Nothing has happened yet.",
        more_url=url,
    )
