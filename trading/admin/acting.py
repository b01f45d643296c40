"""What every change made in the panel has in common: who did it, and how its outcome is told.

A verb's expected failure becomes one clear message with its remedy; anything else is a defect and not hidden. Pages
redirect by name after a POST, never to an address taken from the request.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from trading.domain.actors import Actor
from trading.domain.errors import LeviError
from trading.execution.authority import FACTOR_REQUIRED
from trading.sign_in.sessions import operator_actor

from .cells import page_url

Result = TypeVar("Result")


def actor_of(request: HttpRequest) -> Actor:
    return operator_actor(request)


def attempt(request: HttpRequest, verb: Callable[[], Result]) -> Result | None:
    """The verb's result, or None after its failure was put into words for the operator."""
    try:
        return verb()
    except LeviError as error:
        pass_on(error)
        messages.error(request, str(error))
        return None


def pass_on(error: LeviError) -> None:
    """A verb that wants a fresh second factor is answered by the page that asks for it (step_up.StepUp)."""
    if error.code == FACTOR_REQUIRED:
        raise error


def accept(request: HttpRequest, form: Form) -> bool:
    """True if the form is valid; otherwise its mistakes become messages."""
    if form.is_valid():
        return True
    for name, mistakes in form.errors.items():
        label = form.fields[name].label or name.replace("_", " ") if name in form.fields else ""
        for mistake in mistakes:
            messages.error(request, f"{str(label).capitalize()}: {mistake}" if label else str(mistake))
    return False


def go(model_name: str, page: str = "changelist", *args: object) -> HttpResponse:
    return HttpResponseRedirect(page_url(model_name, page, *args))
