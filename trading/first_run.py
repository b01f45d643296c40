"""What a fresh installation must find: the first risk limits, a first operator, in paper mode an account to play with.

Everything is idempotent: it runs at every start, fills in what is missing and follows the simulated venue to its
port. It never resets a password, never revives a revoked token and never overwrites limits. What is shown once
(password, token) is kept in HOME_DIR/first-run.json, readable by its owner only.
"""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import transaction

from trading import audit
from trading.domain.actors import system_actor
from trading.domain.enums import Environment, TradingMode, VenueName
from trading.domain.errors import NotAllowed
from trading.exchanges.venues import LOOPBACK_HOSTS, check_base_url, test_address
from trading.execution.accounts import create_account, store_credentials
from trading.execution.builds import expect_build
from trading.execution.limit_changes import change_limits
from trading.execution.sync import sync_account
from trading.execution.tokens import authenticate_token, create_token
from trading.models import ApiToken, ExchangeAccount
from trading.queries.limits import limits_in_force
from trading.vault import open_credentials

ACTOR = system_actor("seed_first_run")
OPERATOR = "operator"
ACCOUNT = "paper"
TOKEN = "first-run"
TOKEN_DAYS = 90
PAPER_RATE = 100  # new orders a second: the simulated venue allows more than a real one
ALL_ROLES = ("viewer", "trader", "risk", "admin")
# Where real money moves, whoever gives out the roles must not trade.
OPERATOR_ROLES = {"paper": ALL_ROLES, "testnet": ALL_ROLES, "production": ("viewer", "admin")}
LIMITS_FROM_RISK = {
    "max_order_notional": "max_order_notional_usd",
    "price_collar_pct": "price_collar_pct",
    "max_price_age_seconds": "max_price_age_sec",
    "exposure_limit_symbol": "max_symbol_exposure_usd",
    "kill_threshold_usd": "kill_threshold_usd",
    "max_concurrent_positions": "max_concurrent_positions",
    "max_open_orders": "max_open_orders",
    "max_orders_per_minute": "max_orders_per_minute",
    "duplicate_window_seconds": "duplicate_window_sec",
    "max_daily_loss_pct": "max_daily_loss_pct",
    "max_daily_loss_usd": "max_daily_loss_usd",
    "max_drawdown_pct": "max_drawdown_pct",
    "max_order_quantity": "max_order_quantity",
    "max_price_gap_pct": "max_price_gap_pct",
    "max_balance_age_seconds": "max_balance_age_sec",
    "max_notional_per_minute": "max_notional_per_minute_usd",
    "max_in_doubt_notional": "max_in_doubt_notional_usd",
    "max_order_to_fill_ratio": "max_order_to_fill_ratio",
    "max_repeated_executions": "max_repeated_executions",
}


def seed_first_run(url: str, simulator: dict[str, str]) -> dict[str, str]:
    """Fill in what is missing; returns what stands in first-run.json. `simulator` has url, key and secret, or none."""
    file = settings.HOME_DIR / "first-run.json"
    known = read_first_run(file)
    first = {
        "url": url,
        "operator": OPERATOR,
        "password": known.get("password", ""),
        "token": known.get("token", ""),
    }
    first |= {f"sim_{key}": simulator.get(key, "") for key in ("url", "key", "secret")}
    seed_limits()
    # Written before and after each step: what is shown once must survive a failure of the next step.
    first["password"] = first["password"] or secrets.token_urlsafe(15)
    write_private(file, first)
    first["password"] = seed_operator(first["password"])
    first["token"] = seed_token(first["token"]) if settings.LEVI_MODE == "paper" else ""
    write_private(file, first)
    if simulator and settings.LEVI_MODE == "paper":
        seed_paper_account(simulator)
    if settings.LEVI_MODE != "paper":
        for venue, (key, secret) in settings.VENUE_KEYS.items():
            if key and secret:
                seed_venue_account(VenueName(venue), key, secret)
    expect_build(settings.BUILD, actor=ACTOR)
    return first


def read_first_run(file: Path) -> dict[str, str]:
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        # The first start, or a damaged file: what it held cannot be had again.
        return {}


def write_private(file: Path, content: dict[str, str]) -> None:
    draft = file.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        json.dump(content, handle, indent=2)
        handle.write("\n")
    draft.replace(file)


def seed_limits() -> None:
    """The first version comes from config/app.yaml; later ones are made in the panel."""
    if limits_in_force() is not None:
        return
    config = settings.LEVI_CONFIG
    configured = {name: getattr(config.risk, key) for name, key in LIMITS_FROM_RISK.items()}
    limits: dict[str, Any] = {name: str(value) for name, value in configured.items() if value is not None}
    limits["exposure_limit_total"] = str(config.live.exposure_limit_usd)
    limits["allowed_symbols"] = list(config.live.symbols)
    change_limits(limits, reason="First version, from the configuration file.", actor=ACTOR)


def seed_operator(password: str) -> str:
    """The generated password while it is valid, else nothing. Makes the operator only where there is nobody yet."""
    operator = User.objects.filter(username=OPERATOR).first()
    if operator is not None:
        return password if operator.check_password(password) else ""
    if User.objects.exists():
        return ""
    roles = OPERATOR_ROLES[settings.LEVI_MODE]
    with transaction.atomic(durable=True):
        operator = User.objects.create_user(OPERATOR, password=password, is_staff=True)
        operator.groups.set(Group.objects.filter(name__in=roles))
        audit.record(
            "operator.created",
            actor=ACTOR,
            object_type="operator",
            object_id=OPERATOR,
            data={"name": OPERATOR, "roles": sorted(roles)},
        )
    return password


def seed_token(known_token: str) -> str:
    """A token with the roles trader and risk, made once."""
    if known_token:
        try:
            authenticate_token(known_token, "127.0.0.1")
        except NotAllowed:
            # Revoked or expired: that was somebody's decision.
            return ""
        return known_token
    if ApiToken.objects.filter(name=TOKEN).exists():
        return ""
    _row, plain = create_token(TOKEN, ["trader", "risk"], days=TOKEN_DAYS, actor=ACTOR)
    return plain


def seed_paper_account(simulator: dict[str, str]) -> None:
    """An account on the simulated venue; its address follows the venue's port, its rules are fetched at once."""
    base_url = f"{simulator['url']}/mexc"
    account = ExchangeAccount.objects.filter(name=ACCOUNT).first()
    if account is None:
        account = create_account(
            ACCOUNT,
            venue=VenueName.MEXC,
            environment=Environment.SIMULATED,
            mode=TradingMode.PAPER,
            base_url=base_url,
            rate_limit_rps=PAPER_RATE,
            is_default=not ExchangeAccount.objects.filter(is_default=True).exists(),
            actor=ACTOR,
        )
    elif account.base_url != base_url:
        move_account(account, base_url)
    follow_credentials(account, simulator)
    sync_account(account.id, trigger="start")


def seed_venue_account(venue: VenueName, key: str, secret: str) -> None:
    """The account of the key given by environment (MEXC_KEY and MEXC_SECRET, BINANCE_KEY and BINANCE_SECRET, …)."""
    account = ExchangeAccount.objects.filter(name=venue.value).first()
    if account is None:
        production = settings.LEVI_MODE == "production"
        account = create_account(
            venue.value,
            venue=venue,
            environment=Environment.LIVE if production else Environment.TESTNET,
            mode=TradingMode(settings.LEVI_MODE),
            base_url=address_of(venue),
            is_default=not ExchangeAccount.objects.filter(is_default=True).exists(),
            actor=ACTOR,
        )
    follow_credentials(account, {"key": key, "secret": secret})


def address_of(venue: VenueName) -> str:
    """In testnet mode the test installation of the venue; one that has none is asked itself, and places nothing."""
    configured = settings.LEVI_CONFIG.exchange[venue]
    if settings.LEVI_MODE == "production":
        return configured.base_url
    if configured.testnet_url:
        return configured.testnet_url
    is_simulated = urlsplit(configured.base_url).hostname in LOOPBACK_HOSTS
    return configured.base_url if is_simulated else test_address(venue) or configured.base_url


def move_account(account: ExchangeAccount, base_url: str) -> None:
    check_base_url(VenueName.MEXC, Environment.SIMULATED, base_url)
    with transaction.atomic(durable=True):
        before = account.base_url
        ExchangeAccount.objects.filter(pk=account.pk).update(base_url=base_url)
        audit.record(
            "account.moved",
            actor=ACTOR,
            object_type="account",
            object_id=account.id,
            data={"name": account.name, "before": before, "after": base_url},
        )
    account.base_url = base_url


def follow_credentials(account: ExchangeAccount, simulator: dict[str, str]) -> None:
    """Where no key is given the operator stores one in the panel."""
    if not simulator["key"]:
        return
    stored = open_credentials(account)
    if stored is None or (stored.key, stored.secret) != (simulator["key"], simulator["secret"]):
        store_credentials(account, simulator["key"], simulator["secret"], actor=ACTOR)
