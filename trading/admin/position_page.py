"""A position's page in pictures: the symbol's price with the fills that made the position marked on it, and how much of
its limit it uses. Every mark is a row of the table below it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from trading.domain.enums import Side
from trading.domain.money import plain
from trading.models import Fill, Position
from trading.queries.price_story import PriceMark, PriceStory

from . import cells
from .charts import Chart, Level, Series
from .page import Table


def price_chart(row: Position, story: PriceStory) -> Chart:
    """The line goes through what fills paid as well: those are prices of the symbol too."""
    marks, symbol, quote = story.marks, row.instrument.symbol, row.instrument.quote_asset
    bought, sold = _dots(marks, Side.BUY), _dots(marks, Side.SELL)
    series = [
        Series("Price", [mark.price for mark in marks], "busy", texts=[cells.exact(m.price) for m in marks])
    ]
    texts = [_said(mark, row.instrument.base_asset) for mark in marks]
    for label, tone, dots in (("Bought", "good", bought), ("Sold", "bad", sold)):
        if any(dot is not None for dot in dots):
            said = [text if dot is not None else "—" for text, dot in zip(texts, dots, strict=True)]
            series.append(Series(label, dots, tone, kind="dots", texts=said))
    count = len(story.fills)
    return Chart(
        key="price",
        title=f"Price of {symbol}",
        places=[mark.at for mark in marks],
        series=series if len(marks) > 1 else [],
        unit=quote,
        levels=[Level(row.average_price, "average price", "calm")] if row.quantity else [],
        summary=f"Price of {symbol} with {count} fill{'' if count == 1 else 's'} of this position marked.",
        empty="The line begins with the second stored price: decisions, fills and quotes store them.",
        note="Prices that decisions saw, fills paid and the last quote says. Circles: bought, triangles: sold.",
        height=240,
    )


def _dots(marks: list[PriceMark], side: Side) -> list[Decimal | None]:
    return [mark.price if mark.fill is not None and mark.fill.side == side else None for mark in marks]


def _said(mark: PriceMark, asset: str) -> str:
    return f"{plain(mark.fill.quantity)} {asset} at {plain(mark.price)}" if mark.fill is not None else "—"


def fills_table(row: Position, fills: list[Fill]) -> Table:
    rows = [
        [
            cells.when(fill.filled_at),
            cells.badge(fill.side),
            cells.exact(fill.quantity),
            cells.exact(fill.price),
            cells.exact(fill.fee, fill.fee_asset),
            cells.gain(fill.realized_pnl) if fill.realized_pnl else cells.NOTHING,
            cells.tail_link("fill", fill.pk, fill.venue_fill_id),
            cells.tail_link("order", fill.order_id, fill.order.client_order_id),
        ]
        for fill in fills
    ]
    url = f"{cells.page_url('fill', 'changelist')}?symbol={row.instrument.symbol}&account={row.account.name}"
    headers = ["Time", "Side", "#Quantity", "#Price", "#Fee", "#Realized", "Fill", "Order"]
    return Table("The last fills that made it", headers, rows, empty="No fill yet.", more_url=url)


def limit_cell(share: Decimal | None, worth: Decimal | None, limit: Decimal | None) -> Any:
    """The bar, the percent, and both numbers it is made of."""
    if share is None or worth is None or limit is None:
        return cells.NOTHING
    numbers = f"{cells.dollar_text(worth)} of {cells.dollar_text(limit)} USD"
    return cells.stack([cells.share_bar(share), cells.percent(share), cells.muted(numbers)])
