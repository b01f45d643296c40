"""The sealed key file: opens with its key only, unchanged only, and only when nobody else could read it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from trading.break_glass.key_file import GlassAccount, KeyRing, read_key_file, write_key_file
from trading.domain.errors import ConfigurationError

KEY = "an-encryption-key-of-this-installation-0123"
ACCOUNT = GlassAccount(
    "paper", "mexc", "simulated", "http://127.0.0.1:9/mexc", "mx0key", "canary-secret", 10, "5", 20
)
RING = KeyRing("ab12", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), (ACCOUNT,))


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "secrets" / "break-glass.json"
    write_key_file(path, RING, KEY)
    return path


def test_what_is_sealed_comes_back(file):
    assert read_key_file(file, KEY) == RING


def test_the_file_is_private_and_shows_no_key(file):
    assert file.stat().st_mode & 0o777 == 0o600
    assert "canary-secret" not in file.read_text() and "mx0key" not in file.read_text()
    assert "canary-secret" not in repr(RING)


def test_another_encryption_key_opens_nothing(file):
    with pytest.raises(ConfigurationError, match="does not open"):
        read_key_file(file, KEY + "x")


@pytest.mark.parametrize("field, text", [("written_at", "2027-01-01T00:00:00+00:00"), ("sealed", "AAAA")])
def test_a_changed_file_opens_nothing(file, field, text):
    document = json.loads(file.read_text())
    file.write_text(json.dumps(document | {field: text}))
    with pytest.raises(ConfigurationError, match="does not open"):
        read_key_file(file, KEY)


def test_a_file_that_others_can_read_is_refused_with_the_remedy(file):
    file.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        read_key_file(file, KEY)


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"written_at": "x", "sealed": 5}'])
def test_a_damaged_file_is_named_with_the_way_to_a_new_one(file, text):
    file.write_text(text)
    with pytest.raises(ConfigurationError, match="--prepare"):
        read_key_file(file, KEY)


def test_a_missing_file_is_named_with_the_way_to_a_new_one(tmp_path):
    with pytest.raises(ConfigurationError, match="--prepare"):
        read_key_file(tmp_path / "none.json", KEY)


def test_a_new_file_replaces_the_old_one(file):
    write_key_file(file, replace(RING, accounts=()), KEY)
    assert read_key_file(file, KEY).accounts == ()
    assert [path.name for path in file.parent.iterdir()] == ["break-glass.json"]
