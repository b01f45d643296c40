"""The ticket of an algo: check first, then start, and never twice.

Check asks `preview_algo`, which writes nothing, and shows the plan it would follow with what every rule says of one
child and of the whole. Start sends exactly what was checked, under a token that is good once. Works without JavaScript.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils import timezone

from trading.domain.enums import AlgoKind, Side
from trading.domain.errors import LeviError
from trading.domain.money import add, exact_arithmetic, multiply
from trading.execution.algos import preview_algo, start_algo

from . import cells
from .acting import actor_of, go, pass_on
from .algo_cells import KIND_WORDS
from .algo_form import AlgoForm
from .algo_page import checks_table
from .algo_pictures import pieces_chart, plan_chart
from .algo_words import START, span_words
from .charts import Chart
from .filters import traded_symbols
from .page import Detail, Facts, Page, demand
from .ticket_token import issue_token, read_token

_MOST_PIECES = 100


@dataclass(frozen=True, slots=True)
class PlanShown:
    """What a check answered, for eyes."""

    decision: str
    side: str
    sentence: str
    confirm: str
    facts: Facts
    charts: list[Chart]


def show_plan(answer: dict[str, Any]) -> PlanShown:
    asset, quote = answer["symbol"].partition("/")[0], answer["quote_asset"]
    kind, quantity = AlgoKind(answer["kind"]), Decimal(answer["quantity"])
    seconds, count = answer["duration_seconds"], _children_of(answer)
    over = f" over {span_words(seconds)}" if seconds else ""
    at = f" at {answer['price']} or better" if answer["price"] else ""
    what = f"{answer['quantity']} {answer['symbol']}"
    children = f"{count} {'child' if count == 1 else 'children'}"
    rows: list[tuple[str, Any]] = [
        ("Quantity", _rounded(answer["quantity"], answer["asked_quantity"], asset)),
        ("Children, as planned", f"{count}, the largest {answer['largest_child']} {asset}"),
        (
            "Worst price",
            _rounded(answer["price"], answer["asked_price"], quote) if answer["price"] else "market",
        ),
        ("Last price", cells.exact(_number_of(answer["arrival_price"]), quote)),
        ("Notional", cells.exact(_number_of(answer["notional"]), quote)),
        ("Fee, at most about", cells.exact(_number_of(answer["fee_estimate"]), quote)),
        ("Starts", _start_words(datetime.fromisoformat(answer["start_at"]))),
        (
            "Its time ends",
            cells.when(_instant(answer["ends_at"])) if answer["ends_at"] else "when all is filled",
        ),
        *([("Weights from", answer["profile_source"])] if answer["profile_source"] else []),
    ]
    worth = f"{answer['notional']} {quote}" if answer["notional"] else "an unknown notional"
    return PlanShown(
        decision=answer["decision"],
        side=answer["side"],
        sentence=f"{what} as {KIND_WORDS[kind]}: {children}{over}{at}, on {answer['account']}",
        confirm=f"{answer['side']} {what} in {children}{over}, worth {worth}",
        facts=Facts("", rows),
        charts=_charts(kind, answer, asset, quantity),
    )


def _children_of(answer: dict[str, Any]) -> int:
    if answer["visible_quantity"]:
        with exact_arithmetic():
            whole, rest = divmod(Decimal(answer["quantity"]), Decimal(answer["visible_quantity"]))
        return int(whole) + (rest > 0)
    return sum(Decimal(piece["quantity"]) > 0 for piece in answer["plan"])


def _charts(kind: AlgoKind, answer: dict[str, Any], asset: str, quantity: Decimal) -> list[Chart]:
    if kind is AlgoKind.ICEBERG:
        count, visible = _children_of(answer), Decimal(answer["visible_quantity"])
        pieces = [
            min(visible, add(quantity, -multiply(visible, Decimal(number))))
            for number in range(min(count, _MOST_PIECES))
        ]
        return [pieces_chart(pieces, asset)]
    points = [(datetime.fromisoformat(piece["at"]), Decimal(piece["target"])) for piece in answer["plan"]]
    charts = [plan_chart(points, _instant(answer["ends_at"]), asset, quantity)]
    if kind is AlgoKind.VWAP:
        charts.append(pieces_chart([Decimal(piece["quantity"]) for piece in answer["plan"]], asset))
    return charts


def _rounded(taken: str, asked: str | None, unit: str) -> Any:
    shown = cells.exact(Decimal(taken), unit)
    return shown if asked in (taken, None) else cells.stack([shown, f"rounded from {asked}"])


def _number_of(text: str | None) -> Decimal | None:
    return Decimal(text) if text else None


def _start_words(at: datetime) -> Any:
    return cells.when(at) if at > timezone.now() else "at once"


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


class AlgoTicketPages:
    """Mixed into the algos' screen: GET shows the empty ticket, POST checks or starts."""

    admin_site: Any

    def pages(self) -> Sequence[Page]:
        return [("new/", "ticket", self.ticket_view)]

    def ticket_view(self, request: HttpRequest) -> HttpResponse:
        demand(request, START)
        if request.method in ("GET", "HEAD"):
            return self._show_ticket(request, AlgoForm(initial=_initial(request)))
        if request.method != "POST":
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        form = AlgoForm(request.POST)
        if not form.is_valid():
            return self._show_ticket(request, form, status=400)
        is_start = request.POST.get("step") == "start"
        return self._start(request, form) if is_start else self._check(request, form)

    def _check(self, request: HttpRequest, form: AlgoForm) -> HttpResponse:
        body = form.body()
        try:
            answer = preview_algo(body, actor=actor_of(request))
        except LeviError as error:
            pass_on(error)
            return self._refuse(request, form, error)
        given = {name: request.POST[name] for name in form.fields if request.POST.get(name)}
        return self._show_ticket(request, form, answer=answer, given=given, token=issue_token(request, body))

    def _start(self, request: HttpRequest, form: AlgoForm) -> HttpResponse:
        if request.POST.get("confirmed") != "on":
            messages.error(request, "Confirm quantity, notional and mode first. Nothing was started.")
            return self._check(request, form)
        body = form.body()
        key = read_token(request, body, what="algo", send="start")
        if key is None:
            return self._show_ticket(request, form, status=409)
        try:
            done = start_algo(body, actor=actor_of(request), key=key)
        except LeviError as error:
            pass_on(error)
            return self._refuse(request, form, error)
        _tell(request, done.answer, repeated=done.repeated)
        return go("algo", "change", done.algo.pk)

    def _refuse(self, request: HttpRequest, form: AlgoForm, error: LeviError) -> HttpResponse:
        field = str(error.context.get("field", "")).replace("duration_seconds", "duration")
        form.add_error(field if field in form.fields else None, str(error))
        return self._show_ticket(request, form, status=400)

    def _show_ticket(
        self, request: HttpRequest, form: AlgoForm, status: int = 200, **extra: Any
    ) -> HttpResponse:
        page = Detail(
            title="New algo",
            lead="Check shows the plan and what every rule says; it writes nothing. Start does what was checked, once.",
            extra={"form": form, "symbols": traded_symbols(), "mode": settings.LEVI_MODE},
        )
        if answer := extra.get("answer"):
            extra["shown"] = show_plan(answer)
            extra["checks"] = checks_table(answer["checks"], "What is asked")
        if request.headers.get("X-Levi-Fragment") == "1" and status == 400:
            status = 200  # half-typed is no mistake: the page's own script asks after every few keys
        return self.show(request, "panel/algo_ticket.html", page, status=status, **extra)  # type: ignore[attr-defined]


def _initial(request: HttpRequest) -> dict[str, Any]:
    """A link may fill the ticket in ("the rest of this one"); it never checks or starts."""
    proposed = {"kind": AlgoKind.TWAP, "side": Side.BUY, "duration_unit": "minutes"}
    given = {name: request.GET[name] for name in AlgoForm.base_fields if request.GET.get(name)}
    return {**proposed, "symbol": (traded_symbols() or [""])[0], **given}


def _tell(request: HttpRequest, answer: dict[str, Any], *, repeated: bool) -> None:
    if repeated:
        messages.info(request, "This algo was started already; nothing was started a second time.")
    elif answer.get("decision") == "denied":
        messages.warning(request, "Denied: nothing was ordered. The checks below say why.")
    else:
        messages.success(request, "Started. This page follows it.")
