"""What preflight refuses where real money moves, and only warns about in paper mode."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from levi_site.preflight import (
    Finding,
    Result,
    check_alert_channels,
    check_database_role,
    check_redis,
    check_secret_files,
    check_secrets,
    check_web,
    run_preflight,
)
from levi_site.stack.ports import find_free_port
from trading.first_run import seed_limits
from trading.models import AlertChannel

GOOD_SECRETS = {
    "SECRET_KEY": "aB3" * 4 + "kTm9_xQz7-LpW2vYc8RnDf5G",
    "ENCRYPTION_KEY": "Zx8-mQ2_LkP9vR4tYw7NcB3hJd6FgS1aUe5",
}


def results(findings) -> dict[str, Result]:
    return {finding.check: finding.result for finding in findings}


@pytest.mark.parametrize(
    "weak",
    ["short", "a" * 50, "changeme-changeme-changeme-0123456789", "django-insecure-0123456789abcdefghijk"],
)
def test_a_weak_secret_is_refused_outside_paper_mode(weak: str) -> None:
    with override_settings(LEVI_MODE="production", SECRET_KEY=weak):
        found = {finding.check: finding for finding in check_secrets()}["secret SECRET_KEY"]
    assert found.result is Result.REFUSED and "generate one" in found.remedy
    with override_settings(LEVI_MODE="paper", SECRET_KEY=weak):
        assert results(check_secrets())["secret SECRET_KEY"] is Result.WARNING


def test_one_secret_for_two_purposes_is_refused() -> None:
    same = GOOD_SECRETS["ENCRYPTION_KEY"]
    with override_settings(LEVI_MODE="testnet", ENCRYPTION_KEY=same, AUDIT_KEY=same):
        assert results(check_secrets())["secrets differ"] is Result.REFUSED


@pytest.mark.parametrize("hosts", [["*"], [], [".example.com"], ["a.example.com", "*.example.com"]])
def test_wildcard_hosts_are_refused(hosts: list[str]) -> None:
    with override_settings(LEVI_MODE="production", ALLOWED_HOSTS=hosts):
        assert results(check_web())["ALLOWED_HOSTS"] is Result.REFUSED


def test_debug_is_refused() -> None:
    with override_settings(LEVI_MODE="production", DEBUG=True):
        assert results(check_web())["DEBUG"] is Result.REFUSED


def test_a_secret_that_others_can_read_is_refused_in_every_mode(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "open").write_text("x")
    (tmp_path / "secrets" / "open").chmod(0o644)
    with override_settings(HOME_DIR=tmp_path):
        (found,) = check_secret_files()
    assert found == Finding("file open", Result.REFUSED, "mode 0644", f"chmod 600 {tmp_path}/secrets/open")


def test_redis_away_is_a_warning() -> None:
    with override_settings(REDIS_URL=f"redis://127.0.0.1:{find_free_port()}/0", LEVI_MODE="production"):
        assert results(check_redis())["redis"] is Result.WARNING


@pytest.mark.django_db
def test_processes_that_own_the_audit_trail_are_refused_where_money_moves() -> None:
    """The session's tests connect as the owner, as a deployment with one role for everything would."""
    (found,) = check_database_role()
    assert found.result is Result.WARNING and "owns the audit trail" in found.observed
    with override_settings(LEVI_MODE="production"):
        assert results(check_database_role())["database role"] is Result.REFUSED


@pytest.mark.django_db
def test_missing_limits_are_refused_in_production() -> None:
    with override_settings(LEVI_MODE="production"):
        assert results(run_preflight())["risk limits"] is Result.REFUSED


@pytest.mark.django_db(transaction=True)
def test_limits_from_the_configuration_are_enough() -> None:
    seed_limits()
    with override_settings(LEVI_MODE="production"):
        found = results(run_preflight())
    assert found["risk limits"] is Result.GOOD
    assert found["database"] is Result.GOOD and found["migrations"] is Result.GOOD


@pytest.mark.django_db
def test_the_command_ends_with_one_when_it_refuses(capsys) -> None:
    with override_settings(LEVI_MODE="production"), pytest.raises(CommandError) as refused:
        call_command("preflight", "--json")
    assert refused.value.returncode == 1
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is False and report["mode"] == "production"


@pytest.mark.django_db(transaction=True)
def test_the_command_is_content_with_a_fresh_paper_installation() -> None:
    seed_limits()
    call_command("preflight", "--json")


@pytest.mark.django_db
@pytest.mark.parametrize("mode, result", [("production", Result.REFUSED), ("paper", Result.WARNING)])
def test_without_an_alert_channel_production_is_refused(settings, mode, result) -> None:
    settings.LEVI_MODE = mode
    found = check_alert_channels()
    assert found.result is result and "none is enabled" in found.observed
    AlertChannel.objects.create(name="phone", sealed_url=b"x", sealed_with="k", url_hint="x")
    assert check_alert_channels() == Finding("alert channels", Result.GOOD, "phone")
