"""One order's page: what was asked, why it was allowed or denied, what went over the wire, what became of it.

Everything is shown as recorded; requests and answers were redacted before they were stored.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html

from trading.domain.denials import DenialCode, explain_reason
from trading.domain.enums import OrderStatus
from trading.domain.money import divide
from trading.domain.order_states import TERMINAL
from trading.models import Decision, Order, OrderAttempt
from trading.queries.timeline import OrderHistory, read_history

from . import cells
from .algo_cells import kind_word
from .forms import ResolveForm
from .life_picture import draw_life
from .page import Ask, Detail, Facts, Table

EXPLANATIONS = {code.value: code.explanation for code in DenialCode}


def describe_order(request: HttpRequest, order: Order) -> Detail:
    history = read_history(order)
    side: list[Any] = [_resolve(order)] if _may_resolve(request, order) else []
    side += [_cancel(order)] if _may_cancel(request, order) else []
    return Detail(
        title=f"{order.side} {order.instrument.symbol}",
        badges=[cells.badge(order.status), *_cancel_badge(order)],
        lead=explain_reason(order.status_reason),
        sections=[
            _asked(order),
            *draw_life(history.stages),
            _decision(history.decision),
            _fills(order, history),
            _attempts(history.attempts),
        ],
        side=[*side, _numbers(order), _names(order)],
        extra={"history": history, "longest_gap": max((e.gap or 0 for e in history.events), default=0)},
    )


def _may_cancel(request: HttpRequest, order: Order) -> bool:
    return order.status not in TERMINAL and request.user.has_perm("trading.cancel_order")


def _cancel_badge(order: Order) -> list[Any]:
    under_way = order.cancel_state != "none"
    return (
        [cells.badge(f"cancel {order.cancel_state}", cells.tone_of(order.cancel_state))] if under_way else []
    )


def _cancel(order: Order) -> Ask:
    return Ask(
        title="Cancel",
        url=cells.page_url("order", "cancel", order.pk),
        button="Cancel this order",
        tone="quiet-bad",
        why="Asks the venue to end the order. What is filled by then stays filled.",
    )


def _may_resolve(request: HttpRequest, order: Order) -> bool:
    return order.status == OrderStatus.QUARANTINED and request.user.has_perm("trading.resolve_order")


def _resolve(order: Order) -> Ask:
    return Ask(
        title="Resolve the quarantine",
        url=cells.page_url("order", "resolve", order.pk),
        button="Resolve by my word",
        form=ResolveForm(),
        why="Look on the venue's own page first. What the venue shows when it is asked now wins over your word; "
        "until then the order counts in full. If it turns up later, it is reopened and the account halts.",
    )


def _asked(order: Order) -> Facts:
    asset, quote = order.instrument.base_asset, order.instrument.quote_asset
    average = divide(order.filled_notional, order.filled_quantity) if order.filled_quantity else None
    wanted = (
        cells.exact(order.quantity, asset)
        if order.quantity is not None
        else cells.exact(order.quote_quantity, quote)
    )
    return Facts(
        "",
        [
            ("Side", cells.badge(order.side)),
            (
                "Type",
                f"{order.order_type} {order.time_in_force}" + (", reduce-only" if order.reduce_only else ""),
            ),
            ("Quantity", wanted),
            ("Price", cells.exact(order.price, quote) if order.price is not None else "market"),
            ("Filled", cells.exact(order.filled_quantity, asset)),
            ("Average price", cells.average(average, quote)),
            ("Filled notional", cells.exact(order.filled_notional, quote)),
            ("Last price at decision", cells.exact(order.reference_price, quote)),
        ],
    )


def _decision(decision: Decision | None) -> Table:
    if decision is None:
        return Table(
            "Decision", [], [], empty="No decision is recorded: this order did not come through Levi."
        )
    verdict = (
        "allowed"
        if decision.allowed
        else "denied: " + ", ".join(str(code).replace("_", " ") for code in decision.codes)
    )
    limits = f"limits v{decision.limits_version_id}" if decision.limits_version_id else "no limits in force"
    return Table(
        f"Decision: {verdict}",
        ["Check", "Verdict", "#Observed", "#Limit", "Note"],
        check_rows(decision.checks),
        note=format_html("{}, epoch {}, {}", limits, decision.epoch, cells.when(decision.at)),
    )


def check_rows(checks: list[dict[str, Any]]) -> list[list[Any]]:
    """The same table for a recorded decision and for a dry run: broken checks first."""
    ordered = sorted(checks, key=lambda check: bool(check.get("passed")))
    return [_check_row(check) for check in ordered]


def _check_row(check: dict[str, Any]) -> list[Any]:
    passed = bool(check.get("passed"))
    why = "" if passed else explain(str(check.get("code", "")))
    said = " ".join(filter(None, (why, check.get("note"))))
    age = check.get("age_seconds")
    note = (f"{said} ({age} s old)" if said else f"{age} s old") if age else said
    return [
        str(check.get("rule", "")).replace("_", " "),
        cells.badge("passed" if passed else "failed"),
        check.get("observed") or cells.NOTHING,
        check.get("limit") or cells.NOTHING,
        note,
    ]


def explain(code: str) -> str:
    """The sentence of a denial code; a code of another version stands for itself."""
    return EXPLANATIONS.get(code, code)


def _fills(order: Order, history: OrderHistory) -> Table:
    rows = [
        [
            cells.when(fill.filled_at),
            cells.exact(fill.quantity),
            cells.exact(fill.price),
            cells.exact(fill.notional),
            cells.exact(fill.fee, fill.fee_asset),
            "maker" if fill.is_maker else "taker",
            cells.row_link("fill", fill.pk, fill.venue_fill_id),
        ]
        for fill in history.fills
    ]
    headers = ["Time", "#Quantity", "#Price", "#Notional", "#Fee", "Role", "The venue's id"]
    return Table("Fills", headers, rows, empty="Nothing is filled.")


def _attempts(attempts: list[OrderAttempt]) -> Table:
    rows = [
        [
            attempt.number,
            cells.when(attempt.permit_at),
            cells.duration((attempt.finished_at - attempt.sent_at).total_seconds())
            if attempt.sent_at and attempt.finished_at
            else cells.NOTHING,
            cells.badge((attempt.outcome or "under way").replace("_", " ")),
            attempt.http_status or cells.NOTHING,
            _wire(attempt),
        ]
        for attempt in attempts
    ]
    headers = ["No.", "Permit", "#Took", "Outcome", "HTTP", "Request and answer, redacted"]
    return Table("Attempts", headers, rows, empty="Nothing was sent.")


def _wire(attempt: OrderAttempt) -> Any:
    said = " · ".join(filter(None, (attempt.venue_code, attempt.detail)))
    return format_html(
        '<details class="lv-wire"><summary>{}</summary><pre class="lv-code">{}\n\n{}</pre></details>',
        said or attempt.request or "show",
        attempt.request or "no request was written",
        attempt.answer or "no answer",
    )


def _numbers(order: Order) -> Facts:
    return Facts(
        "Times",
        [
            ("Created", cells.when(order.created_at)),
            ("Permit", cells.when(order.permit_at)),
            ("Acknowledged", cells.when(order.acknowledged_at)),
            ("Finished", cells.when(order.finished_at)),
            ("Expires if unsent", cells.when(order.expires_at)),
            *([("In doubt since", cells.when(order.doubt_since))] if order.doubt_since else []),
            *([("Next look", cells.when(order.next_action_at))] if order.next_action_at else []),
        ],
    )


def _names(order: Order) -> Facts:
    signal = order.signal
    return Facts(
        "Origin and ids",
        [
            ("Asked by", order.actor),
            ("Origin", order.origin),
            ("Account", cells.row_link("exchangeaccount", order.account_id, order.account.name)),
            (
                "Strategy",
                cells.row_link("strategy", order.strategy_id, order.strategy)
                if order.strategy
                else cells.NOTHING,
            ),
            *([("Algo", parent[0])] if (parent := parent_of(order)) else []),
            ("Signal", cells.row_link("signal", signal.pk, signal.key[:40]) if signal else cells.NOTHING),
            ("Order id", cells.mono(order.pk)),
            ("Client order id", cells.mono(order.client_order_id)),
            ("The venue's id", cells.mono(order.exchange_order_id)),
            ("Request id", cells.mono(order.request_id)),
        ],
    )


def parent_of(order: Order) -> list[Any]:
    """The link to the algo that made it, with which child it is; empty for every other order."""
    child = getattr(order, "algo_child", None)
    if child is None:
        return []
    return [cells.row_link("algo", child.algo_id, f"{kind_word(child.algo)}, child {child.number}")]
