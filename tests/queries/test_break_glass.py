"""The sealed key file is missing or older than a key: said where people look before they need it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from levi_site.preflight import Result, check_break_glass
from tests.admin.trading_day import make_account
from trading.models import Credential
from trading.queries.break_glass import read_glass
from trading.sealed_file import key_path


@pytest.fixture(autouse=True)
def home(db, settings, tmp_path) -> Path:
    settings.HOME_DIR = tmp_path
    return tmp_path


def seal(home: Path, text: str) -> None:
    path = key_path(home)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def seal_now(home: Path) -> None:
    seal(home, json.dumps({"written_at": timezone.now().isoformat()}))


def test_without_a_key_nothing_is_missing():
    assert read_glass().is_ready and read_glass().words == "no key to seal"


def test_a_missing_file_is_a_warning_with_the_remedy_and_no_refusal(settings):
    make_account()
    settings.LEVI_MODE = "paper"
    (found,) = check_break_glass()
    assert found.result is Result.WARNING and "--prepare" in found.remedy
    assert found.observed == "no readable file; the key of paper is not in it"


def test_a_file_knows_the_keys_that_were_there_and_no_later_one(home):
    make_account()
    seal_now(home)
    assert read_glass().is_ready
    (found,) = check_break_glass()
    assert (found.result, found.remedy) == (Result.GOOD, "")
    make_account("second", is_default=False)
    Credential.objects.filter(account__name="paper").update(rights_checked_at=timezone.now())
    assert read_glass().unknown == ("second",)
    assert "before the key of second was stored" in read_glass().words


def test_keys_of_another_mode_are_not_asked_for(home, settings):
    make_account()
    seal_now(home)
    Credential.objects.update(replaced_at=timezone.now() + timedelta(hours=1))
    settings.LEVI_MODE = "testnet"
    assert read_glass().is_ready


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"written_at": 7}', '{"written_at": "yesterday"}'])
def test_a_damaged_file_counts_as_missing(home, text):
    make_account()
    seal(home, text)
    assert read_glass().written_at is None and not read_glass().is_ready
