"""The documents are true: links lead somewhere, commands exist, and every configuration key is explained."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.markdown import list_anchors, list_code, list_links

REPO = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*REPO.glob("*.md"), *(REPO / "docs").rglob("*.md")])
OPERATIONS = REPO / "docs" / "operations.md"
MAKE = re.compile(r"(?:^|[\s(])make ([a-z][a-z0-9-]*)\b")
MANAGE = re.compile(r"manage\.py ([a-z][a-z_]*)")
ENVIRONMENT = re.compile(r"env\.(?:text|flag|words|integer)\(\s*\"([A-Z_]+)\"")
# Read by the stack for its own children; not an operator's business.
INNER_VARIABLES = {"LEVI_EMBEDDED_SERVERS", "LEVI_ROLE"}
EACH = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(REPO)))


def list_make_targets() -> set[str]:
    return set(
        re.findall(r"^([a-z][a-z0-9-]*):", (REPO / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )


def list_commands() -> set[str]:
    from django.core.management import get_commands

    return set(get_commands()) | {"up", "break_glass"}


def table_words(heading: str) -> set[str]:
    """The code words in the first column of the table under a heading of the runbook."""
    text = OPERATIONS.read_text(encoding="utf-8")
    section = re.split(r"^#{2,3} ", text.split(f"# {heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    cells = re.findall(r"^\| ([^|]+) \|", section, re.MULTILINE)
    return {word for cell in cells for word in re.findall(r"`([^`]+)`", cell)}


@EACH
def test_every_link_leads_somewhere(document):
    for link in list_links(document):
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), f"{link}: there is no {target.relative_to(REPO)}"
        if anchor:
            assert anchor in list_anchors(target), f"{link}: {target.name} has no such heading"


@EACH
def test_every_command_that_is_named_exists(document):
    code = list_code(document)
    targets = {target for piece in code for target in MAKE.findall(piece)}
    commands = {command for piece in code for command in MANAGE.findall(piece)}
    assert targets <= list_make_targets()
    assert commands <= list_commands()


@EACH
def test_a_document_speaks_of_files_that_exist(document):
    if document.name == "CHANGELOG.md":
        return  # it also tells of what is gone
    roots = "trading|levi_site|simulator|ops|docs|config|tests|benchmarks|templates"
    for piece in list_code(document):
        for path in re.findall(rf"^(?:{roots})/[\w./@-]*$", piece):
            assert (REPO / path).exists(), path


def test_every_configuration_key_is_explained():
    from levi_site.config_fields import EXCHANGE_FIELDS, LIVE_FIELDS, RISK_FIELDS

    keys = {f"live.{key}" for key in LIVE_FIELDS} | {f"risk.{key}" for key in RISK_FIELDS}
    keys |= {f"exchange.VENUE.{key}" for key in EXCHANGE_FIELDS}
    assert keys == {word for word in table_words("Configuration") if "." in word}


def test_every_environment_variable_is_explained():
    sources = [*(REPO / "levi_site").rglob("*.py"), *(REPO / "trading").rglob("*.py")]
    asked = {name for file in sources for name in ENVIRONMENT.findall(file.read_text(encoding="utf-8"))}
    assert asked - INNER_VARIABLES <= table_words("Environment")


def test_every_alert_of_the_rules_leads_into_the_runbook():
    rules = (REPO / "ops" / "prometheus" / "rules" / "levi.yml").read_text(encoding="utf-8")
    anchors = set(re.findall(r"runbook: docs/operations\.md#(\S+)", rules))
    assert anchors
    assert anchors <= list_anchors(OPERATIONS)


def test_decisions_are_numbered_without_gaps_and_have_the_three_parts():
    records = sorted((REPO / "docs" / "adr").glob("*.md"))
    assert [int(record.name[:4]) for record in records] == list(range(1, len(records) + 1))
    for record in records:
        text = record.read_text(encoding="utf-8")
        assert all(f"\n## {part}\n" in text for part in ("Context", "Decision", "Consequences")), record.name
        assert record.name in (REPO / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_no_document_is_longer_than_a_person_reads():
    for document in DOCUMENTS:
        if document.name != "CHANGELOG.md":
            assert len(document.read_text(encoding="utf-8").splitlines()) <= 400, document.name
