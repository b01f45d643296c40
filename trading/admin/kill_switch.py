"""The kill switch: STOP from every page, and one page that shows every scope, engages and releases.

GET shows, POST acts, each verb with its own right. STOP is one step: no dialog, no script, no required field. After a
POST the page comes back by name and says the epoch, whether the gate is closed and what was in flight.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from trading.domain.enums import ApprovalKind, CancelScope, HaltScope, TradingState
from trading.domain.errors import LeviError
from trading.execution.authority import factor_is_required, needs_second_person
from trading.execution.cancellation import cancel_all
from trading.execution.flatten_requests import flatten_after
from trading.execution.halts import Engagement, engage, missing_for_release
from trading.execution.releasing import release_or_propose
from trading.models import ApprovalRequest, Flattening, HaltState
from trading.queries.algos import count_living, living_algos
from trading.queries.approvals import waiting_requests
from trading.queries.break_glass import read_glass
from trading.queries.controls import read_scope_tree, recent_changes, recent_sweeps
from trading.queries.dead_man import read_dead_man
from trading.queries.drills import read_drills
from trading.queries.halts import current_epoch

from .acting import accept, actor_of, attempt, go
from .algo_tables import MOST, algos_table, halted_note, living_title
from .forms import PanelForm
from .kill_words import DEFAULT_REASON, MAX_REASON, QUICK_REASONS
from .page import Detail, Page, PanelAdmin, Table, demand
from .sweeps import describe_changes, describe_sweeps

CANCEL_CHOICES = (
    ("ours", "cancel our open orders"),
    ("everything", "cancel every order on the account"),
    ("", "leave open orders alone"),
)


FLATTEN = "trading.flatten_position"


class EngageForm(PanelForm):
    scope = forms.ChoiceField(choices=[(scope.value, scope.value) for scope in HaltScope])
    target = forms.CharField(required=False, max_length=60)
    state = forms.ChoiceField(
        choices=[(TradingState.HALTED.value, "halted"), (TradingState.REDUCING.value, "reducing")]
    )
    cancel = forms.ChoiceField(required=False, choices=CANCEL_CHOICES)
    flatten = forms.BooleanField(required=False)
    reason = forms.CharField(required=False, max_length=MAX_REASON)


class ReleaseForm(PanelForm):
    scope = forms.ChoiceField(choices=[(scope.value, scope.value) for scope in HaltScope])
    target = forms.CharField(required=False, max_length=60)
    seen_epoch = forms.IntegerField(min_value=0)
    reason = forms.CharField(
        max_length=MAX_REASON, error_messages={"required": "Say why it is safe to trade again."}
    )


def named(scope: str, target: str) -> str:
    """At the head of a sentence; a symbol keeps its capitals."""
    return f"{scope[:1].upper()}{scope[1:]} {target}".strip()


def describe_asked(asked: Flattening | ApprovalRequest) -> str:
    if isinstance(asked, ApprovalRequest):
        return f"No position is closed until a second person approves it, by {asked.expires_at:%H:%M:%S} UTC."
    return "The positions are being closed; what is left stands with the sweep, and on the page of each position."


def tell(request: HttpRequest, done: Engagement) -> None:
    """What an engagement achieved, in one sentence per fact."""
    name = named(done.scope, done.target)
    gate = (
        "the gate is closed in every process"
        if done.drained
        else "the gate is closing: a permit may still be in use"
    )
    text = f"{name} is {done.state}: {gate} (epoch {done.epoch}, {done.seconds:.2f} s)."
    if done.in_flight:
        text += f" {len(done.in_flight)} sent before it, outcome pending."
    if done.sweep_id:
        text += " The sweep is canceling what is open."
    messages.success(request, text)


@admin.register(HaltState)
class KillSwitchScreen(PanelAdmin):
    topics = ("algos",)

    def pages(self) -> Sequence[Page]:
        return [
            ("stop/", "stop", self.stop_view),
            ("engage/", "engage", self.engage_view),
            ("release/", "release", self.release_view),
            ("cancel-all/", "cancel_all", self.cancel_all_view),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if not self.has_view_permission(request):
            raise PermissionDenied("Your roles do not let you look at the kill switch.")
        root, groups = read_scope_tree()
        everything_missing = missing_for_release(HaltScope.EVERYTHING, "")
        page = Detail(
            title="Kill switch",
            lead="A halt stays until a person releases it; nothing expires by itself. The most restrictive scope wins.",
            extra={
                "root": root,
                "groups": groups,
                "missing": everything_missing,
                "epoch": current_epoch(),
                "sweeps": describe_sweeps(recent_sweeps()),
                "changes": describe_changes(recent_changes()),
                "algos": _algos() if request.user.has_perm("trading.view_algo") else None,
                "dead_man": read_dead_man(),
                "drills": read_drills(),
                "glass": read_glass(),
                "release_takes": _release_takes(),
                "waiting": waiting_requests(ApprovalKind.RELEASE),
                "quick_reasons": QUICK_REASONS,
                "cancel_choices": CANCEL_CHOICES,
                "may_engage": request.user.has_perm("trading.engage_halt"),
                "may_release": request.user.has_perm("trading.release_halt"),
                "may_cancel": request.user.has_perm("trading.cancel_order"),
                "may_flatten": request.user.has_perm(FLATTEN),
                "flatten_waits": waiting_requests(ApprovalKind.FLATTEN),
            },
        )
        return self.show(request, "panel/kill_switch.html", page)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """A scope has no page of its own: it stands in the tree."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        self.find_row(request, object_id)
        return go("haltstate")

    @method_decorator(require_POST)
    def stop_view(self, request: HttpRequest) -> HttpResponse:
        demand(request, "trading.engage_halt")
        reason = request.POST.get("reason", "").strip()[:MAX_REASON] or DEFAULT_REASON
        done = attempt(
            request, lambda: engage(HaltScope.EVERYTHING, "", reason=reason, actor=actor_of(request))
        )
        if done is not None:
            tell(request, done)
        return go("haltstate")

    @method_decorator(require_POST)
    def engage_view(self, request: HttpRequest) -> HttpResponse:
        demand(request, "trading.engage_halt")
        form = EngageForm(request.POST)
        if accept(request, form):
            done = attempt(request, lambda: _engage(form.cleaned_data, request))
            if done is not None:
                tell(request, done)
                if form.cleaned_data["flatten"]:
                    close_after(request, done, form.cleaned_data["reason"])
        return go("haltstate")

    @method_decorator(require_POST)
    def release_view(self, request: HttpRequest) -> HttpResponse:
        demand(request, "trading.release_halt")
        form = ReleaseForm(request.POST)
        if accept(request, form):
            given = form.cleaned_data
            scope, target = HaltScope(given["scope"]), given["target"]
            missing = missing_for_release(scope, target)
            for sentence in missing:
                messages.error(request, sentence)
            done = None if missing else attempt(request, lambda: _release(scope, target, given, request))
            if done is not None:
                messages.success(request, named(scope, target) + _outcome(done))
        return go("haltstate")

    @method_decorator(require_POST)
    def cancel_all_view(self, request: HttpRequest) -> HttpResponse:
        """Cancel without halting: the strategies go on."""
        demand(request, "trading.cancel_order")
        done = attempt(request, lambda: cancel_all(CancelScope.OURS, actor=actor_of(request)))
        if done is not None:
            messages.success(request, f"Cancel requested for {_named_orders(done)}. Trading goes on.")
        return go("haltstate")


def _named_orders(done: dict[str, Any]) -> str:
    algos = len(done["algos"])
    said = f"{done['requested']} orders"
    return f"{said} and {algos} {'algo' if algos == 1 else 'algos'}" if algos else said


def _algos() -> Table | None:
    """Which algos a halt pauses or has paused; None while none lives."""
    rows, counts = living_algos(MOST), count_living()
    if not rows:
        return None
    note = halted_note(counts)
    return algos_table(living_title(counts), rows, timezone.now(), note=note, query="?state=living")


def _release_takes() -> list[str]:
    """Beyond the role and a reason, which every release takes."""
    taken = []
    if factor_is_required():
        taken.append("a code of your authenticator, not older than five minutes")
    if needs_second_person(ApprovalKind.RELEASE):
        taken.append("another operator with the role risk, who approves it within ten minutes")
    return taken


def close_after(request: HttpRequest, done: Engagement, reason: str) -> None:
    """The halt stands whatever comes of this."""
    if not request.user.has_perm(FLATTEN):
        messages.error(request, "No position is closed: that needs the role risk. The halt stands.")
        return
    asked = flatten_after(done, reason=reason or DEFAULT_REASON, actor=actor_of(request))
    if isinstance(asked, LeviError):
        messages.error(request, f"No position is closed: {asked}")
    else:
        messages.success(request, describe_asked(asked))


def _engage(given: dict[str, Any], request: HttpRequest) -> Engagement:
    scope = HaltScope(given["scope"])
    return engage(
        scope,
        "" if scope is HaltScope.EVERYTHING else given["target"],
        state=TradingState(given["state"]),
        reason=given["reason"] or "set on the kill-switch page",
        actor=actor_of(request),
        cancel=CancelScope(given["cancel"]) if given["cancel"] else None,
    )


def _release(
    scope: HaltScope, target: str, given: dict[str, Any], request: HttpRequest
) -> HaltState | ApprovalRequest:
    return release_or_propose(
        scope, target, reason=given["reason"], actor=actor_of(request), seen_epoch=given["seen_epoch"]
    )


def _outcome(done: HaltState | ApprovalRequest) -> str:
    if isinstance(done, ApprovalRequest):
        return f" stays halted until a second person approves its release, by {done.expires_at:%H:%M:%S} UTC."
    return " is active again. Orders approved before the halt stay void."
