"""What every automatic halt sees now: what is in use against its threshold, per scope, from stored facts only.

A look whose number cannot be told says None, never zero. A measure that fails with a defect takes its own trigger's
looks away, not those of the others; the trigger is then silent, which is an alarm. Never decides, never writes.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count, Min, Q

from trading.domain.enums import HaltScope, OrderOrigin, OrderStatus, TradingMode
from trading.domain.money import ZERO, divide, multiply, plain
from trading.domain.order_states import UNRESOLVED, WORKING
from trading.models import Break, BreakState, ExchangeAccount, LimitsVersion, Order
from trading.risk.order_rules import MAX_CLOCK_AGE_SECONDS
from trading.risk.triggers import TRIGGER_TABLE

from .alerts import nobody_reached
from .portfolio import held_exposure
from .scope_use import AccountBooks, peak_equity, total
from .silence import watched_seconds
from .streams import REMEDY, read_streams
from .trigger_sight import Sight, TriggerLook, is_at_stake

log = logging.getLogger(__name__)
_MINUTE = timedelta(seconds=60)
_ERROR_SPAN = timedelta(minutes=10)
FAILED_STATUSES = frozenset({OrderStatus.REJECTED, OrderStatus.NOT_ACCEPTED, *UNRESOLVED})
JUDGED_STATUSES = FAILED_STATUSES | WORKING | {OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED}
FOREIGN_ORIGINS = (OrderOrigin.EXTERNAL, OrderOrigin.ORPHAN)
# Denials that a halt or a switch makes: they say that something was stopped, not that it runs wild.
SWITCH_WORDS = ("halted", "reducing", "halt_state", "account_disabled", "strategy_disabled")
_GIBIBYTE = 1024**3
_NO_PRICE = Decimal(100_000)


def _where(row: LimitsVersion, books: list[AccountBooks]) -> str:
    if row.scope == HaltScope.EVERYTHING:
        return books[0].account.name if len(books) == 1 else f"all {len(books)} accounts"
    return row.target


def _for(
    row: LimitsVersion,
    trigger: str,
    used: Decimal | None,
    most: Decimal,
    words: str,
    books: list[AccountBooks],
) -> TriggerLook:
    return TriggerLook(trigger, HaltScope(row.scope), row.target, used, most, words, is_at_stake(books))


def look_at_daily_loss(sight: Sight) -> Iterator[TriggerLook]:
    for row, books in sight.versions_with("daily_loss", "max_daily_loss_pct", "max_daily_loss_usd"):
        start, equity = sight.day(books, row)
        loss = start - equity if equity is not None and start is not None and start > 0 else None
        name = _where(row, books)
        found = []
        if row.max_daily_loss_pct is not None:
            pct = divide(loss * 100, start) if loss is not None and start else None
            said = (
                f"global stop: loss of the day {pct:.2f} % of {plain(row.max_daily_loss_pct)} % allowed on {name}"
                if pct is not None
                else ""
            )
            found.append(_for(row, "daily_loss", pct, row.max_daily_loss_pct, said, books))
        if row.max_daily_loss_usd is not None:
            said = (
                f"global stop: loss of the day {loss:.2f} of {plain(row.max_daily_loss_usd)} allowed on {name}"
                if loss is not None
                else ""
            )
            found.append(_for(row, "daily_loss", loss, row.max_daily_loss_usd, said, books))
        yield max(found, key=_share)


def _share(look: TriggerLook) -> Decimal:
    if look.used is None or look.threshold is None:
        return ZERO
    return divide(look.used, look.threshold) if look.threshold else Decimal(2 if look.used >= 0 else 0)


def look_at_drawdown(sight: Sight) -> Iterator[TriggerLook]:
    for row, books in sight.versions_with("drawdown", "max_drawdown_pct"):
        most = row.max_drawdown_pct
        assert most is not None
        equity, peak = sight.day(books, row)[1], peak_equity([each.account.pk for each in books], sight.now)
        fall = divide((peak - equity) * 100, peak) if peak and equity is not None else None
        said = (
            f"drawdown {fall:.2f} % of {plain(most)} % allowed on {_where(row, books)}"
            if fall is not None
            else ""
        )
        # Before the first confirmed peak there is nothing to fall from.
        yield TriggerLook(
            "drawdown",
            HaltScope(row.scope),
            row.target,
            fall,
            most,
            said,
            is_at_stake(books) and peak is not None,
        )


def look_at_exposure(sight: Sight) -> Iterator[TriggerLook]:
    for row, books in sight.versions_with("exposure", "kill_threshold_usd"):
        most = row.kill_threshold_usd
        assert most is not None
        symbol = row.target if row.scope == HaltScope.INSTRUMENT else None
        held = total(_held(each, row, sight, symbol) for each in books)
        words = (
            f"exposure {held:.2f} is above the kill threshold {plain(most)} on {_where(row, books)}"
            if held is not None
            else ""
        )
        yield _for(row, "exposure", held, most, words, books)


def _held(books: AccountBooks, row: LimitsVersion, sight: Sight, symbol: str | None) -> Decimal | None:
    if not sight.has_fresh_prices(books, row):
        return None
    if symbol is not None:
        exposure = books.by_symbol.get(symbol)
        return books.prices.worth(symbol, exposure.position) if exposure else ZERO
    held, unpriced = held_exposure(books.account, books.prices)
    return None if unpriced else held


def look_at_order_errors(sight: Sight) -> Iterator[TriggerLook]:
    most = sight.threshold("order_errors")
    for books in sight.mine:
        ours = Order.objects.filter(
            account=books.account, created_at__gt=sight.now - _ERROR_SPAN, attempt__gt=0
        )
        latest = (
            ours.exclude(origin__in=FOREIGN_ORIGINS)
            .filter(status__in=JUDGED_STATUSES)
            .order_by("-created_at")
        )
        failed = 0
        for status in latest.values_list("status", flat=True)[: int(most or 0) + 1]:
            if status not in FAILED_STATUSES:
                break
            failed += 1
        words = f"{failed} orders in a row failed on {books.account.name}"
        yield TriggerLook("order_errors", HaltScope.ACCOUNT, books.account.name, Decimal(failed), most, words)


def look_at_denials(sight: Sight) -> Iterator[TriggerLook]:
    """By strategy, because it is one that runs wild; what names none counts for its account."""
    most = sight.threshold("denial_storm")
    denied = Order.objects.filter(
        status=OrderStatus.DENIED,
        created_at__gt=sight.now - _MINUTE,
        account__in=[b.account.pk for b in sight.mine],
    )
    for word in SWITCH_WORDS:
        denied = denied.exclude(status_reason__startswith=word)
    counts = denied.order_by().values_list("account__name", "strategy__name").annotate(n=Count("id"))
    sums: dict[tuple[HaltScope, str], int] = {
        (HaltScope.ACCOUNT, books.account.name): 0 for books in sight.mine
    }
    for account, strategy, n in counts:
        key = (HaltScope.STRATEGY, strategy) if strategy else (HaltScope.ACCOUNT, account)
        sums[key] = sums.get(key, 0) + n
    for (scope, target), n in sums.items():
        yield TriggerLook(
            "denial_storm",
            scope,
            target,
            Decimal(n),
            most,
            f"{n} denials within a minute of {scope} {target}",
        )


def look_at_doubt(sight: Sight) -> Iterator[TriggerLook]:
    rows = Order.objects.filter(status__in=UNRESOLVED, account__in=[b.account.pk for b in sight.mine])
    found = {
        name: (n, since)
        for name, n, since in rows.order_by()
        .values_list("account__name")
        .annotate(n=Count("id"), since=Min("doubt_since", filter=Q(status=OrderStatus.IN_DOUBT)))
    }
    for books in sight.mine:
        name = books.account.name
        n, since = found.get(name, (0, None))
        age = Decimal(int((sight.now - since).total_seconds())) if since else ZERO
        words = f"an order on {name} has been in doubt for {age} s"
        yield TriggerLook(
            "in_doubt_age", HaltScope.ACCOUNT, name, age, sight.threshold("in_doubt_age"), words
        )
        words = f"{n} orders on {name} are in doubt or quarantined"
        yield TriggerLook(
            "in_doubt_count", HaltScope.ACCOUNT, name, Decimal(n), sight.threshold("in_doubt_count"), words
        )


def look_at_breaks(sight: Sight) -> Iterator[TriggerLook]:
    """The small ones; what is beyond its tolerance restricts its scope by itself (`break_response`)."""
    small = Break.objects.filter(state=BreakState.OPEN, is_beyond=False, since__lt=sight.now - _MINUTE)
    counts = dict(small.order_by().values_list("account__name").annotate(n=Count("id")))
    for books in sight.mine:
        name, n = books.account.name, counts.get(books.account.name, 0)
        words = f"{n} small differences to the venue stand on {name}, and nobody has acknowledged them"
        yield TriggerLook("breaks", HaltScope.ACCOUNT, name, Decimal(n), sight.threshold("breaks"), words)


def look_at_prices(sight: Sight) -> Iterator[TriggerLook]:
    """In percent of the age that opening orders are allowed; a symbol without any price is as stale as can be."""
    most, widest = sight.threshold("stale_prices"), sight.widest
    allowed = widest.max_price_age_seconds if widest else None
    for books in sight.mine:
        name = books.account.name
        ages = {symbol: _age(books, symbol, sight.now) for symbol in books.by_symbol}
        if not ages or not allowed:
            yield TriggerLook("stale_prices", HaltScope.ACCOUNT, name, None, most, at_stake=False)
            continue
        symbol, age = max(ages.items(), key=lambda item: item[1])
        used = min(divide(age * 100, allowed), multiply(_NO_PRICE, Decimal(100)))
        words = f"the price of {symbol} is {int(age)} s old, and {name} holds it or has orders in it"
        yield TriggerLook("stale_prices", HaltScope.ACCOUNT, name, used, most, words)


def _age(books: AccountBooks, symbol: str, now: datetime) -> Decimal:
    price = books.prices.find(symbol)
    return Decimal(max(int((now - price.received_at).total_seconds()), 0)) if price else _NO_PRICE


def look_at_clock(sight: Sight) -> Iterator[TriggerLook]:
    """An old measurement, carried on by arithmetic, tells neither that the clocks agree nor that they do not."""
    most = sight.threshold("clock_error")
    for books in sight.mine:
        name, at = books.account.name, books.account.clock_measured_at
        offset = books.account.clock_offset_seconds
        is_old = at is None or abs((sight.now - at).total_seconds()) > MAX_CLOCK_AGE_SECONDS
        used = None if offset is None or is_old else abs(offset)
        words = f"this host's clock and the venue's of {name} are {used} s apart"
        at_stake = at is not None and is_at_stake([books])
        yield TriggerLook("clock_error", HaltScope.ACCOUNT, name, used, most, words, at_stake)


def look_at_streams(sight: Sight) -> Iterator[TriggerLook]:
    """Counted only while somebody watches: a start, a restart and a machine that slept are no silence of the stream.
    What nobody ever listened to cannot be told."""
    most = sight.threshold("stream_gap")
    watched = Decimal(int(watched_seconds(sight.now)))
    streams = read_streams([books.account for books in sight.mine], sight.now)
    for books in sight.mine:
        name, stream = books.account.name, streams[books.account.pk]
        if not stream.is_expected:
            yield TriggerLook("stream_gap", HaltScope.ACCOUNT, name, None, None, at_stake=False)
            continue
        seconds = stream.unconfirmed_seconds
        used = None if seconds is None else min(Decimal(seconds), watched)
        words = f"the private stream of {name} has not been confirmed for {used} s ({stream.word})"
        if used is None:
            words = (
                f"nobody has ever listened to {name}: {REMEDY}, or switch the trigger off in risk.triggers"
            )
        elif stream.reason:
            words = f"{words}: {stream.reason}"
        yield TriggerLook("stream_gap", HaltScope.ACCOUNT, name, used, most, words, is_at_stake([books]))


def look_at_disk(sight: Sight) -> Iterator[TriggerLook]:
    disk = shutil.disk_usage(settings.HOME_DIR)
    usable = max(disk.total - _GIBIBYTE, 1)
    used = divide(Decimal(disk.total - disk.free) * 100, Decimal(usable))
    words = f"only {disk.free // (1024**2)} MiB are free on the disk under HOME_DIR"
    yield TriggerLook("disk_space", HaltScope.EVERYTHING, "", used, sight.threshold("disk_space"), words)


def look_at_alert_channel(sight: Sight) -> Iterator[TriggerLook]:
    most = sight.threshold("alert_channel") if settings.LEVI_MODE == TradingMode.PRODUCTION else None
    failure = nobody_reached() if most is not None else None
    seconds = Decimal(int(failure.seconds)) if failure else ZERO
    words = f"alerts have reached nobody for {seconds} s: {failure.error}" if failure else ""
    yield TriggerLook("alert_channel", HaltScope.EVERYTHING, "", seconds, most, words)


Measure = Callable[[Sight], Iterator[TriggerLook]]
# Which triggers each measure answers for.
MEASURES: dict[Measure, tuple[str, ...]] = {
    look_at_daily_loss: ("daily_loss",),
    look_at_drawdown: ("drawdown",),
    look_at_exposure: ("exposure",),
    look_at_order_errors: ("order_errors",),
    look_at_denials: ("denial_storm",),
    look_at_doubt: ("in_doubt_age", "in_doubt_count"),
    look_at_breaks: ("breaks",),
    look_at_prices: ("stale_prices",),
    look_at_clock: ("clock_error",),
    look_at_streams: ("stream_gap",),
    look_at_disk: ("disk_space",),
    look_at_alert_channel: ("alert_channel",),
}


def take_looks(only: ExchangeAccount | None = None, now: datetime | None = None) -> list[TriggerLook]:
    """Every trigger's looks. One that has nothing to look at says so, so that it is seen to run."""
    sight = Sight(now, only)
    looks: list[TriggerLook] = []
    for measure, names in MEASURES.items():
        try:
            found = list(measure(sight))
        except DatabaseError:
            raise
        except Exception:  # a defect in one trigger must not blind the others; that it is silent is an alarm
            log.exception("the trigger %s could not look", ", ".join(names))
            continue
        told = {look.trigger for look in found}
        found += [_nothing_set(name) for name in names if name not in told]
        looks += found
    return looks


def _nothing_set(name: str) -> TriggerLook:
    return TriggerLook(name, HaltScope.EVERYTHING, "", None, None, at_stake=False)


assert {name for names in MEASURES.values() for name in names} == {rule.name for rule in TRIGGER_TABLE}
