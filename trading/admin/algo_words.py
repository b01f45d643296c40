"""Why an algo is in its state, what it waits for, and what a person can do next: in words.

Facts come from the rows; nothing here decides. What may be pressed is asked for again by the verbs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.utils.html import format_html

from trading.domain.algo_states import LIVING
from trading.domain.denials import explain_reason
from trading.domain.enums import AlgoKind, AlgoState, Side
from trading.domain.money import plain
from trading.execution.algos.halting import why_halted
from trading.models import Algo
from trading.queries.algos import AlgoProgress, ends_at, has_schedule, read_plan

from . import cells
from .algo_cells import behind_words, is_late, percent_words, progress_bar

START, STOP = "trading.start_algo", "trading.stop_algo"


@dataclass(frozen=True, slots=True)
class AlgoButton:
    word: str
    url: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class AlgoNow:
    """The head of an algo's page: how far, whether late, why, what next, and the buttons for who may press them."""

    percent: str
    filled: str
    bar: Any
    schedule: str
    is_late: bool
    when: Any
    why: Any
    next: Any
    is_stuck: bool
    buttons: list[AlgoButton]
    template: str = "panel/section_algo_now.html"


def describe_now(algo: Algo, progress: AlgoProgress, now: datetime, *, may: set[str]) -> AlgoNow:
    """`may`: the rights that the person holds of starting and stopping."""
    halted = why_halted(algo) if algo.state == AlgoState.PAUSED else ""
    asset = algo.instrument.base_asset
    return AlgoNow(
        percent=percent_words(algo, progress.filled),
        filled=f"{plain(progress.filled)} of {plain(algo.quantity)} {asset} filled",
        bar=progress_bar(algo, progress),
        schedule=_schedule(algo, progress),
        is_late=is_late(algo, progress),
        when=_when(algo, now),
        why=_why(algo, progress, now),
        next=_next(algo, progress, halted, may),
        is_stuck=algo.state in (AlgoState.PAUSED, AlgoState.EXPIRED, AlgoState.DENIED),
        buttons=_buttons(algo, halted, may),
    )


def tell_task(algo: Algo) -> str:
    """What it was asked to do, for who does not know what its kind is called."""
    asset, quote = algo.instrument.base_asset, algo.instrument.quote_asset
    does = "Buys" if algo.side == Side.BUY else "Sells"
    span = f" over {span_words(algo.duration_seconds)}" if algo.duration_seconds else ""
    price = "at the market's price" if algo.price is None else f"at {plain(algo.price)} {quote} or better"
    if algo.kind == AlgoKind.ICEBERG:
        shows = f"showing {plain(algo.visible_quantity or algo.quantity)} {asset} at a time"
        return f"{does} {plain(algo.quantity)} {asset} {price}, {shows}{f',{span} at most' if span else ''}."
    how = "evenly" if algo.kind == AlgoKind.TWAP else "as the market usually trades,"
    return f"{does} {plain(algo.quantity)} {asset} {how}{span}, in {len(read_plan(algo))} slices, {price}."


def span_words(seconds: Decimal | int) -> str:
    """90 s, 6 min 40 s, 2 h, 1 d 6 h."""
    whole = int(seconds)
    parts = []
    for size, name in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        if count := whole // size:
            parts.append(f"{count} {name}")
        whole %= size
    return " ".join(parts[:2]) or f"{plain(Decimal(seconds))} s"


def _schedule(algo: Algo, progress: AlgoProgress) -> str:
    if algo.state not in LIVING:
        return ""
    asset = algo.instrument.base_asset
    if not has_schedule(algo):
        return (
            f"{plain(progress.alive)} {asset} in the book now"
            if progress.alive
            else "nothing in the book now"
        )
    alive = f", {plain(progress.alive)} ordered and not ended" if progress.alive else ""
    said = f"schedule {plain(progress.scheduled)} {asset} by now{alive}"
    return ": ".join(filter(None, (said, behind_words(algo, progress))))


def _when(algo: Algo, now: datetime) -> Any:
    if algo.finished_at is not None:
        return format_html("ended {}", cells.when(algo.finished_at))
    if algo.start_at > now:
        return format_html("begins {}", cells.when(algo.start_at))
    end = ends_at(algo, now)
    if end is None:
        return "no end: until all of it is filled"
    if algo.state == AlgoState.PAUSED:
        left = span_words(int((end - now).total_seconds()))
        return f"{left} of its time left, which stands still"
    return format_html("its time ends {}", cells.when(end))


def _why(algo: Algo, progress: AlgoProgress, now: datetime) -> Any:
    reason = explain_reason(algo.state_reason)
    match AlgoState(algo.state):
        case AlgoState.RUNNING if algo.start_at > now:
            return "Nothing is ordered before it begins."
        case AlgoState.RUNNING:
            waiting = f"{_capital(explain_reason(algo.waiting_for))}." if algo.waiting_for else ""
            return " ".join(filter(None, (_late(algo, progress), waiting or "It looks for its next step.")))
        case AlgoState.PAUSED:
            return format_html(
                "Paused since {}: {}.", cells.when(algo.state_since), reason or "no reason is noted"
            )
        case AlgoState.CANCELING:
            alive = f"{plain(progress.alive)} {algo.instrument.base_asset} of it may still be filled"
            return (
                f"No new child is made ({reason}). It ends when the venue has ended what is alive: {alive}."
            )
        case AlgoState.COMPLETED:
            return f"It did what it was asked to{f': {reason}' if reason else ''}."
        case AlgoState.EXPIRED:
            return f"Its time was over before its quantity was: {reason}. What is left was not dumped on the market."
        case AlgoState.CANCELED:
            return f"Ended before its time: {reason}."
        case AlgoState.DENIED:
            return f"The rules said no, and nothing was ordered: {reason}"


def _late(algo: Algo, progress: AlgoProgress) -> str:
    return "It catches up by at most twice its largest slice at a time." if is_late(algo, progress) else ""


def _next(algo: Algo, progress: AlgoProgress, halted: str, may: set[str]) -> Any:
    match AlgoState(algo.state):
        case AlgoState.RUNNING if STOP in may:
            return "Pause holds it and takes what it has in the book out; cancel ends it. What is filled stays filled."
        case AlgoState.PAUSED if halted:
            return format_html(
                "It cannot be resumed while a halt stands: {}. {}; after its release a person resumes it here.",
                halted,
                cells.link(cells.page_url("haltstate", "changelist"), "See the halt"),
            )
        case AlgoState.PAUSED if START in may:
            moves = (
                " The rest of its schedule moves by the length of the pause." if has_schedule(algo) else ""
            )
            return f"Resume goes on where it stopped.{moves}"
        case AlgoState.PAUSED:
            return "It stays so until somebody with the role trader resumes it."
        case AlgoState.CANCELING:
            return "There is nothing to do."
        case AlgoState.EXPIRED | AlgoState.CANCELED if START in may and progress.left:
            return cells.link(
                again_url(algo, progress.left), f"A new algo for the rest, {plain(progress.left)}"
            )
        case AlgoState.DENIED if START in may:
            return cells.link(again_url(algo, algo.quantity), "Change it and try again")
        case AlgoState.DENIED:
            return "The checks below say what was seen and what is allowed."
        case _:
            return ""


def again_url(algo: Algo, quantity: Decimal) -> str:
    """The ticket, filled in with the same again for this quantity."""
    given = {
        "kind": algo.kind,
        "account": algo.account.name,
        "symbol": algo.instrument.symbol,
        "side": algo.side,
        "quantity": plain(quantity),
        "price": plain(algo.price) if algo.price is not None else "",
        "duration": str(algo.duration_seconds or ""),
        "duration_unit": "seconds" if algo.duration_seconds else "",
        "slices": str(len(read_plan(algo))) if algo.kind == AlgoKind.TWAP else "",
        "visible_quantity": plain(algo.visible_quantity) if algo.visible_quantity is not None else "",
        "strategy": algo.strategy.name if algo.strategy else "",
        "reduce_only": "on" if algo.reduce_only else "",
    }
    known = {name: value for name, value in given.items() if value}
    return f"{cells.page_url('algo', 'ticket')}?{urlencode(known)}"


def _buttons(algo: Algo, halted: str, may: set[str]) -> list[AlgoButton]:
    def url(page: str) -> str:
        return cells.page_url("algo", page, algo.pk)

    buttons = []
    if algo.state == AlgoState.RUNNING and STOP in may:
        buttons.append(AlgoButton("Pause", url("pause")))
    if algo.state == AlgoState.PAUSED and START in may and not halted:
        buttons.append(AlgoButton("Resume", url("resume"), "good"))
    if algo.state in (AlgoState.RUNNING, AlgoState.PAUSED) and STOP in may:
        buttons.append(AlgoButton("Cancel the rest", url("cancel"), "quiet-bad"))
    return buttons


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
