"""What surrounds the trading day on a desk in use: a report, exports, approvals, alert channels, tokens, schedules.

Rows written straight into the tables, in every state a list can show; nothing of it is sent or done.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group, User
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from tests.admin.algos_of_the_day import plan_algos
from tests.admin.trading_day import TradingDay
from trading.domain.actors import system_actor
from trading.execution.daily_reports import make_report
from trading.models import (
    AlertChannel,
    AlertDelivery,
    ApiToken,
    ApprovalRequest,
    ExportJob,
    Invitation,
    SavedFilter,
    Webhook,
)
from trading.queries.equity import trading_day


def furnish(day: TradingDay, people: dict[str, User]) -> None:
    plan_algos(day)
    make_report(trading_day(), actor=system_actor("tests"))
    _ask_approvals(day)
    _ask_exports(day)
    _open_channels(day)
    _admit(day)
    every = IntervalSchedule.objects.create(every=10, period="seconds")
    for name, is_enabled in (("sync of every account", True), ("drill of the kill switch", False)):
        PeriodicTask.objects.create(
            name=name,
            task="trading.sync_account",
            interval=every,
            enabled=is_enabled,
            last_run_at=day.now - timedelta(seconds=7),
            total_run_count=48_211,
        )
    SavedFilter.objects.create(
        user=people["super"], page="/admin/trading/order/", name="refused today", query="status=denied"
    )


def _ask_approvals(day: TradingDay) -> None:
    for number, (kind, state, subject) in enumerate(
        [
            ("release", "pending", "Trading begins again for everything, 3 accounts, with limits v2."),
            ("limits", "approved", "The order notional for everything rises from 1000 to 1500 USD."),
            ("flatten", "refused", "BTC/USDT on paper is closed at the market's price: 0.0231 BTC."),
        ]
    ):
        asked = day.now - timedelta(minutes=2 + 90 * number)
        decided: dict[str, Any] = (
            {} if state == "pending" else {"decided_by": "operator:olga", "decided_at": asked}
        )
        ApprovalRequest.objects.create(
            kind=kind, state=state, subject=subject, payload={"scope": "everything", "target": "", "limits": 2},
            payload_hash=f"{number}4c1f" * 12 + "abcd", epoch=4, requested_by="operator:ruth",
            reason="Venue answers again, books agree", requested_at=asked,
            expires_at=asked + timedelta(minutes=10), answer="Not today." if state == "refused" else "", **decided,
        )  # fmt: skip


def _ask_exports(day: TradingDay) -> None:
    for number, (source, state, done, total, size, error) in enumerate(
        [
            ("orders", "waiting", 0, None, 0, ""),
            ("fills", "running", 1_250_000, 3_000_000, 0, ""),
            ("orders", "done", 13, 13, 4_812, ""),
            ("audit", "failed", 70_000, 5_000_000, 0, "No space is left on the disk of HOME_DIR."),
            ("fills", "expired", 2, 2, 611, ""),
        ]
    ):
        asked = day.now - timedelta(minutes=3 + 40 * number)
        ExportJob.objects.create(
            source=source, format="csv", actor="operator:root", state=state, rows_done=done, rows_total=total,
            size=size, error=error, requested_at=asked, moved_at=asked, host="host",
            finished_at=None if state in ("waiting", "running") else asked + timedelta(seconds=41),
            expires_at=day.now + timedelta(hours=23) if state == "done" else None,
        )  # fmt: skip


def _open_channels(day: TradingDay) -> None:
    failing = {
        "failing_since": day.now - timedelta(minutes=9),
        "failures": 4,
        "last_error": "The address did not answer within 10 s.",
    }
    for name, kind, more in (
        ("night-desk", "jsons://…", {**failing, "events": ["halt", "break.opened"]}),
        ("phone-of-olga", "tgram://…", {"delivered_at": day.now - timedelta(minutes=2), "anchors": True}),
    ):
        channel = AlertChannel.objects.create(
            name=name, sealed_url=b"sealed", sealed_with="0011", url_hint=kind, **more
        )
        for number, state in enumerate(("delivered", "given_up" if "failures" in more else "waiting")):
            AlertDelivery.objects.create(
                channel=channel, purpose="test", subject="A test", severity="info", state=state, attempts=1 + number,
                error=more.get("last_error", "") if state == "given_up" else "",
                created_at=day.now - timedelta(minutes=number),
            )  # fmt: skip


def _admit(day: TradingDay) -> None:
    ends = day.now + timedelta(days=88)
    for name, more in (
        ("mean-reversion-bot", {"last_used_at": day.now - timedelta(seconds=6), "addresses": ["10.0.0.0/8"]}),
        ("old-notebook", {"revoked_at": day.now - timedelta(days=3)}),
    ):
        token = ApiToken.objects.create(
            name=name, lookup=name, secret_hash="0" * 64, created_by="operator:ada", expires_at=ends, **more
        )
        token.roles.set(Group.objects.filter(name__in=("viewer", "trader")))
    Webhook.objects.create(
        name="chart", slug="c0ffee", secret_hash="0" * 64, strategy=day.strategy, created_by="operator:ada",
        expires_at=ends, last_used_at=day.now - timedelta(minutes=12), addresses=["52.89.214.238/32"],
    )  # fmt: skip
    for name, used in (("olga", None), ("rita", day.now - timedelta(hours=20))):
        Invitation.objects.create(
            username=name, roles=["viewer", "risk"], secret_hash=name * 16, created_by="operator:ada",
            created_at=timezone.now() - timedelta(hours=21), expires_at=day.now + timedelta(hours=3), used_at=used,
        )  # fmt: skip
