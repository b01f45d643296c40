"""Sign-ins, sign-outs, failures and lock-outs in the audit trail. Connected to Django's and axes' own signals.

A failure is written at most once a minute per name and address: who guesses must not be able to fill the trail. The
name of somebody who does not exist is not written at all, since people type their password into that field.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from axes.signals import user_locked_out
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from levi_site.request_id import get_request_id
from trading import audit
from trading.domain.actors import Actor, ActorKind
from trading.execution.second_factor import has_second_factor
from trading.execution.sessions import begin_session, end_session
from trading.models import ApiToken, Webhook

from .addresses import client_address
from .sessions import SignIn, operator_actor, read_sign_in, remember

_QUIET_SECONDS = 60.0
_MOST_REMEMBERED = 10_000
_last: dict[tuple[str, ...], float] = {}
_lock = threading.Lock()


def worth_recording(*what: str) -> bool:
    """True at most once a minute for the same thing in this process."""
    now = time.monotonic()
    with _lock:
        if now - _last.get(what, -_QUIET_SECONDS) < _QUIET_SECONDS:
            return False
        if len(_last) > _MOST_REMEMBERED:
            _last.clear()
        _last[what] = now
        return True


def forget_recorded() -> None:
    with _lock:
        _last.clear()


def on_sign_in(sender: Any, request: HttpRequest, user: User, **_more: Any) -> None:
    address, browser = client_address(request), request.META.get("HTTP_USER_AGENT", "")
    actor = Actor(ActorKind.OPERATOR, user.username, get_request_id())
    row = begin_session(user, address=address, browser=browser, actor=actor)
    remember(request, SignIn(row.pk, timezone.now(), has_second_factor(user)))


def on_sign_out(sender: Any, request: HttpRequest, user: User | None, **_more: Any) -> None:
    sign_in = read_sign_in(request) if user is not None else None
    if sign_in is not None:
        request.user = user  # type: ignore[assignment]
        end_session(sign_in.session_id, why="signed out", actor=operator_actor(request))


def on_failure(
    sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **_more: Any
) -> None:
    _record_refusal("session.refused", str(credentials.get("username", "")), request)


def on_lock_out(sender: Any, request: HttpRequest | None = None, username: str = "", **_more: Any) -> None:
    _record_refusal("session.locked_out", username or "", request)


def _record_refusal(kind: str, username: str, request: HttpRequest | None) -> None:
    user = User.objects.filter(username=username).first()
    address = client_address(request) if request is not None else ""
    if not worth_recording(kind, user.username if user else "", address):
        return
    known = {"username": user.username} if user else {}
    with transaction.atomic():
        audit.record(
            kind,
            actor=Actor(ActorKind.OPERATOR, user.username if user else "unknown", get_request_id()),
            object_type="operator",
            object_id=user.pk if user else "",
            data={"address": address, **known},
        )


def record_refused_token(plain: str, code: str, address: str) -> None:
    """Which token it was, if its public part is one of ours; never what was sent."""
    parts = plain.split(".")
    known = ApiToken.objects.filter(lookup=parts[1][:24]).first() if len(parts) == 3 else None
    name = known.name if known else "unknown"
    if not worth_recording("token.refused", name, address, code):
        return
    with transaction.atomic():
        audit.record(
            "token.refused",
            actor=Actor(ActorKind.CLIENT, name, get_request_id()),
            object_type="token",
            object_id=known.pk if known else "",
            data={"name": name, "code": code, "address": address},
        )


def record_refused_webhook(slug: str, address: str) -> None:
    """Which webhook it was, if its address is one of ours; never what was sent."""
    known = Webhook.objects.filter(slug=slug[:24]).first()
    name = known.name if known else "unknown"
    if not worth_recording("webhook.refused", name, address):
        return
    with transaction.atomic():
        audit.record(
            "webhook.refused",
            actor=Actor(ActorKind.WEBHOOK, name, get_request_id()),
            object_type="webhook",
            object_id=known.pk if known else "",
            data={"name": name, "address": address},
        )


def connect() -> None:
    user_logged_in.connect(on_sign_in, dispatch_uid="levi.sign_in")
    user_logged_out.connect(on_sign_out, dispatch_uid="levi.sign_out")
    user_login_failed.connect(on_failure, dispatch_uid="levi.sign_in_failed")
    user_locked_out.connect(on_lock_out, dispatch_uid="levi.locked_out")
