"""Gives the application's database role its rights, where an operator (or the embedded server) has made that role.

The rights stand in ops/sql/roles.sql. Run by the owner of the tables after each migration; nothing happens where the
role does not exist or the process connects as that role itself.
"""

from __future__ import annotations

from django.db import connection, transaction

from levi_site.env import REPO_DIR

APP_ROLE = "levi_app"
RIGHTS = REPO_DIR / "ops" / "sql" / "roles.sql"


def grant_rights() -> bool:
    """True if the role exists and now has exactly its rights."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT current_user <> rolname FROM pg_roles WHERE rolname = %s", [APP_ROLE])
        found = cursor.fetchone()
        if found is None or not found[0]:
            return False
        cursor.execute(RIGHTS.read_text(encoding="utf-8"))
    return True
