"""The signed token of a check: good for exactly what was checked, for whoever checked it, for ten minutes, once.

What is sent uses it as the idempotency key, so that a double click, a reload and the back button end in the same one.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.core.signing import BadSignature, SignatureExpired, TimestampSigner
from django.http import HttpRequest

TOKEN_SECONDS = 600
_signer = TimestampSigner(salt="levi.panel.ticket")


def issue_token(request: HttpRequest, body: dict[str, Any]) -> str:
    return _signer.sign(f"{uuid4().hex}|{request.user.pk}|{_print_of(body)}")


def read_token(
    request: HttpRequest, body: dict[str, Any], *, what: str = "order", send: str = "place"
) -> str | None:
    """The idempotency key inside, or None after telling the operator why this token is not good."""
    try:
        key, user, checked = _signer.unsign(request.POST.get("token", ""), max_age=TOKEN_SECONDS).split(
            "|", 2
        )
    except SignatureExpired:
        messages.error(request, f"This check is more than ten minutes old: check again, then {send}.")
        return None
    except (BadSignature, ValueError):
        messages.error(request, f"Check the {what} first, then {send} it.")
        return None
    if user != str(request.user.pk) or checked != _print_of(body):
        messages.error(request, f"The {what} differs from what was checked: check again, then {send}.")
        return None
    return f"ticket-{key}"


def _print_of(body: dict[str, Any]) -> str:
    return json.dumps(body, sort_keys=True, separators=(",", ":"))
