"""What is said to who sent a form after the sign-in had ended: that nothing was done with it, STOP above all.

The door is shown instead of what the form's page would have answered; without these words it would look like any other
sign-in. The way back leads to the page the form stood on, because the form's own address shows nothing.
"""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from django.contrib import messages
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

PANEL_PREFIX = "/admin/"
_NOT_DONE = "Nothing was done: your sign-in had ended. Sign in and do it again."
_NOT_STOPPED = "NOT STOPPED: your sign-in had ended. Sign in and press STOP again; it is on every page."
_NOT_PROVEN = "Nothing was done: the second factor is asked for first. Show it and do it again."


def say_not_done(request: HttpRequest, response: HttpResponse, *, was_stopping: bool) -> HttpResponse:
    """The answer as it is, but for a form of the panel that was led to the door."""
    door = reverse("admin:login")
    if not _was_sent_by_a_person(request) or not response.get("Location", "").startswith(f"{door}?next="):
        return response
    messages.error(request, _NOT_STOPPED if was_stopping else _NOT_DONE)
    response["Location"] = f"{door}?{urlencode({'next': page_before(request) or reverse('admin:index')})}"
    return response


def say_not_proven(request: HttpRequest) -> None:
    if _was_sent_by_a_person(request):
        messages.error(request, _NOT_PROVEN)


def page_before(request: HttpRequest) -> str:
    """Where a form came from, if that is a page of the panel here."""
    if request.method in ("GET", "HEAD"):
        return ""
    try:
        before, here = urlsplit(request.headers.get("Referer", "")), request.get_host()
    except (ValueError, SuspiciousOperation):
        return ""
    is_ours = before.netloc == here and before.path.startswith(PANEL_PREFIX)
    return before._replace(scheme="", netloc="", fragment="").geturl() if is_ours else ""


def _was_sent_by_a_person(request: HttpRequest) -> bool:
    """What a page's own script asks reads no words."""
    return (
        request.method == "POST"
        and request.path_info.startswith(PANEL_PREFIX)
        and request.headers.get("X-Levi-Fragment") != "1"
    )
