"""One account's page: its state, what is known of its key, its last syncs, and what may be asked for here.

Of the key only the last characters and its rights are shown; the form for a new one never carries a value back.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from trading.connections import public_exchange
from trading.domain.enums import Environment, TradingMode, VenueName
from trading.domain.errors import LeviError
from trading.models import ExchangeAccount, SyncRun
from trading.queries.key_rights import KeyState, key_state
from trading.queries.streams import stream_of

from . import cells
from .forms import PanelForm, ReasonForm
from .page import Ask, Detail, Facts, Table
from .rate_limits import rate_table
from .reconciliation import run_seconds, run_state

MANAGE = "trading.change_exchangeaccount"
KEYS = "trading.change_credential"


def _words(vocabulary: Any) -> list[tuple[str, str]]:
    return [(member.value, member.value) for member in vocabulary]


class CredentialForm(PanelForm):
    """Password inputs without autofill; Django never renders a password's value back."""

    key = forms.CharField(label="API key", widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}))
    secret = forms.CharField(
        label="API secret", widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )


class AccountForm(PanelForm):
    name = forms.CharField(max_length=40, help_text="Lower-case letters, digits, _ or -.")
    venue = forms.ChoiceField(choices=_words(VenueName))
    environment = forms.ChoiceField(
        choices=_words(Environment), help_text="Paper accounts are simulated, production accounts are live."
    )
    mode = forms.ChoiceField(choices=_words(TradingMode), help_text="The account trades in this mode only.")
    base_url = forms.CharField(
        label="Address", max_length=200, help_text="Checked against the list of known hosts."
    )
    rate_limit_rps = forms.DecimalField(
        label="Orders per second", required=False, min_value=0, help_text="Empty: as configured."
    )
    is_default = forms.BooleanField(
        label="Default account", required=False, help_text="Used when a signal names none."
    )


def describe_account(request: HttpRequest, row: ExchangeAccount) -> Detail:
    facts = Facts(
        "",
        [
            ("Venue", row.venue),
            ("Environment", row.environment),
            ("Mode", cells.badge(row.mode)),
            ("Address", row.base_url),
            ("Orders per second", row.rate_limit_rps or "as configured"),
            ("Default account", "yes" if row.is_default else "no"),
            ("The venue's clock less ours", _clock(row)),
            ("Last complete sync", cells.when(row.synced_at)),
            ("Sync error", row.sync_error or cells.NOTHING),
            ("Created", cells.when(row.created_at)),
        ],
        note=""
        if row.mode == settings.LEVI_MODE
        else f"Levi runs in {settings.LEVI_MODE} mode: this account sends nothing.",
    )
    runs = SyncRun.objects.filter(account=row).order_by("-started_at")[:8]
    return Detail(
        title=row.name,
        badges=[cells.badge("enabled" if row.is_enabled else "disabled"), cells.badge(row.mode)],
        sections=[facts, _stream(row), rate_table([row]), _offers(row), _key(row), _runs(row, runs)],
        side=_asks(request, row),
        extra={"live_detail": True},
    )


def _clock(row: ExchangeAccount) -> Any:
    """With the age of the measurement: an old one denies what opens a position."""
    if row.clock_offset_seconds is None or row.clock_measured_at is None:
        return "not measured yet"
    return cells.stack([cells.exact(row.clock_offset_seconds, "s"), cells.age(row.clock_measured_at)])


def _offers(row: ExchangeAccount) -> Facts:
    """What the venue's adapter can do. Opens no connection."""
    try:
        offered = public_exchange(row).capabilities
    except LeviError:
        words = "Unknown: the account's address cannot be used."
        return Facts("What the venue offers", [("", words)])
    timer = (
        "offered" if offered.dead_man_timer else "not available: only Levi's own dead man halts and cancels"
    )
    return Facts(
        "What the venue offers",
        [
            ("Dead-man timer at the venue", timer),
            ("Canceling all of an account in one call", _yes(offered.cancel_all_account)),
            ("Canceling all of a symbol in one call", _yes(offered.cancel_all_symbol)),
            ("Market orders by quote quantity", _yes(offered.market_by_quote)),
            ("Trying an order without placing it", _yes(offered.test_order)),
            ("Telling the status with the placement", _yes(offered.reports_status_on_place)),
            ("Longest client order id", f"{offered.max_client_order_id} characters"),
            ("May still work on a request after its window", f"{offered.processing_bound_seconds:g} s"),
        ],
        note="As its adapter knows the venue; what it lacks, Levi does by single calls.",
    )


def _yes(is_offered: bool) -> str:
    return "yes" if is_offered else "no"


def _stream(row: ExchangeAccount) -> Facts:
    """Whether fills are told at once, or found by polling."""
    now = timezone.now()
    stream, kept = stream_of(row, now), getattr(row, "stream", None)
    rows: list[tuple[str, Any]] = [("State", cells.badge(stream.word))]
    if stream.reason:
        rows.append(("Why", stream.reason))
    if kept is not None:
        rows += [
            ("Live since" if stream.is_live else "Was live at last since", cells.when(stream.live_since)),
            ("Last heard of while live", cells.when(stream.heard_at)),
            ("Events heard", kept.events),
            ("Lost after it had been live", kept.losses),
            ("Fills it did not tell of", kept.gaps),
            ("Listener", cells.mono(kept.process) if kept.process else cells.NOTHING),
        ]
    return Facts(
        "Private stream",
        rows,
        note="The venue tells of changes as they happen, and Levi asks at once. Without it fills are found by polling.",
    )


def _key(row: ExchangeAccount) -> Facts:
    key = getattr(row, "credential", None)
    if key is None:
        return Facts(
            "API key", [("", "No key is stored.")], note="Without a key nothing can be sent or read."
        )
    rights, state = key.rights or {}, key_state(row, timezone.now())
    rows: list[tuple[str, Any]] = [
        ("Key ends with", cells.mono(f"…{key.key_hint}")),
        ("Stored", cells.when(key.replaced_at)),
        ("What it may do is", cells.badge(state.word, _KEY_TONES[state.word])),
        *[("Wrong", cells.stack([cells.badge(fault.severity), fault.words])) for fault in state.faults],
        ("Rights, as the venue says", ", ".join(rights.get("rights", [])) or "not said yet"),
        ("Bound to addresses", _bound(rights)),
        ("Days left", _days_left(rights)),
        *_asked(state),
    ]
    note = "The venue is asked once a day. Key and secret are stored encrypted and are never shown again."
    return Facts("API key", rows, note=note)


_KEY_TONES = {"good": "good", "not asked yet": "warn", "unknown": "warn", "at fault": "bad"}


def _bound(rights: dict[str, Any]) -> Any:
    """The venue's own list; where it was never read, it is not known."""
    if "addresses" not in rights:
        return cells.badge("unknown", "warn")
    return ", ".join(rights["addresses"]) or "no: it works from anywhere"


def _days_left(rights: dict[str, Any]) -> Any:
    if "days_left" not in rights:
        return cells.NOTHING
    return "no end" if rights["days_left"] is None else rights["days_left"]


def _asked(state: KeyState) -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = [
        ("The venue last said so", cells.age(state.checked_at) if state.checked_at else "never")
    ]
    if state.error:
        rows += [("Asked in vain", cells.age(state.asked_at)), ("It did not say, because", state.error)]
    return rows


def _runs(row: ExchangeAccount, runs: Any) -> Table:
    rows = [
        [
            cells.when(run.started_at),
            run_state(run),
            cells.duration(run_seconds(run)),
            run.fills_booked,
            run.breaks_open,
            run.error,
        ]
        for run in runs
    ]
    url = f"{cells.page_url('syncrun', 'changelist')}?account={row.name}"
    headers = ["Started", "Result", "#Took", "#Fills", "#Breaks", "Error"]
    return Table("Last syncs", headers, rows, empty="Never synced.", more_url=url)


def _asks(request: HttpRequest, row: ExchangeAccount) -> list[Ask]:
    url = cells.page_url
    asks = []
    if request.user.has_perm(MANAGE):
        asks += [
            Ask(
                "Sync now",
                url("exchangeaccount", "sync", row.pk),
                "Sync now",
                why="Reads balances, orders, fills and prices from the venue.",
            ),
            Ask(
                "Connection",
                url("exchangeaccount", "test", row.pk),
                "Test the connection",
                why="Asks the venue for its clock and for the key's rights. Places nothing.",
            ),
        ]
    if request.user.has_perm(KEYS):
        asks.append(
            Ask(
                "API key",
                url("exchangeaccount", "credentials", row.pk),
                "Store the key",
                CredentialForm(),
                "Replaces the key that is stored. Use one that may trade and read, never withdraw.",
            )
        )
    if request.user.has_perm(MANAGE):
        asks.append(_switch(row))
    return asks


def _switch(row: ExchangeAccount) -> Ask:
    word, tone = ("Disable", "quiet-bad") if row.is_enabled else ("Enable", "good")
    why = "A disabled account sends no new order. Cancels work, and while it has orders or positions it is synced."
    return Ask(
        f"{word} the account",
        cells.page_url("exchangeaccount", "switch", row.pk),
        word,
        ReasonForm(),
        why,
        tone,
    )
