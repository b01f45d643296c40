"""Compares the venue's balances with our ledger, and judges only across a quiet window.

A difference counts when two snapshots in a row are equal, no movement was booked between them, and the questions asked
in between (fills of every instrument concerned, orders that could account for it, deposits and withdrawals) do not
explain it. What is owed by an order, and what could not be asked, is left open: a failed question never means "nothing
there". The first quiet look takes over the opening balances. Nothing is ever repaired here: what nothing explains
becomes a break, and the books stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from trading.domain.errors import VenueRefused
from trading.domain.money import ZERO, add
from trading.domain.order_states import TERMINAL, UNRESOLVED, WORKING
from trading.domain.outcomes import BalanceReport, OrderFound, QueryFailed, TransferReport
from trading.exchanges.base import Exchange
from trading.failpoints import failpoint
from trading.locking import lock_account
from trading.models import (
    Balance,
    BalanceVerdict,
    BreakKind,
    ExchangeAccount,
    Fill,
    Order,
)
from trading.queries.valuation import PriceTable

from .balances import lock_or_make_balances, set_parts, write_balances
from .breaks import keep_breaks, note_break
from .settlement import settle
from .transfers import book_opening, explain_by_transfers

LOOKS = 3
_QUESTIONS = 10
_FEES_SEEN = 100
_TRANSFERS_REACH = timedelta(days=7)
Totals = Mapping[str, Decimal]
# Books the fills of these instruments once more; returns how many were new.
Collect = Callable[[set[str]], int]


@dataclass(frozen=True, slots=True)
class Look:
    """One snapshot beside the ledger as it was in the moment of writing it down."""

    totals: Totals
    booked: Totals

    @property
    def differences(self) -> dict[str, Decimal]:
        assets = {*self.totals, *self.booked}
        found = {asset: add(self.totals.get(asset, ZERO), -self.booked.get(asset, ZERO)) for asset in assets}
        return {asset: difference for asset, difference in sorted(found.items()) if difference}

    def moved_since(self, other: Look | None) -> bool:
        return other is None or _held(self) != _held(other)


@dataclass(slots=True)
class Answers:
    """What the targeted questions came to. `open_assets` cannot be judged now."""

    transfers: list[TransferReport] = field(default_factory=list)
    transfers_note: str = ""
    open_assets: set[str] = field(default_factory=set)


def check_balances(account: ExchangeAccount, exchange: Exchange, collect: Collect) -> BalanceVerdict:
    """Write the venue's snapshot down and say what it came to. Raises VenueError."""
    previous: Look | None = None
    answers = Answers()
    for _ in range(LOOKS):
        asked_at = timezone.now()
        look, is_open = write_snapshot_of_balances(account, exchange.fetch_balances(), asked_at)
        if is_open and not look.differences:
            moved = _set_drift(account, look, {})
            return BalanceVerdict.MOVING if moved else BalanceVerdict.EQUAL
        if not look.moved_since(previous):
            conclude = _judge if is_open else partial(_open_books, asked_at=asked_at)
            return conclude(account, look, answers)
        previous = look
        collect(set(look.differences))
        answers = _ask(account, exchange, look.differences) if is_open else Answers()
        _ask_for_transfers(exchange, answers)
    return BalanceVerdict.MOVING


def _held(look: Look) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """Zero and absent are the same."""
    return (
        {asset: total for asset, total in look.totals.items() if total},
        {asset: total for asset, total in look.booked.items() if total},
    )


def write_snapshot_of_balances(
    account: ExchangeAccount, reports: list[BalanceReport], asked_at: datetime
) -> tuple[Look, bool]:
    """The locks as the venue says; the total stays ours, so that an old snapshot takes nothing back.

    Also says whether the books are open: until then the venue counts as not asked.
    """
    seen = {report.asset: report for report in reports}
    with transaction.atomic(durable=True):
        is_open = lock_account(account.pk).books_opened_at is not None
        assets = set(Balance.objects.filter(account=account).values_list("asset", flat=True)) | seen.keys()
        rows = lock_or_make_balances(account.pk, assets)
        for asset, row in rows.items():
            if is_open:
                row.observed_at = asked_at
            set_parts(row, seen[asset].locked if asset in seen else ZERO)
        write_balances(list(rows.values()))
        failpoint("sync.before_balances_commit")
    totals = {asset: add(report.free, report.locked) for asset, report in seen.items()}
    return Look(totals, {asset: row.booked for asset, row in rows.items()}), is_open


def _ask(account: ExchangeAccount, exchange: Exchange, differences: Mapping[str, Decimal]) -> Answers:
    """Everything that might account for the differences, before anything is concluded from them."""
    answers = Answers()
    fresh = _not_yet_noted(account, differences)
    concerned = Q(instrument__base_asset__in=fresh) | Q(instrument__quote_asset__in=fresh)
    orders = Order.objects.filter(concerned, account=account).select_related("instrument")
    working = list(orders.filter(status__in=WORKING).exclude(exchange_order_id="").order_by("-updated_at"))
    if len(working) > _QUESTIONS:
        working = _changed(exchange, working)
    for order in working[:_QUESTIONS]:
        _ask_about(exchange, order, answers)
    for order in working[_QUESTIONS:]:  # not asked about: what they did is not known
        answers.open_assets |= _assets_of(order)
    for order in orders.filter(
        Q(status__in=UNRESOLVED) | Q(filled_quantity__lt=F("venue_filled_quantity"))
    ).exclude(status__in=TERMINAL):
        answers.open_assets |= _assets_of(order)
    if answers.open_assets:
        answers.open_assets |= _fee_assets(account)
    return answers


def _fee_assets(account: ExchangeAccount) -> set[str]:
    """What fees were paid in lately: where a fill is not known yet, neither is its fee."""
    paid = Fill.objects.filter(account=account).order_by("-id").values_list("fee_asset", flat=True)
    return set(paid[:_FEES_SEEN]) - {""}


def _ask_for_transfers(exchange: Exchange, answers: Answers) -> None:
    try:
        answers.transfers = exchange.fetch_transfers(timezone.now() - _TRANSFERS_REACH)
    except VenueRefused as error:
        answers.transfers_note = f"deposits and withdrawals could not be asked for: {error}"


def _changed(exchange: Exchange, orders: Sequence[Order]) -> list[Order]:
    """Those that one list of the venue does not show as we know them."""
    listed = {report.exchange_order_id: report.filled_quantity for report in exchange.fetch_open_orders()}
    return [order for order in orders if listed.get(order.exchange_order_id) != order.venue_filled_quantity]


def _not_yet_noted(account: ExchangeAccount, differences: Mapping[str, Decimal]) -> list[str]:
    """The differences that no break names yet: for known ones the orders have been asked about already."""
    drifts = dict(Balance.objects.filter(account=account).values_list("asset", "drift"))
    return [asset for asset, difference in differences.items() if drifts.get(asset, ZERO) != difference]


def _ask_about(exchange: Exchange, order: Order, answers: Answers) -> None:
    answer = exchange.query_order(
        order.instrument.venue_symbol, exchange_order_id=order.exchange_order_id, urgent=False
    )
    if isinstance(answer, OrderFound):
        settle(order.id, report=answer.report, source="query")
    elif isinstance(answer, QueryFailed):
        answers.open_assets |= _assets_of(order)


def _assets_of(order: Order) -> set[str]:
    return {order.instrument.base_asset, order.instrument.quote_asset}


def _judge(account: ExchangeAccount, look: Look, answers: Answers) -> BalanceVerdict:
    judged = {
        asset: difference
        for asset, difference in look.differences.items()
        if asset not in answers.open_assets
    }
    left = explain_by_transfers(account, judged, answers.transfers)
    booked = dict(Balance.objects.filter(account=account, asset__in=left).values_list("asset", "booked"))
    # Another look may have booked what explains it.
    left = {asset: left[asset] for asset in left if booked[asset] == look.booked.get(asset, ZERO)}
    moved = _set_drift(account, look, left, untouched=answers.open_assets | (judged.keys() - left.keys()))
    left = {asset: difference for asset, difference in left.items() if asset not in moved}
    unjudged = moved | (answers.open_assets & look.differences.keys())
    keep_breaks(account, BreakKind.BALANCE, unjudged)
    prices = PriceTable(account)
    for asset, difference in left.items():
        note_break(
            account,
            BreakKind.BALANCE,
            asset,
            ours=look.booked.get(asset, ZERO),
            theirs=look.totals.get(asset, ZERO),
            value=prices.value(asset, difference),
            **({"note": answers.transfers_note} if answers.transfers_note else {}),
        )
    if left:
        return BalanceVerdict.DIFFERENT
    return BalanceVerdict.MOVING if unjudged else BalanceVerdict.EQUAL


def _set_drift(
    account: ExchangeAccount, look: Look, drifts: Mapping[str, Decimal], *, untouched: set[str] | None = None
) -> set[str]:
    """The difference that a break names is part of what the account really holds. Returns the assets whose books moved
    since the look, by a person or by a fill: it says nothing of them any more."""
    stored = dict(Balance.objects.filter(account=account).values_list("asset", "drift"))
    wanted = {asset: drifts.get(asset, ZERO) for asset in stored if asset not in (untouched or ())}
    concerned = {asset for asset, drift in wanted.items() if drift or stored[asset]}
    if not concerned:
        return set()
    with transaction.atomic(durable=True):
        rows = lock_or_make_balances(account.pk, concerned)
        still = [row for asset, row in rows.items() if row.booked == look.booked.get(asset, ZERO)]
        for row in still:
            row.drift = wanted[row.asset]
            set_parts(row, row.locked)
        write_balances(still)
    return concerned - {row.asset for row in still}


def _open_books(account: ExchangeAccount, look: Look, answers: Answers, asked_at: datetime) -> BalanceVerdict:
    """The records were asked for between the two looks: their money is in both."""
    contained = None if answers.transfers_note else answers.transfers
    book_opening(account, look.differences, asked_at, contained=contained)
    return BalanceVerdict.OPENED
