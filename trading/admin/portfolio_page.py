"""The portfolio at one look: per account its worth, the day, drawdown, balances with their value, fees and transfers.

Shows what is stored and what it is worth at the last prices; unknown is a dash, never a zero.
A sync is a button, because it talks to the venue.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Sum
from django.http import HttpRequest
from django.utils import timezone

from trading.domain.enums import HaltScope
from trading.domain.money import add
from trading.models import TRANSFERS, Balance, ExchangeAccount, Movement, MovementKind
from trading.queries.equity import read_daily_bars, read_drawdown, read_halt_spans
from trading.queries.pictures import RANGES, read_curve, read_results
from trading.queries.portfolio import daily_pnl, equity_now
from trading.queries.valuation import PriceTable, day_start

from . import cells
from .charts import Chart
from .page import Ask, Detail, Facts, Table
from .room_charts import equity_chart, results_chart

SYNC = "trading.change_exchangeaccount"
DAYS = 7
TOPICS = "positions,fills,halts"


def describe_portfolio(request: HttpRequest) -> Detail:
    accounts = list(ExchangeAccount.objects.filter(mode=settings.LEVI_MODE).order_by("-is_default", "name"))
    currency = settings.LEVI_CONFIG.books.reporting_currency
    sections: list[Facts | Table | Ask | Chart] = _pictures(request.GET.get("range", ""))
    for account in accounts:
        prices = PriceTable(account)
        sections += [_worth(account), _balances(account, prices)]
    sections += [_days([account for account in accounts if account.is_enabled]), _movements(accounts)]
    may_sync = request.user.has_perm(SYNC)
    side = [_sync(account) for account in accounts] if may_sync else []
    lead = f"Valued in {currency} at last prices. The day began {day_start():%Y-%m-%d %H:%M} UTC."
    return Detail(title="Portfolio", lead=lead, sections=sections, side=side, extra={"topics": TOPICS})


def _pictures(span_name: str) -> list[Facts | Table | Ask | Chart]:
    """All enabled accounts together: the curve with its halts, and what every day brought."""
    span_name, now = span_name if span_name in RANGES else "day", timezone.now()
    curve = read_curve(now, RANGES[span_name])
    halts = read_halt_spans(curve[0].at if curve else now, scope=HaltScope.EVERYTHING)
    return [equity_chart(curve, halts, span_name), results_chart(read_results(now))]


def _worth(account: ExchangeAccount) -> Facts:
    worth, drawdown = equity_now(account), read_drawdown(account)
    fell: Any = cells.NOTHING
    if drawdown is not None:
        fell = cells.stack([cells.percent(drawdown.percent), cells.dollars(drawdown.amount)])
    return Facts(
        account.name,
        [
            ("Equity", cells.dollars(worth.equity if worth else None)),
            ("PnL of the day, without transfers", cells.gain(daily_pnl(account))),
            ("Below its peak", fell),
            ("Cash", cells.dollars(worth.cash if worth else None)),
            ("Other assets", cells.dollars(worth.positions_value if worth else None)),
            ("Without a price", ", ".join(worth.unpriced) if worth and worth.unpriced else cells.NOTHING),
            ("Fees of the day", _fees_today(account)),
            ("Last complete sync", cells.age(account.synced_at)),
        ],
    )


def _fees_today(account: ExchangeAccount) -> Any:
    fees = Movement.objects.filter(
        account=account, kind__in=(MovementKind.FEE, MovementKind.REBATE), booked_at__gte=day_start()
    )
    sums = fees.order_by().values_list("asset").annotate(Sum("quantity"))
    rows = [cells.exact(quantity.copy_negate(), asset) for asset, quantity in sums if quantity]
    return cells.stack(rows) if rows else cells.NOTHING


def _balances(account: ExchangeAccount, prices: PriceTable) -> Table:
    rows = []
    for row in Balance.objects.filter(account=account).order_by("asset"):
        total = add(row.free, row.locked)
        if not total and not row.drift:
            continue
        value = prices.value(row.asset, total)
        rows.append(
            [
                cells.row_link("balance", row.pk, row.asset),
                cells.exact(total),
                cells.exact(row.free),
                cells.exact(row.locked) if row.locked else cells.NOTHING,
                cells.dollars(value),
                cells.exact(row.drift) if row.drift else cells.NOTHING,
            ]
        )
    return Table(
        f"Balances of {account.name}",
        ["Asset", "#Total", "#Free", "#Locked", "#Value", "#Unexplained"],
        rows,
        empty="Nothing is held, or the account was never synced.",
    )


def _days(accounts: list[ExchangeAccount]) -> Table:
    """The result is the one that the strip, the bars and the loss limit know: since the last equity before the day."""
    results = {row.date: row.pnl for row in read_results(timezone.now())}
    rows = [
        [
            f"{bar.day}",
            cells.dollars(bar.first),
            cells.dollars(bar.last),
            cells.dollars(bar.low),
            cells.dollars(bar.high),
            cells.gain(results.get(bar.day)),
        ]
        for bar in reversed(read_daily_bars(accounts, DAYS))
    ]
    return Table(
        "Days",
        ["Day", "#First", "#Last", "#Low", "#High", "#PnL"],
        rows,
        empty="No complete day yet.",
        note="All enabled accounts together. A day's PnL counts from the last equity before it began; deposits and "
        "withdrawals are no gain and no loss.",
        more_url=cells.page_url("equitysnapshot", "changelist"),
    )


def _movements(accounts: list[ExchangeAccount]) -> Table:
    moved = Movement.objects.filter(
        account__in=accounts, kind__in=(*TRANSFERS, MovementKind.OPENING, MovementKind.ADJUSTMENT)
    )
    rows = [
        [
            cells.when(row.at),
            cells.badge(row.kind),
            cells.exact(row.quantity, row.asset),
            cells.dollars(row.value),
            row.account.name,
        ]
        for row in moved.select_related("account").order_by("-booked_at", "-id")[:20]
    ]
    return Table(
        "Not of trading",
        ["Time", "What", "#Quantity", "#Value then", "Account"],
        rows,
        empty="No deposit, withdrawal or adjustment.",
    )


def _sync(account: ExchangeAccount) -> Ask:
    return Ask(
        title=f"Sync {account.name}",
        url=cells.page_url("equitysnapshot", "sync", account.pk),
        button="Sync now",
        why="Asks the venue for balances, orders, fills and prices.",
    )
