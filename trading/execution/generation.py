"""Recognises a database that is older than what this host has seen: a restored backup, a failover that lost commits.

The supervisor keeps the highest epoch and the newest audit entry outside the database (HOME_DIR/generation.json). A
database that knows less, or not that very entry, has forgotten orders, halts or limits: in testnet and production
everything is halted, with that reason, until a person has looked. The number alone would not tell: a server that takes
over leaves a gap in them, so that its first new entry may be beyond what was lost. It is asked at the start, after
every reconnect and every few seconds, because a failover or a restore needs no restart of ours. What is older is noted
only once that halt is committed, so that it is halted once and not again after the release. Paper only takes note. A
missing file proves nothing and halts nothing.
"""

from __future__ import annotations

import json
import logging
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings

from trading.domain.actors import system_actor
from trading.domain.enums import HaltScope, TradingMode
from trading.models import AuditEntry
from trading.queries.halts import current_epoch

from .halts import engage

log = logging.getLogger(__name__)
ACTOR = system_actor("start")
TRIGGER = "restored_backup"


@dataclass(frozen=True, slots=True)
class Generation:
    """How far the database has come. Both numbers only ever grow; `entry_hash` is that audit entry's, if known."""

    epoch: int
    audit_entry: int
    entry_hash: str = ""

    def is_before(self, other: Generation) -> bool:
        return self.epoch < other.epoch or self.audit_entry < other.audit_entry


def generation_file() -> Path:
    path: Path = settings.HOME_DIR / "generation.json"
    return path


def read_generation() -> Generation:
    """Of the database. Raises Django's database errors."""
    newest = AuditEntry.objects.order_by("-id").values_list("id", "hash").first()
    return Generation(current_epoch(), *(newest or (0, "")))


def _forgot(noted: Generation) -> bool:
    """Whether the audit entry that was the newest is not there any more, or is another one."""
    is_known = bool(noted.audit_entry and noted.entry_hash)
    return is_known and not AuditEntry.objects.filter(pk=noted.audit_entry, hash=noted.entry_hash).exists()


def find_noted() -> Generation | None:
    """None for a first start, and for a file that is no evidence of anything."""
    try:
        noted = json.loads(generation_file().read_text(encoding="utf-8"))
        return Generation(int(noted["epoch"]), int(noted["audit_entry"]), str(noted.get("entry_hash", "")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("%s cannot be read (%s)", generation_file(), type(error).__name__)
        return None


def check_generation() -> str:
    """Halt if the database is older than noted, then note what it knows. The reason, or nothing."""
    noted = find_noted()  # before the database, which another process may have noted further meanwhile
    found = read_generation()
    if found == noted:
        return ""
    reason = ""
    is_older = noted is not None and (found.is_before(noted) or _forgot(noted))
    if noted is not None and is_older and settings.LEVI_MODE != TradingMode.PAPER:
        reason = (
            f"the database is older than this host remembers (epoch {found.epoch} after {noted.epoch}, audit entry "
            f"{found.audit_entry} after {noted.audit_entry}): a restored backup or a lost commit"
        )
        log.error("automatic halt: %s", reason)
        engage(HaltScope.EVERYTHING, reason=reason, actor=ACTOR, trigger=TRIGGER)
        found = read_generation()
    _note(found)
    return reason


def _note(found: Generation) -> None:
    """Written as a whole and synced, so that a crash leaves the old one or the new one."""
    draft = generation_file().with_suffix(f".{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8") as handle:
            json.dump(asdict(found), handle)
            handle.flush()
            os.fsync(handle.fileno())
        draft.replace(generation_file())
    except OSError as error:  # an older note only remembers less; sweeps and halts must not end for it
        log.error("%s cannot be written (%s)", generation_file(), error.strerror)
        draft.unlink(missing_ok=True)
