"""Algos where they are not the subject: the living ones in the control room and on the kill switch, a strategy's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from trading.domain.algo_states import LIVING
from trading.domain.denials import explain_reason
from trading.domain.enums import AlgoState
from trading.models import Algo
from trading.queries.algos import read_progress

from . import cells
from .algo_cells import algo_link, progress_cell, state_badge
from .page import Table

MOST = 8
_HEADERS = ["Algo", "State", "How far", "Since", "Why"]


def algos_table(
    title: str, rows: Sequence[Algo], now: datetime, *, empty: str = "", note: str = "", query: str = ""
) -> Table:
    """One query for how far all of them are."""
    progress = read_progress(rows, now) if rows else {}
    lines = [
        [
            algo_link(algo),
            state_badge(algo),
            progress_cell(algo, progress[algo.pk], with_reason=False),
            cells.age(algo.state_since),
            _why(algo),
        ]
        for algo in rows
    ]
    return Table(title, _HEADERS, lines, empty, note, f"{cells.page_url('algo', 'changelist')}{query}")


def _why(algo: Algo) -> Any:
    reason = algo.waiting_for if algo.state == AlgoState.RUNNING else algo.state_reason
    return explain_reason(reason) if reason else cells.NOTHING


def living_title(counts: Mapping[str, int]) -> str:
    """How many run and how many do not: "Algos: 2 running, 1 paused"."""
    said = [f"{counts[state]} {state}" for state in AlgoState if counts.get(state)]
    return f"Algos: {', '.join(said)}" if said else "Algos"


def newest_of(rows: QuerySet[Algo]) -> list[Algo]:
    return list(
        rows.select_related("account", "instrument", "strategy").order_by("-created_at", "-id")[:MOST]
    )


def living_of(rows: QuerySet[Algo]) -> list[Algo]:
    return newest_of(rows.filter(state__in=sorted(LIVING)))


def halted_note(counts: Mapping[str, int]) -> str:
    """What a halt means for them, in the numbers of now."""
    running, paused = counts.get(AlgoState.RUNNING, 0), counts.get(AlgoState.PAUSED, 0)
    stops = f"A halt of everything would pause {running} of them" if running else "None of them is running"
    wakes = f"; {paused} paused now, which no release wakes" if paused else ""
    return (
        f"{stops}{wakes}. A halt of its account, symbol or strategy pauses an algo, and takes nothing of it up again: "
        "a person resumes it on its page after the release."
    )
