"""The first run: what it makes, that it may run again at every start, and that it never undoes a person's decision."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import override_settings

from levi_site.config_fields import RISK_FIELDS
from trading.domain.actors import Actor, ActorKind
from trading.domain.enums import VenueName
from trading.execution.tokens import authenticate_token, revoke_token
from trading.first_run import ACCOUNT, LIMITS_FROM_RISK, OPERATOR, address_of, seed_first_run
from trading.models import ApiToken, AuditEntry, EquitySnapshot, ExchangeAccount, LimitsVersion
from trading.queries.builds import expected_build
from trading.queries.limits import limits_in_force
from trading.risk.limit_fields import FIELDS
from trading.vault import open_credentials

URL = "http://127.0.0.1:8000"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def home(tmp_path: Path):
    with override_settings(HOME_DIR=tmp_path):
        yield tmp_path


@pytest.fixture
def simulator(simulated_venue) -> dict[str, str]:
    return {
        "url": simulated_venue.base_url.removesuffix("/mexc"),
        "key": simulated_venue.key,
        "secret": simulated_venue.secret,
    }


def test_a_fresh_installation_can_sign_in_and_post(home: Path) -> None:
    first = seed_first_run(URL, {})
    operator = User.objects.get(username=OPERATOR)
    assert operator.check_password(first["password"]) and len(first["password"]) >= 20
    assert operator.is_staff and not operator.is_superuser
    assert sorted(operator.groups.values_list("name", flat=True)) == ["admin", "risk", "trader", "viewer"]
    token = authenticate_token(first["token"], "127.0.0.1")
    assert sorted(token.roles.values_list("name", flat=True)) == ["risk", "trader"]


def test_the_first_limits_come_from_the_configuration(home: Path, settings) -> None:
    seed_first_run(URL, {})
    limits = limits_in_force()
    assert limits.kill_threshold_usd == settings.LEVI_CONFIG.risk.kill_threshold_usd
    assert limits.exposure_limit_total == settings.LEVI_CONFIG.live.exposure_limit_usd
    assert limits.allowed_symbols == sorted(settings.LEVI_CONFIG.live.symbols)
    assert (limits.max_drawdown_pct, limits.max_in_doubt_notional) == (None, 50_000)
    assert limits.max_notional_per_minute == 1_000_000 and limits.max_repeated_executions is None


def test_every_limit_can_be_set_by_the_configuration(home: Path, settings) -> None:
    given = {"exposure_limit_total", "allowed_symbols", *LIMITS_FROM_RISK}
    assert given == set(FIELDS)
    risk = settings.LEVI_CONFIG.risk
    optional = {key: 7 for key, (_, default) in RISK_FIELDS.items() if default is None}
    settings.LEVI_CONFIG = replace(settings.LEVI_CONFIG, risk=replace(risk, **optional))
    seed_first_run(URL, {})
    limits = limits_in_force()
    assert not [name for name in FIELDS if getattr(limits, name) is None]
    assert {name for name, key in LIMITS_FROM_RISK.items() if getattr(limits, name) == 7} >= {
        name for name, key in LIMITS_FROM_RISK.items() if key in optional
    }


def test_what_is_shown_once_is_kept_privately(home: Path) -> None:
    first = seed_first_run(URL, {})
    file = home / "first-run.json"
    assert json.loads(file.read_text()) == first
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(first) == ["url", "operator", "password", "token", "sim_url", "sim_key", "sim_secret"]


def test_a_second_run_changes_nothing(home: Path) -> None:
    first = seed_first_run(URL, {})
    entries = AuditEntry.objects.count()
    assert seed_first_run(URL, {}) == first
    assert AuditEntry.objects.count() == entries
    assert (User.objects.count(), ApiToken.objects.count(), LimitsVersion.objects.count()) == (1, 1, 1)


def test_the_build_that_was_set_up_is_the_only_one_that_gets_permits(home: Path, settings) -> None:
    seed_first_run(URL, {})
    assert expected_build() == settings.BUILD
    settings.BUILD = "the-next"
    seed_first_run(URL, {})
    assert expected_build() == "the-next"
    assert AuditEntry.objects.filter(kind="build.expected", actor="system:seed_first_run").count() == 2


def test_a_changed_password_is_neither_reset_nor_shown(home: Path) -> None:
    seed_first_run(URL, {})
    operator = User.objects.get()
    operator.set_password("a person chose this one")
    operator.save()
    assert seed_first_run(URL, {})["password"] == ""
    assert User.objects.get().check_password("a person chose this one")


def test_a_revoked_token_stays_revoked(home: Path) -> None:
    seed_first_run(URL, {})
    revoke_token(ApiToken.objects.get().id, actor=Actor(ActorKind.OPERATOR, "test"))
    assert seed_first_run(URL, {})["token"] == ""
    assert ApiToken.objects.count() == 1


def test_an_installation_with_people_gets_no_further_operator(home: Path) -> None:
    User.objects.create_user("anna", password="somebody")
    assert seed_first_run(URL, {})["password"] == ""
    assert list(User.objects.values_list("username", flat=True)) == ["anna"]


def test_production_gets_limits_and_an_administrator_who_cannot_trade(home: Path) -> None:
    with override_settings(LEVI_MODE="production"):
        first = seed_first_run(URL, {})
    assert sorted(User.objects.get().groups.values_list("name", flat=True)) == ["admin", "viewer"]
    assert first["token"] == "" and ApiToken.objects.count() == 0
    assert not ExchangeAccount.objects.exists()


def test_the_paper_account_is_ready_for_a_first_signal(home: Path, simulator) -> None:
    seed_first_run(URL, simulator)
    account = ExchangeAccount.objects.get(name=ACCOUNT)
    assert account.is_default and account.base_url == f"{simulator['url']}/mexc"
    assert open_credentials(account).secret == simulator["secret"]
    snapshot = EquitySnapshot.objects.filter(account=account).latest("at")
    assert snapshot.equity > 0 and snapshot.unpriced == []


def test_the_paper_account_follows_the_venue_to_its_port(home: Path, simulator) -> None:
    seed_first_run(URL, simulator)
    ExchangeAccount.objects.update(base_url="http://127.0.0.1:9/mexc")
    seed_first_run(URL, simulator)
    assert ExchangeAccount.objects.get().base_url == f"{simulator['url']}/mexc"
    assert AuditEntry.objects.filter(kind="account.moved").count() == 1


@pytest.mark.parametrize(
    ("venue", "mode", "environment", "address"),
    [
        ("binance", "testnet", "testnet", "https://testnet.binance.vision"),
        ("binance", "production", "live", "https://api.binance.com"),
        ("bybit", "testnet", "testnet", "https://api-testnet.bybit.com"),
        ("bybit", "production", "live", "https://api.bybit.com"),
    ],
)
def test_a_key_given_for_a_venue_makes_its_account(
    home: Path, settings, venue: str, mode: str, environment: str, address: str
) -> None:
    keys = {"mexc": ("", ""), venue: ("the-venues-key", "the-venues-secret")}
    with override_settings(LEVI_MODE=mode, VENUE_KEYS=keys):
        seed_first_run(URL, {})
        seed_first_run(URL, {})
    account = ExchangeAccount.objects.get()
    assert (account.name, account.venue, account.mode) == (venue, venue, mode)
    assert (account.environment, account.base_url) == (environment, address)
    assert open_credentials(account).secret == "the-venues-secret"


def test_in_testnet_mode_only_a_venue_without_a_test_installation_is_asked_itself(settings) -> None:
    exchange = settings.LEVI_CONFIG.exchange
    simulated = replace(exchange["binance"], testnet_url="", base_url="http://127.0.0.1:9100/binance")
    bare = replace(exchange["binance"], testnet_url="")
    settings.LEVI_MODE = "testnet"
    assert address_of(VenueName.MEXC) == "https://api.mexc.com"
    for section, address in ((bare, "https://testnet.binance.vision"), (simulated, simulated.base_url)):
        settings.LEVI_CONFIG = replace(settings.LEVI_CONFIG, exchange={**exchange, "binance": section})
        assert address_of(VenueName.BINANCE) == address
