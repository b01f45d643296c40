"""What Django's session knows about a sign-in, and whether it still holds.

Three ends: twelve hours after the sign-in, whatever happens; half an hour without a page opened or a change made
(outside paper mode); or its row was ended. The half hour is kept in a signed cookie, so that looking writes nothing;
what a page fetches by itself does not count as a person who is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner, b62_decode
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from levi_site.request_id import get_request_id
from trading.domain.actors import Actor, ActorKind
from trading.execution.authority import factor_is_required
from trading.execution.sessions import note_act, session_is_open

KEY = "levi_sign_in"
ABSOLUTE = timedelta(hours=12)
IDLE = timedelta(minutes=30)
_REFRESH_AFTER = timedelta(minutes=1)
_signer = TimestampSigner(salt="levi.seen")


class Standing(StrEnum):
    """How far a request's person is signed in."""

    OPEN = "open"
    HALF = "half"  # the password was right, the second factor is still to be shown
    IDLE = "idle"  # nobody was there for half an hour: only stopping is open
    OVER = "over"  # ended, or older than twelve hours: nobody is signed in


@dataclass(frozen=True, slots=True)
class SignIn:
    """As it is kept in the session."""

    session_id: UUID
    at: datetime
    needs_factor: bool
    factor_at: datetime | None = None

    def as_dict(self) -> dict[str, object]:
        factor = self.factor_at.isoformat() if self.factor_at else None
        return {
            "id": str(self.session_id),
            "at": self.at.isoformat(),
            "needs_factor": self.needs_factor,
            "factor_at": factor,
        }


def remember(request: HttpRequest, sign_in: SignIn) -> None:
    request.session[KEY] = sign_in.as_dict()


def read_sign_in(request: HttpRequest) -> SignIn | None:
    found = request.session.get(KEY)
    if not found:
        return None
    factor = found["factor_at"]
    return SignIn(
        UUID(found["id"]),
        datetime.fromisoformat(found["at"]),
        bool(found["needs_factor"]),
        datetime.fromisoformat(factor) if factor else None,
    )


def prove_factor(request: HttpRequest, at: datetime) -> None:
    """The person has just shown the second factor: the session says so, under a new key."""
    sign_in = read_sign_in(request)
    if sign_in is None:
        return
    remember(request, SignIn(sign_in.session_id, sign_in.at, sign_in.needs_factor, at))
    request.session.cycle_key()
    note_act(sign_in.session_id)


def judge(request: HttpRequest) -> Standing:
    """Of a request whose session belongs to somebody."""
    sign_in = read_sign_in(request)
    now = timezone.now()
    if sign_in is None or now - sign_in.at > ABSOLUTE or not session_is_open(sign_in.session_id):
        return Standing.OVER
    if factor_is_required() and now - _last_seen(request, sign_in) > IDLE:
        return Standing.IDLE
    if (factor_is_required() or sign_in.needs_factor) and sign_in.factor_at is None:
        return Standing.HALF
    return Standing.OPEN


def operator_actor(request: HttpRequest, request_id: str = "") -> Actor:
    """The actor of everything a signed-in operator does."""
    session = getattr(request, "session", None)
    sign_in = read_sign_in(request) if session is not None else None
    return Actor(
        ActorKind.OPERATOR,
        request.user.get_username(),
        request_id or get_request_id(),
        sign_in.factor_at if sign_in else None,
    )


def seen_cookie_name() -> str:
    return settings.COOKIE_PREFIX + "seen"


def note_presence(request: HttpRequest, response: HttpResponseBase) -> None:
    """A page was opened or something was changed: the half hour begins anew."""
    by_itself = request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate"
    sign_in = read_sign_in(request)
    if sign_in is None or (by_itself and request.method in ("GET", "HEAD")):
        return
    seen = _read_seen(request, sign_in)
    if seen is None or timezone.now() - seen > _REFRESH_AFTER:
        response.set_cookie(
            seen_cookie_name(),
            _signer.sign(str(sign_in.session_id)),
            max_age=int(ABSOLUTE.total_seconds()),
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite=settings.SESSION_COOKIE_SAMESITE,
        )


def _last_seen(request: HttpRequest, sign_in: SignIn) -> datetime:
    known = (sign_in.at, sign_in.factor_at, _read_seen(request, sign_in))
    return max(moment for moment in known if moment is not None)


def _read_seen(request: HttpRequest, sign_in: SignIn) -> datetime | None:
    """When the cookie was signed, if it is ours and of this session."""
    signed = request.COOKIES.get(seen_cookie_name(), "")
    try:
        if _signer.unsign(signed) != str(sign_in.session_id):
            return None
    except BadSignature:
        return None
    return datetime.fromtimestamp(_stamp(signed), UTC)


def _stamp(signed: str) -> int:

    return int(b62_decode(signed.rsplit(":", 2)[1]))
