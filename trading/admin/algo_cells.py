"""How an algo looks wherever it is named: its state, how far it is against its schedule, what its prices cost.

Pure functions from rows and numbers to cells. Late is said in words; the colour only repeats it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from trading.domain.algo_plans import slice_quantities
from trading.domain.algo_states import LIVING
from trading.domain.enums import AlgoKind, AlgoState
from trading.domain.money import divide, multiply, plain
from trading.models import Algo
from trading.queries.algos import AlgoProgress, has_schedule, read_plan

from . import cells

_TONES = {
    AlgoState.RUNNING: "busy",
    AlgoState.PAUSED: "warn",
    AlgoState.CANCELING: "busy",
    AlgoState.COMPLETED: "good",
    AlgoState.EXPIRED: "warn",
    AlgoState.DENIED: "bad",
}
KIND_WORDS = {AlgoKind.TWAP: "TWAP", AlgoKind.VWAP: "VWAP", AlgoKind.ICEBERG: "Iceberg"}


def kind_word(algo: Algo) -> str:
    return KIND_WORDS[AlgoKind(algo.kind)]


def name_of(algo: Algo) -> str:
    return f"{kind_word(algo)} {algo.side} {algo.instrument.symbol}"


def algo_link(algo: Algo) -> SafeString:
    return cells.row_link("algo", algo.pk, name_of(algo))


def state_badge(algo: Algo) -> SafeString:
    return cells.badge(algo.state, _TONES.get(AlgoState(algo.state), "calm"))


def share_of(algo: Algo, quantity: Decimal) -> Decimal:
    """Percent of the algo's quantity."""
    return divide(quantity * 100, algo.quantity)


def percent_words(algo: Algo, quantity: Decimal) -> str:
    """In whole percent; never 100 before it is all, never 0 once something is there."""
    share = share_of(algo, quantity)
    if share <= 0 or share >= 100:
        return f"{min(max(share, Decimal(0)), Decimal(100)):.0f} %"
    return f"{min(max(share, Decimal(1)), Decimal(99)):.0f} %"


def is_late(algo: Algo, progress: AlgoProgress) -> bool:
    """By more than one planned slice: what is due this moment is not late yet."""
    if algo.state != AlgoState.RUNNING or not has_schedule(algo):
        return False
    return progress.behind > max(slice_quantities(read_plan(algo)))


def behind_words(algo: Algo, progress: AlgoProgress) -> str:
    """Empty where there is no schedule to be behind of, any more or at all."""
    if algo.state != AlgoState.RUNNING or not has_schedule(algo):
        return ""
    if not progress.behind:
        return "on schedule"
    return f"{plain(progress.behind)} {algo.instrument.base_asset} behind"


def progress_words(algo: Algo, progress: AlgoProgress) -> str:
    done = f"{percent_words(algo, progress.filled)} of {plain(algo.quantity)} {algo.instrument.base_asset}"
    return ", ".join(filter(None, (done, behind_words(algo, progress))))


def progress_bar(algo: Algo, progress: AlgoProgress) -> SafeString:
    """What is filled as a bar; the mark stands where the schedule is now."""
    due = share_of(algo, progress.scheduled) if algo.state in LIVING and has_schedule(algo) else None
    said = f"{percent_words(algo, progress.filled)} filled"
    said += f", {percent_words(algo, progress.scheduled)} scheduled by now" if due is not None else ""
    mark = (
        "" if due is None else format_html('<rect class="lv-due" x="{}%"/>', f"{min(due, Decimal(99)):.1f}")
    )
    return format_html(
        '<svg class="lv-bar lv-progress lv-progress-{}" role="img" aria-label="{}">'
        '<rect class="lv-bar-fill" width="{}%" height="100%"/>{}</svg>',
        _bar_tone(algo, progress),
        said,
        f"{min(share_of(algo, progress.filled), Decimal(100)):.1f}",
        mark,
    )


def _bar_tone(algo: Algo, progress: AlgoProgress) -> str:
    if algo.state == AlgoState.COMPLETED:
        return "good"
    if algo.state in (AlgoState.PAUSED, AlgoState.EXPIRED) or is_late(algo, progress):
        return "warn"
    return "busy" if algo.state in LIVING else "calm"


def progress_cell(algo: Algo, progress: AlgoProgress, *, with_reason: bool = True) -> SafeString:
    """With the reason where it stands still."""
    reason = algo.state_reason if with_reason and algo.state == AlgoState.PAUSED else ""
    return format_html(
        '<span class="lv-far">{}<span class="lv-far-words">{}</span>{}</span>',
        progress_bar(algo, progress),
        progress_words(algo, progress),
        format_html('<span class="lv-far-why">{}</span>', reason) if reason else "",
    )


def slippage_words(bps: Decimal) -> str:
    size = f"{abs(bps):.1f}"
    return "0.0 bps" if size == "0.0" else f"{size} bps {'worse' if bps > 0 else 'better'}"


def slippage_cell(bps: Decimal | None) -> Any:
    if bps is None:
        return cells.NOTHING
    tone = "lv-down" if bps > 0 else "lv-up" if bps < 0 else ""
    return format_html('<span class="lv-num {}" title="{}">{}</span>', tone, plain(bps), slippage_words(bps))


def cost_of(algo: Algo, progress: AlgoProgress) -> Decimal | None:
    """What the slippage came to in quote units; less than nothing is a gain."""
    if progress.slippage_bps is None or algo.arrival_price is None:
        return None
    at_arrival = multiply(progress.filled, algo.arrival_price)
    return divide(multiply(at_arrival, progress.slippage_bps), Decimal(10_000))
