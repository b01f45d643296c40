"""The second factor: enrolling an authenticator, taking a code once, recovery codes, and starting over.

A code is taken under a lock of the person's row and moves `last_step` forward, so that the same code (or an older one)
never counts twice, however many requests bring it at once. Five wrong codes within fifteen minutes close the door for
as long; whoever is signed in can stop trading all the while. The key is sealed at rest and shown only while it is being
enrolled; recovery codes are shown once and stored as hashes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django_otp.oath import totp

from trading import audit
from trading.domain.actors import Actor
from trading.domain.errors import ConfigurationError, InvalidInput, NotAllowed
from trading.locking import lock_second_factor
from trading.models import RecoveryCode, SecondFactor
from trading.vault import open_text, seal_text

from .authority import FACTOR_REQUIRED, has_fresh_factor
from .halts import MAX_REASON

STEP_SECONDS = 30
DIGITS = 6
DRIFT_STEPS = 1  # the phone's clock may be half a minute off
MOST_FAILURES = 5
WINDOW = timedelta(minutes=15)
RECOVERY_CODES = 10
_PURPOSE = "second factor"
_KEY_BYTES = 20


def has_second_factor(user: User) -> bool:
    return SecondFactor.objects.filter(pk=user.pk, sealed_key__isnull=False).exists()


def begin_enrolment(user: User, *, actor: Actor) -> None:
    """A new key, to be confirmed by a code. One that is in force stays so until then, and must have been shown."""
    _demand_old_factor(user, actor)
    sealed = seal_text(base64.b32encode(secrets.token_bytes(_KEY_BYTES)).decode(), _owner(user), _PURPOSE)
    with transaction.atomic(durable=True):
        SecondFactor.objects.update_or_create(user=user, defaults={"sealed_next": sealed})
        _record("begun", user, actor)


def find_new_key(user: User) -> str | None:
    """The key that waits for its confirmation, in base32, as an authenticator takes it."""
    row = SecondFactor.objects.filter(pk=user.pk).first()
    return _open(row.sealed_next, user) if row and row.sealed_next else None


def provisioning_uri(user: User, key: str, installation: str) -> str:
    """What the QR code says."""
    label = quote(f"{installation}:{user.username}")
    return f"otpauth://totp/{label}?{urlencode({'secret': key, 'issuer': installation})}"


def confirm_enrolment(user: User, code: str, *, actor: Actor) -> list[str]:
    """Put the new key into force; returns fresh recovery codes, to be shown once."""
    _demand_old_factor(user, actor)
    problem = ""
    with transaction.atomic(durable=True):
        row = lock_second_factor(user.pk)
        if row is None or not row.sealed_next:
            raise InvalidInput("There is no key to confirm.", remedy="Begin the enrolment again.")
        _refuse_if_throttled(row)
        step = _find_step(row.sealed_next, user, code, after=0)
        if step is None:
            problem = _note_failure(row, user, actor)
        else:
            row.sealed_key, row.sealed_next = row.sealed_next, None
            row.confirmed_at, row.last_step, row.failed_at = timezone.now(), step, []
            row.save()
            codes = _replace_recovery_codes(user)
            _record("enrolled", user, actor)
    if problem:
        raise NotAllowed(
            problem, remedy="Check the phone's clock and type the current code.", code="wrong_code"
        )
    return codes


def verify_code(user: User, code: str, *, actor: Actor) -> datetime:
    """When the person proved the factor: now. Raises NotAllowed: wrong_code, too_many_codes, no_second_factor."""
    problem = ""
    with transaction.atomic(durable=True):
        row = lock_second_factor(user.pk)
        if row is None or not row.sealed_key:
            raise NotAllowed(
                f"{user.username} has no second factor.",
                remedy="Sign in to the panel and enrol one.",
                code="no_second_factor",
            )
        _refuse_if_throttled(row)
        step = _find_step(row.sealed_key, user, code, after=row.last_step)
        if step is not None:
            row.last_step, row.failed_at = step, []
            row.save(update_fields=["last_step", "failed_at"])
            _record("confirmed", user, actor)
        elif _use_recovery_code(user, code):
            left = RecoveryCode.objects.filter(user=user, used_at=None).count()
            _record("recovery_code_used", user, actor, left=left)
        else:
            problem = _note_failure(row, user, actor)
    if problem:
        raise NotAllowed(problem, remedy="Type the current code; each counts once.", code="wrong_code")
    return timezone.now()


def replace_recovery_codes(user: User, *, actor: Actor) -> list[str]:
    """New ones; all earlier ones are void. To be shown once."""
    _demand_old_factor(user, actor)
    with transaction.atomic(durable=True):
        if lock_second_factor(user.pk) is None:
            raise InvalidInput("There is no second factor to recover.", remedy="Enrol one first.")
        codes = _replace_recovery_codes(user)
        _record("recovery_codes_replaced", user, actor)
    return codes


def count_recovery_codes(user: User) -> int:
    return RecoveryCode.objects.filter(user=user, used_at=None).count()


def remove_second_factor(user: User, *, reason: str, actor: Actor) -> None:
    """For a lost phone: the person enrols anew at the next sign-in. The caller ends the person's sessions."""
    reason = reason.strip()[:MAX_REASON]
    if not reason:
        raise InvalidInput("Removing a second factor needs a reason.", field="reason")
    with transaction.atomic(durable=True):
        RecoveryCode.objects.filter(user=user).delete()
        SecondFactor.objects.filter(pk=user.pk).delete()
        _record("removed", user, actor, reason=reason)


def _demand_old_factor(user: User, actor: Actor) -> None:
    """In every mode: who has a password only must not put their own authenticator in the place of the owner's."""
    if has_second_factor(user) and not has_fresh_factor(actor):
        raise NotAllowed(
            "Show the second factor that is in force first.",
            remedy="Confirm with a code of it, or with a recovery code.",
            code=FACTOR_REQUIRED,
        )


def _owner(user: User) -> str:
    return f"operator {user.pk}"


def _open(sealed: bytes | memoryview[int], user: User) -> str:
    key = open_text(sealed, _owner(user), _PURPOSE)
    if key is None:
        raise ConfigurationError(
            f"The second factor of {user.username} cannot be decrypted with this LEVI_ENCRYPTION_KEY.",
            remedy="Restore the key it was stored with, or remove the factor: `manage.py remove_second_factor`.",
        )
    return key


def _find_step(sealed: bytes | memoryview[int], user: User, code: str, *, after: int) -> int | None:
    """The time step whose code this is, if it is near now and newer than the last one that was taken."""
    digits = "".join(code.split())
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdecimal()):
        return None
    key = base64.b32decode(_open(sealed, user))
    now = int(time.time()) // STEP_SECONDS
    found = None
    for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1):
        expected = f"{totp(key, STEP_SECONDS, drift=step - now):0{DIGITS}d}"
        if hmac.compare_digest(expected, digits) and step > after:
            found = step
    return found


def _refuse_if_throttled(row: SecondFactor) -> None:
    recent = _recent(row)
    if len(recent) >= MOST_FAILURES:
        until = datetime.fromisoformat(recent[-MOST_FAILURES]) + WINDOW
        raise NotAllowed(
            f"Too many wrong codes. The next one is looked at after {until:%H:%M:%S} UTC.",
            remedy="Stopping trading works meanwhile.",
            code="too_many_codes",
        )


def _recent(row: SecondFactor) -> list[str]:
    since = (timezone.now() - WINDOW).isoformat()
    return [at for at in row.failed_at if at > since]


def _note_failure(row: SecondFactor, user: User, actor: Actor) -> str:
    row.failed_at = [*_recent(row), timezone.now().isoformat()]
    row.save(update_fields=["failed_at"])
    _record("refused", user, actor, failures=len(row.failed_at))
    left = MOST_FAILURES - len(row.failed_at)
    return f"That code is wrong or was used already; {left} more tries within fifteen minutes."


def _plain(code: str) -> str:
    return "".join(letter for letter in code.upper() if letter.isalnum())


def _hash(user: User, code: str) -> str:
    return hashlib.sha256(
        f"{user.pk}|{_plain(code)}".encode()
    ).hexdigest()  # 80 random bits need no slow hash


def _replace_recovery_codes(user: User) -> list[str]:
    RecoveryCode.objects.filter(user=user).delete()
    texts = [base64.b32encode(secrets.token_bytes(10)).decode() for _number in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(RecoveryCode(user=user, code_hash=_hash(user, text)) for text in texts)
    return ["-".join(text[start : start + 4] for start in range(0, len(text), 4)) for text in texts]


def _use_recovery_code(user: User, code: str) -> bool:
    fitting = RecoveryCode.objects.filter(user=user, code_hash=_hash(user, code), used_at=None)
    return bool(fitting.update(used_at=timezone.now()))


def _record(verb: str, user: User, actor: Actor, **data: Any) -> None:
    audit.record(
        f"factor.{verb}",
        actor=actor,
        object_type="operator",
        object_id=user.pk,
        data={"username": user.username, **data},
    )
