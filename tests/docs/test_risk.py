"""docs/risk.md is the table of limits that the product has."""

from __future__ import annotations

import re
from pathlib import Path

from trading.models import LimitsVersion
from trading.risk.facts import LimitsFacts
from trading.risk.limit_fields import LIMIT_TABLE
from trading.risk.triggers import TRIGGER_TABLE

REPO = Path(__file__).resolve().parents[2]


def rows_under(heading: str) -> list[list[str]]:
    text = (REPO / "docs" / "risk.md").read_text(encoding="utf-8")
    section = text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = re.findall(r"^\| (.+) \|$", section, re.MULTILINE)[1:]
    return [[cell.strip() for cell in line.split(" | ")] for line in lines if not line.startswith("---")]


def test_every_limit_stands_in_the_document_with_its_unit_scopes_and_code():
    expected = [
        [
            f"`{limit.name}`",
            limit.unit or "-",
            limit.meaning,
            ", ".join(limit.scopes),
            f"`{limit.code}`" if limit.code else "-",
        ]
        for limit in LIMIT_TABLE
    ]
    assert [row for row in rows_under("All limits") if row[0].startswith("`")] == expected


def test_every_limit_is_a_column_and_every_one_but_the_kill_threshold_a_fact():
    columns = {field.name for field in LimitsVersion._meta.concrete_fields}
    assert {limit.name for limit in LIMIT_TABLE} <= columns
    facts = set(LimitsFacts.__dataclass_fields__)
    assert {limit.name for limit in LIMIT_TABLE} - facts == {"kill_threshold_usd"}


def test_every_trigger_stands_in_the_document_as_it_decides():
    expected = [
        [
            f"`{rule.name}`",
            rule.meaning,
            rule.source,
            rule.action,
            ", ".join(rule.scopes),
            f"{rule.agree} of {rule.out_of}",
            f"{rule.clear_pct} %",
            f"{rule.rest_seconds} s",
        ]
        for rule in TRIGGER_TABLE
    ]
    assert [row for row in rows_under("Automatic halts") if row[0].startswith("`")] == expected
