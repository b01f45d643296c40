"""The commands that do one small thing: sync, tokens, the simulated venue."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request

import pytest

from tests.management.typing_commands import DEAD_REDIS, REPO, type_here, type_in_shell
from trading.domain.errors import NotAllowed
from trading.execution.jobs import beat_heart
from trading.execution.tokens import authenticate_token
from trading.models import ApiToken, AuditEntry, ExchangeAccount, SyncRun
from trading.queries.halts import read_status


def test_a_sync_runs_here_with_redis_away(account):
    before = SyncRun.objects.count()
    typed = type_in_shell("sync_portfolio", "--json", **DEAD_REDIS)
    assert typed.code == 0, typed.err
    assert typed.document["accounts"][0]["complete"] is True
    assert SyncRun.objects.count() == before + 1


def test_an_incomplete_sync_fails_and_says_why(account, simulated_venue):
    simulated_venue.faults([{"match": {"path": "/api/v3/account"}, "kind": "http_status", "status": 500}])
    typed = type_here("sync_portfolio")
    simulated_venue.clear_faults()
    assert typed.code == 1
    assert "paper: INCOMPLETE" in typed.out


def test_a_disabled_account_is_left_out(account):
    ExchangeAccount.objects.update(is_enabled=False)
    before = SyncRun.objects.count()
    assert "no account to sync" in type_here("sync_portfolio").out
    assert SyncRun.objects.count() == before


@pytest.mark.django_db(transaction=True)
def test_a_token_is_printed_once_and_works():
    typed = type_here(
        "create_api_token",
        "bot-1",
        "--role",
        "trader",
        "--role",
        "risk",
        "--days",
        "7",
        "--address",
        "10.0.0.0/24",
    )
    assert typed.code == 0
    row = authenticate_token(typed.out.strip(), "10.0.0.9")
    assert sorted(row.roles.values_list("name", flat=True)) == ["risk", "trader"]
    with pytest.raises(NotAllowed):
        authenticate_token(typed.out.strip(), "10.0.1.9")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("words", [["bot", "--days", "0"], ["bot", "--address", "here"], [""]])
def test_a_token_with_wrong_values_is_not_made(words):
    typed = type_here("create_api_token", *words, "--role", "viewer")
    assert typed.code == 2
    assert not ApiToken.objects.exists()


def test_the_simulated_venue_starts_with_its_own_arguments():
    venue = subprocess.Popen(
        [sys.executable, str(REPO / "manage.py"), "simulate_venue", "--port", "0", "--seed", "7"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "SIM_KEY": "mx0testkey", "SIM_SECRET": "test-secret"},
    )
    try:
        assert venue.stdout
        port = json.loads(venue.stdout.readline())["port"]
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{port}/_sim/health", timeout=10) as answer:
            assert answer.status == 200
    finally:
        venue.terminate()
        venue.wait(timeout=10)


@pytest.mark.parametrize(
    "command",
    ["halt", "resume", "cancel_all", "sync_portfolio", "verify_audit", "export_audit", "export_orders",
     "create_api_token", "remove_second_factor", "supervise"],
)  # fmt: skip
def test_every_command_explains_itself(command, capsys):
    from django.core.management import load_command_class

    parser = load_command_class("trading", command).create_parser("manage.py", command)
    assert len(parser.format_help()) > 200


def test_the_expected_build_is_shown_and_set_by_hand(account, settings):
    beat_heart(name="orders@h:1")
    typed = type_here("expect_build")
    assert typed.code == 0, typed.err
    assert "Permits go to every build." in typed.out and f"orders@h:1: {settings.BUILD}\n" in typed.out
    typed = type_here("expect_build", "the-new-one")
    assert "Permits go to build the-new-one." in typed.out and "(gets no permit)" in typed.out
    typed = type_here("expect_build", "--this", "--json")
    assert typed.document["expected_build"] == settings.BUILD == typed.document["build"]
    assert type_here("expect_build", "--any", "--json").document["expected_build"] is None
    changes = AuditEntry.objects.filter(kind="build.expected").order_by("id")
    assert [entry.data["after"] for entry in changes] == ["the-new-one", settings.BUILD, ""]


def test_what_is_no_build_is_wrong_use(account):
    typed = type_here("expect_build", "two words")
    assert typed.code == 2 and "cannot be a build" in typed.err
    assert read_status()["expected_build"] is None
