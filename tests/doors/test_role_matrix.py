"""The role matrix of docs/security.md is the program's: no address is missing, none is open that the table closes.

After a change that is meant: `LEVI_WRITE_DOCS=1 .venv/bin/pytest tests/doors` writes the table anew.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from django.conf import settings

from tests.api.test_roles import WHO_MAY
from tests.doors import matrix
from trading.api.access import PUBLIC


def test_the_table_in_the_document_is_the_programs(db):
    if os.environ.get("LEVI_WRITE_DOCS"):
        matrix.write()
    assert matrix.written() == matrix.render()


def test_every_address_of_the_urlconf_has_a_row(db):
    covered = {row.address for row in matrix.rows()}
    addresses = [address for address, _pattern in matrix.walk()]
    assert len(addresses) > 150 and len(covered) > 80
    for address, pattern in matrix.walk():
        assert matrix.rows_of(address, pattern), address


def test_every_right_belongs_to_a_role_or_the_address_says_why_not(db):
    rights = matrix.rights_of_roles()
    held = set.union(*rights.values())
    assert {row.right for row in matrix.rows()} - held <= {PUBLIC, "operator"}


def test_the_api_part_agrees_with_the_table_that_is_tried_with_requests(db):
    rights = matrix.rights_of_roles()
    for address, methods in WHO_MAY.items():
        for method, who in methods.items():
            shown = f"/{address.replace('<str:name>', '{name}')}" if not address.startswith("^") else None
            if shown is None or address == "metrics":  # open to the host itself, see test_metrics.py
                continue
            row = next(row for row in matrix.rows() if (row.address, row.method) == (shown, method))
            may = {role for role in matrix.ROLES if row.right in rights[role]}
            assert may == (set() if who == PUBLIC else set(who.split())), (address, method)


def test_stopping_is_open_to_whoever_may_engage_and_releasing_to_risk_alone(db):
    rights = matrix.rights_of_roles()
    assert {role for role in rights if "trading.engage_halt" in rights[role]} == {
        "trader",
        "risk",
        "admin",
    }
    for right in ("trading.release_halt", "trading.decide_approval", "trading.resolve_order"):
        assert {role for role in rights if right in rights[role]} == {"risk"}
    assert not rights["admin"] & {"trading.place_order", "trading.release_halt", "trading.decide_approval"}


def test_no_page_swallows_the_wish_for_a_fresh_factor():
    """A verb that wants one raises; a page that catches errors must let that one through to the page that asks."""
    folder = Path(settings.REPO_DIR) / "trading" / "admin"
    swallowed = [
        f"{file.name}: {after.strip()}"
        for file in sorted(folder.glob("*.py"))
        for after in re.findall(
            r"except LeviError as error:[^\n]*\n([^\n]*)\n", file.read_text(encoding="utf-8")
        )
        if after.strip() != "pass_on(error)"
    ]
    assert swallowed == []
