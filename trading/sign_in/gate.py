"""The gate between a sign-in and everything else: how far somebody is signed in, and what that opens.

    over    nobody: the panel shows its sign-in, the API answers 401
    idle    only stopping works; everything else asks for the sign-in again
    half    only stopping, signing out, and the pages that ask for the second factor or enrol one
    open    everything the roles allow

Whoever may engage a halt can do so from any of the last three: stopping is never behind a second factor, a lock-out or
a break. A code sent along with a form of the panel (`levi_code`) proves the factor before the form's own page runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from trading.domain.errors import LeviError
from trading.execution.second_factor import has_second_factor, verify_code

from .not_done import say_not_done, say_not_proven
from .sessions import Standing, judge, note_presence, operator_actor, prove_factor

CODE_FIELD = "levi_code"
_GATED = ("/admin/", "/api/", "/live/")
_STOPPING = ("live/kill", "api/v1/halts/engage")
_PANEL_STOPPING = ("admin:trading_haltstate_stop", "admin:trading_haltstate_engage")
_FACTOR_PAGES = ("confirm", "enrol", "begin", "activate")


def is_stopping(request: HttpRequest) -> bool:
    """A POST that engages. What else these addresses could do asks for a fresh factor itself."""
    path = request.path_info
    return request.method == "POST" and (
        path.strip("/") in _STOPPING or path in [reverse(name) for name in _PANEL_STOPPING]
    )


def is_proving(request: HttpRequest) -> bool:
    """The pages that a half signed-in person needs."""
    names = [f"admin:trading_secondfactor_{page}" for page in _FACTOR_PAGES]
    return request.path_info in [reverse(name) for name in (*names, "admin:logout")]


def is_open_by_half(request: HttpRequest) -> bool:
    """The API refuses by itself (api.authentication), in its own words."""
    return not request.path_info.startswith("/admin/") or is_proving(request) or is_stopping(request)


class SignInGate:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.standing = None  # type: ignore[attr-defined]
        if not request.path_info.startswith(_GATED) or not request.user.is_authenticated:
            return self._pass(request)
        standing = judge(request)
        request.standing = standing  # type: ignore[attr-defined]
        if standing is Standing.OVER or (standing is Standing.IDLE and not is_stopping(request)):
            request.user = AnonymousUser()
        elif standing is Standing.HALF and not is_open_by_half(request):
            say_not_proven(request)
            return HttpResponseRedirect(_where_to_prove(request))
        response = self._pass(request)
        if standing in (Standing.OPEN, Standing.HALF) and request.user.is_authenticated:
            note_presence(request, response)
        return response

    def _pass(self, request: HttpRequest) -> HttpResponse:
        return say_not_done(request, self.get_response(request), was_stopping=is_stopping(request))

    def process_view(
        self, request: HttpRequest, view: Any, arguments: Any, named: Any
    ) -> HttpResponseBase | None:
        """After the CSRF check: a code that came along with the form of a page of the panel."""
        if (
            request.method == "POST"
            and request.path_info.startswith("/admin/")
            and request.user.is_authenticated
        ):
            code = request.POST.get(CODE_FIELD, "")
            if code and not is_proving(request):
                take_code(request, code)
        return None


def take_code(request: HttpRequest, code: str) -> bool:
    """Prove the factor; a wrong code becomes a message."""
    try:
        prove_factor(request, verify_code(request.user, code, actor=operator_actor(request)))  # type: ignore[arg-type]
    except LeviError as error:
        messages.error(request, str(error))
        return False
    return True


def _where_to_prove(request: HttpRequest) -> str:
    page = "confirm" if has_second_factor(request.user) else "enrol"  # type: ignore[arg-type]
    url = reverse(f"admin:trading_secondfactor_{page}")
    if request.method != "GET" or request.path_info == reverse("admin:index"):
        return url
    return f"{url}?{urlencode({'next': request.get_full_path()})}"
