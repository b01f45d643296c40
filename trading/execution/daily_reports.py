"""Makes the daily report, keeps it as a row and as files under HOME_DIR/reports, and takes its signature.

Until it is signed a report may be made anew; the signature is of the content's digest, and what is signed never changes
(a trigger in the database refuses it). The files are copies for people: the row is the record.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from trading import audit
from trading.domain.actors import Actor
from trading.domain.chain import canonical, canonical_bytes
from trading.domain.errors import InvalidInput, NotAllowed, StaleDecision, UnknownName
from trading.locking import lock_report
from trading.models import DailyReport
from trading.queries.daily_report import read_daily_report
from trading.queries.equity import trading_day

MAX_NOTE = 300


def make_report(day: date, *, actor: Actor) -> DailyReport:
    """The report of the day as of now; a signed one is returned as it is."""
    if day > trading_day():
        raise InvalidInput(
            f"The day {day} has not begun.", remedy="Name today or an earlier day.", field="day"
        )
    content = canonical(read_daily_report(day))
    digest = hashlib.sha256(canonical_bytes(content)).hexdigest()
    now = timezone.now()
    with transaction.atomic(durable=True):
        DailyReport.objects.bulk_create([DailyReport(day=day, created_at=now)], ignore_conflicts=True)
        row = lock_report(day)
        if row is None:
            raise UnknownName(f"There is no report of {day}.", code="unknown_report")
        if row.signed_at is None:
            is_new = row.digest != digest
            row.content, row.digest, row.created_at = content, digest, now
            row.save(update_fields=["content", "digest", "created_at"])
            if is_new:
                audit.record(
                    "report.made", actor=actor, object_type="report", object_id=day, data={"digest": digest}
                )
    return row


def sign_report(day: date, *, digest: str, note: str, actor: Actor) -> DailyReport:
    """A person has read it. `digest`: of what was shown."""
    with transaction.atomic(durable=True):
        row = lock_report(day)
        if row is None:
            raise UnknownName(f"There is no report of {day}.", remedy="Make it first.", code="unknown_report")
        if row.signed_at is not None:
            raise NotAllowed(f"{row.signed_by} has signed it already.", code="report_is_signed")
        if day >= trading_day():
            raise NotAllowed(
                "This day is not over.", remedy="Sign it when the next day has begun.", code="day_not_over"
            )
        if row.digest != digest:
            raise StaleDecision("The report was made anew since it was shown.", remedy="Read it again.")
        row.signed_by, row.signed_at, row.note = actor.name, timezone.now(), note.strip()[:MAX_NOTE]
        row.save(update_fields=["signed_by", "signed_at", "note"])
        audit.record(
            "report.signed",
            actor=actor,
            object_type="report",
            object_id=day,
            data={"digest": digest, "note": row.note},
        )
    return row


def write_report_files(row: DailyReport) -> list[Path]:
    """JSON for programs and text for people; written whole or not at all."""
    folder = Path(settings.HOME_DIR) / "reports"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    document = {
        "report": row.content,
        "digest": row.digest,
        "signed_by": row.signed_by or None,
        "signed_at": row.signed_at.isoformat() if row.signed_at else None,
        "note": row.note,
    }
    texts = {
        "json": json.dumps(document, ensure_ascii=False, indent=2) + "\n",
        "txt": describe_report(row) + "\n",
    }
    files = []
    for ending, text in texts.items():
        file = folder / f"{row.day}.{ending}"
        fresh = file.with_suffix(f".{ending}.new")
        fresh.write_text(text, encoding="utf-8")
        files.append(fresh.replace(file))
    return files


def describe_report(row: DailyReport) -> str:
    content = row.content
    span = f"{_minute(content.get('begins'))} to {_minute(content.get('ends'))} UTC"
    lines = [f"Daily report of {row.day} ({content.get('mode', '')}), {span}"]
    for account in content.get("accounts", ()):
        lines += ["", *_describe_account(account, content.get("reporting_currency", ""))]
    lines += ["", f"halts and releases: {len(content.get('halts', ()))}", f"digest: {row.digest}"]
    lines.append(
        f"signed by {row.signed_by} at {row.signed_at:%Y-%m-%d %H:%M} UTC: {row.note}"
        if row.signed_at
        else "not signed"
    )
    return "\n".join(lines)


def _minute(text: str | None) -> str:
    """A stored instant, as a person reads it; days begin on the hour."""
    return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M}" if text else "unknown"


def _describe_account(account: dict[str, Any], currency: str) -> list[str]:
    def known(name: str) -> str:
        return "unknown" if account[name] is None else f"{account[name]} {currency}"

    looks = account["looks"]
    lines = [
        f"{account['account']}",
        f"  equity {known('equity_first')} to {known('equity_last')}",
        f"  transfers {known('transfers')}; PnL {known('pnl')}",
        f"  {account['fills']} fills; {looks['complete']} of {looks['all']} looks at the venue complete",
    ]
    for row in account["movements"]:
        lines.append(f"  {row['kind']:<11} {row['asset']:<8} {row['quantity']:>28} in {row['count']}")
    for row in account["balances"]:
        lines.append(
            f"  balance     {row['asset']:<8} {row['booked']:>28} booked, {row['drift']} unexplained"
        )
    for row in account["breaks"]:
        lines.append(
            f"  BREAK {row['kind']} {row['subject']}: ours {row['ours'] or 'unknown'}, "
            f"the venue's {row['theirs'] or 'unknown'}, "
            f"{row['age_seconds']} s, {row['state']} {row['resolution']} {row['owner']}".rstrip()
        )
    return lines if account["breaks"] else [*lines, "  no difference to the venue"]
