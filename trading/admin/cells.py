"""How single values look: exact numbers, dollars, times with their age, badges, ids, links.

Pure functions from a value to safe HTML; every screen and template uses these, so that the same thing looks the same
everywhere. Values are escaped here. A missing value is an em dash, never a zero and never "None".
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from trading.domain.money import exact_arithmetic, plain

from .tones import tone_of

NOTHING = format_html('<span class="lv-none">{}</span>', "—")
_CENT = Decimal("0.01")
_TEN_DIGITS = Context(prec=10, rounding=ROUND_HALF_EVEN)
# An id of more characters gets the room of two facts, a hash a line of its own.
_LONG = 24
_BAR_MARKS = format_html(
    '<g class="lv-bar-marks"><rect x="{}"/><rect x="{}"/><rect x="{}"/></g>', "50%", "75%", "90%"
)
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def exact(number: Decimal | None, unit: str = "") -> SafeString:
    """Every digit that is stored, no exponent, no trailing zeros; less than nothing with the sign that amounts have."""
    if number is None:
        return NOTHING
    tail = format_html(' <span class="lv-unit">{}</span>', unit) if unit else ""
    return format_html('<span class="lv-num">{}{}</span>', plain(number).replace("-", "−"), tail)


def average(number: Decimal | None, unit: str = "") -> SafeString:
    """A quotient, which may have eighteen decimals: ten digits of it, all of them in the tooltip."""
    if number is None:
        return NOTHING
    rounded = exact(_TEN_DIGITS.plus(number), unit)
    return format_html('<span title="{}">{}</span>', plain(number), rounded)


def rounded(number: Decimal | None) -> SafeString:
    """A measure, to two digits after the point at most; the exact number is the tooltip. Never for what is traded."""
    if number is None:
        return NOTHING
    with exact_arithmetic():
        short = (
            number
            if number == number.to_integral_value()
            else number.quantize(_CENT, rounding=ROUND_HALF_EVEN)
        )
    return format_html(
        '<span class="lv-num" title="{}">{}</span>', plain(number), plain(short).replace("-", "−")
    )


def dollar_text(number: Decimal, *, sign: bool = False) -> str:
    with exact_arithmetic():
        rounded = number.quantize(_CENT, rounding=ROUND_HALF_EVEN)
    if not rounded:
        return "0.00"
    mark = "−" if rounded < 0 else "+" if sign else ""
    return f"{mark}{abs(rounded):,.2f}"


def dollars(number: Decimal | None) -> SafeString:
    """Reporting currency to the cent; the exact number is the tooltip."""
    if number is None:
        return NOTHING
    return format_html('<span class="lv-num" title="{}">{}</span>', plain(number), dollar_text(number))


def gain(number: Decimal | None) -> SafeString:
    """A profit or loss, with its sign spelled out."""
    if number is None:
        return NOTHING
    tone = "lv-up" if number > 0 else "lv-down" if number < 0 else ""
    text = dollar_text(number, sign=True)
    return format_html('<span class="lv-num {}" title="{}">{}</span>', tone, plain(number), text)


def percent(number: Decimal | None) -> SafeString:
    if number is None:
        return NOTHING
    return format_html(
        '<span class="lv-num">{} %</span>', f"{number:.1f}" if number < 10 else f"{number:.0f}"
    )


def age_words(seconds: float) -> str:
    """The largest unit, and the next one where it still matters: "12 s", "4 min", "2 h 5 min", "3 d"."""
    whole = max(int(seconds), 0)
    for size, name in _UNITS:
        if whole >= size:
            rest = (whole % size) // 60 if name == "h" else 0
            return f"{whole // size} {name}" + (f" {rest} min" if rest else "")
    return "0 s"


def _full(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC"


def _ago(at: datetime, now: datetime) -> str:
    seconds = (now - at).total_seconds()
    return f"in {age_words(-seconds)}" if seconds < -1 else f"{age_words(seconds)} ago"


def age(at: datetime | None) -> SafeString:
    """Only how long ago; the instant is the tooltip. The page's script keeps it running."""
    if at is None:
        return NOTHING
    return format_html(
        '<time class="lv-ago" datetime="{}" title="{}">{}</time>',
        at.isoformat(),
        _full(at),
        _ago(at, timezone.now()),
    )


def when(at: datetime | None) -> SafeString:
    """Time of day (with the date, unless it is today) and the age. In UTC; the page's script shows it in the person's
    zone, with UTC as the tooltip."""
    if at is None:
        return NOTHING
    utc, now = at.astimezone(UTC), timezone.now().astimezone(UTC)
    shape = (
        "%H:%M:%S"
        if utc.date() == now.date()
        else "%m-%d %H:%M:%S"
        if utc.year == now.year
        else "%Y-%m-%d %H:%M"
    )
    text = utc.strftime(shape)
    return format_html(
        '<span class="lv-when"><time class="lv-clock" datetime="{}" title="{}">{}</time> {}</span>',
        at.isoformat(),
        _full(at),
        text,
        age(at),
    )


def duration(seconds: float | None) -> SafeString:
    """Short spans with the unit that fits: 3.2 ms, 410 ms, 1.25 s, 2 min."""
    if seconds is None:
        return NOTHING
    if not seconds:
        text = "0 s"
    elif seconds < 1:
        text = f"{seconds * 1000:.1f} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"
    else:
        text = f"{seconds:.2f} s" if seconds < 60 else age_words(seconds)
    return format_html('<span class="lv-num">{}</span>', text)


def badge(word: str, tone: str = "") -> SafeString:
    if not word:
        return NOTHING
    return format_html(
        '<span class="lv-badge lv-{}">{}</span>', tone or tone_of(word), str(word).replace("_", " ")
    )


def mono(text: object) -> SafeString:
    """An id or code: fixed width, may be selected with one click."""
    if text in ("", None):
        return NOTHING
    long = " lv-row-wide" if len(str(text)) > 2 * _LONG else " lv-long" if len(str(text)) > _LONG else ""
    return format_html('<span class="lv-mono{}">{}</span>', long, text)


def muted(text: object) -> SafeString:
    return format_html('<span class="lv-muted">{}</span>', text)


def text_or_nothing(text: object) -> Any:
    return text if text not in ("", None) else NOTHING


def link(url: str, text: object) -> SafeString:
    return format_html('<a class="lv-link" href="{}">{}</a>', url, text)


def page_url(model_name: str, page: str, *args: object) -> str:
    """The panel's address of a screen of ours: page_url("order", "change", order.pk)."""
    return reverse(f"admin:trading_{model_name}_{page}", args=args)


def row_link(model_name: str, key: object, text: object) -> SafeString:
    return link(page_url(model_name, "change", key), text) if key else NOTHING


def tail_link(model_name: str, key: object, text: str) -> SafeString:
    """A link that shows the last eight characters of an id, on one line."""
    return format_html('<span class="lv-num">{}</span>', row_link(model_name, key, f"…{text[-8:]}"))


def stack(parts: Iterable[object]) -> SafeString:
    """Several values in one cell, one below the other."""
    return format_html(
        '<span class="lv-stack">{}</span>', format_html_join("", "<span>{}</span>", ((p,) for p in parts))
    )


def share_bar(share: Decimal | None) -> SafeString:
    """A limit's use as a bar with marks at 50, 75 and 90 %; never colour alone: the number stands beside it."""
    if share is None:
        return NOTHING
    width = min(max(share, Decimal(0)), Decimal(100))
    # A drawing and no style attribute: the content security policy allows none.
    return format_html(
        '<svg class="lv-bar lv-bar-{}" role="img" aria-label="{} percent of the limit">'
        '<rect class="lv-bar-fill" width="{}%" height="100%"/>{}</svg>',
        band_of(share),
        f"{share:.0f}",
        f"{width:.1f}",
        _BAR_MARKS,
    )


def band_of(share: Decimal | None) -> str:
    """calm below half of a limit, then good, warn from 75 % and bad from 90 %."""
    if share is None or share < 50:
        return "calm"
    return "good" if share < 75 else "warn" if share < 90 else "bad"
