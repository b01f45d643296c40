"""Set-up's migrations: a large database must not be refused an upgrade because a statement of it takes long."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from trading.management.commands import seed_first_run


def statement_timeout() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        return str(cursor.fetchone()[0])


@pytest.mark.django_db
def test_migrations_may_take_as_long_as_they_need_and_nothing_after_them_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is migrated here: what is watched is the session in which it would be."""
    seen: list[tuple[str, str]] = []
    monkeypatch.setattr(seed_first_run, "has_migrations_to_run", lambda: True)
    monkeypatch.setattr(
        seed_first_run, "call_command", lambda name, **options: seen.append((name, statement_timeout()))
    )
    monkeypatch.setattr(seed_first_run, "grant_rights", lambda: seen.append(("rights", statement_timeout())))
    monkeypatch.setattr(seed_first_run, "seed_first_run", lambda *given: _first_rows(seen))
    call_command("seed_first_run", migrate=True)
    assert seen == [("migrate", "0"), ("rights", "5s"), ("first rows", "5s")]


def _first_rows(seen: list[Any]) -> dict[str, str]:
    seen.append(("first rows", statement_timeout()))
    return {}
