"""The build that may send: set when an installation is started or migrated as a whole, or by a person's word.

Two builds beside each other must not both send: an old one would act by rules that the new one has changed. The permit
asks for the expected build, so that a worker of another one sends nothing, whatever it believes. Everything else it may
do: cancels, evidence and lapsed approvals are never blocked by an upgrade. Approvals wait for a worker of the
expected build until they expire.
"""

from __future__ import annotations

import logging
import re

from django.conf import settings
from django.db import transaction

from trading import audit
from trading.domain.actors import Actor
from trading.domain.errors import InvalidInput, NotAllowed
from trading.models import ControlEpoch
from trading.queries.builds import expected_build, is_welcome

log = logging.getLogger(__name__)
_NAME = re.compile(r"[0-9A-Za-z._-]{1,40}")


def expect_build(build: str, *, actor: Actor) -> bool:
    """From its commit on only this build gets permits; empty: any. False if that was so already."""
    if build and not _NAME.fullmatch(build):
        raise InvalidInput(
            f"{build!r} cannot be a build.",
            remedy="Give what `manage.py expect_build` shows for a process: up to 40 letters, digits, '.', '_', '-'.",
            field="build",
        )
    with transaction.atomic(durable=True):
        before = expected_build()
        if before == build:
            return False
        if not ControlEpoch.objects.filter(id=1).update(expected_build=build):
            raise NotAllowed(
                "The control state is missing; nothing can be sent at all.",
                remedy="Restore the database, or migrate it.",
                code="no_control_state",
            )
        audit.record(
            "build.expected", actor=actor, object_type="build", data={"before": before, "after": build}
        )
    return True


class _Standing:
    """What this process remembers of its last refusal, so that the way of a welcome build costs no statement."""

    refused_for = ""


def look_after_refusal() -> None:
    """A permit was refused: was it for our build? Said once, until another build is expected."""
    expected = expected_build()
    if is_welcome(settings.BUILD, expected):
        _Standing.refused_for = ""
        return
    if _Standing.refused_for != expected:
        log.error(
            "this process is build %s, but only %s gets permits: it sends nothing. Restart it with the new code, "
            "or run `manage.py expect_build` if the new build is the wrong one",
            settings.BUILD,
            expected,
        )
    _Standing.refused_for = expected


def stands_back() -> bool:
    """Whether this process should not even try: it would take its share of the rate limit from those who may send."""
    if not _Standing.refused_for:
        return False
    look_after_refusal()
    return bool(_Standing.refused_for)
