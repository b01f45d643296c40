"""Writes the sealed key file that `manage.py break_glass` opens when there is no database. Run on purpose only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from trading import audit
from trading.break_glass.key_file import GlassAccount, KeyRing, write_key_file
from trading.connections import describe
from trading.domain.errors import ConfigurationError
from trading.domain.money import plain
from trading.management.operator_command import OperatorCommand
from trading.models import ExchangeAccount
from trading.sealed_file import key_path
from trading.vault import open_credentials


def gather_accounts() -> tuple[GlassAccount, ...]:
    """Every account of this mode with a key, enabled or not: a disabled one may still have open orders."""
    found = []
    for row in ExchangeAccount.objects.filter(mode=settings.LEVI_MODE):
        credentials = open_credentials(row)
        if credentials is None:
            continue
        line = describe(row, credentials)
        found.append(
            GlassAccount(
                name=row.name,
                venue=line.venue.value,
                environment=line.environment.value,
                base_url=line.base_url,
                key=credentials.key,
                secret=credentials.secret,
                timeout_seconds=int(line.timeout_seconds),
                rate_limit_rps=plain(line.rate_limit_rps),
                limit_scale=line.limit_scale,
            )
        )
    return tuple(found)


class Command(OperatorCommand):
    help = "Write the sealed key file for break_glass. Repeat it after a key was added or replaced."

    def work(self, options: Mapping[str, Any]) -> None:
        accounts = gather_accounts()
        if not accounts:
            raise ConfigurationError(
                "No account of this mode has credentials.",
                remedy="Store an API key for one in the panel first.",
            )
        path = key_path(settings.HOME_DIR)
        names = [account.name for account in accounts]
        with transaction.atomic(durable=True):
            audit.record(
                "break_glass.prepared",
                actor=self.actor,
                object_type="account",
                object_id="all",
                data={"accounts": names, "file": path.name},
            )
            write_key_file(
                path, KeyRing(settings.INSTANCE_ID, datetime.now(UTC), accounts), settings.ENCRYPTION_KEY
            )
        self.report(
            {"file": str(path), "accounts": names},
            f"Sealed the keys of {', '.join(names)} into {path}. It opens with LEVI_ENCRYPTION_KEY only.",
        )
