"""The rate limits of accounts as a table: what is left, what is kept for cancels, and in words what nobody can tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trading.domain.errors import ConfigurationError
from trading.models import ExchangeAccount
from trading.queries.rate_tokens import RateReading, read_rate_tokens

from . import cells
from .page import Table

# Buckets by their names in the metrics; one of a venue without words here stands for itself.
_WORDS = {
    "weight": "all requests",
    "orders": "orders and cancels",
    "account": "account questions",
    "pace": "new orders, as set",
}
_AWAY = (
    "Redis is away, so nobody knows what is left: every process keeps to a small share of each limit by itself, and "
    "cancels to a larger one. Orders and cancels go on, slower."
)
_NOTE = (
    "Tokens left now, for all processes together. New orders never use what is kept for cancels; a new order "
    "waits or is given back instead."
)


def rate_table(accounts: Sequence[ExchangeAccount]) -> Table:
    """Stops asking with the first answer that Redis does not give."""
    rows: list[list[Any]] = []
    closed: list[str] = []
    for account in accounts:
        try:
            reading = read_rate_tokens(account)
        except ConfigurationError as error:
            rows.append([cells.muted(str(error)), *[cells.NOTHING] * 5, account.name])
            continue
        if reading is None:
            return Table("Rate limits", _headers(), [], empty=_AWAY)
        rows += _rows_of(account, reading)
        if reading.closed_seconds > 0:
            closed.append(
                f"{account.venue} answers nobody of {account.name} for {cells.age_words(reading.closed_seconds)} more: "
                "nothing is sent, cancels neither."
            )
    return Table(
        "Rate limits",
        _headers(),
        rows,
        empty="No enabled account trades in this mode.",
        note=" ".join([*closed, _NOTE]),
    )


def _headers() -> list[str]:
    return ["For", "#Left", "#Of", "#Kept for cancels", "Used", "#Again a second", "Account"]


def _rows_of(account: ExchangeAccount, reading: RateReading) -> list[list[Any]]:
    return [
        [
            _WORDS.get(row.bucket, row.bucket),
            cells.exact(row.left),
            cells.exact(row.capacity),
            cells.exact(row.reserve) if row.reserve else cells.NOTHING,
            cells.share_bar(row.used_percent),
            cells.exact(row.per_second),
            account.name,
        ]
        for row in reading.tokens
    ]
