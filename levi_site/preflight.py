"""What must be right before real trading, checked on this machine: `manage.py preflight`.

Every check says what it saw and, where that is not good, what to do. In paper mode most shortcomings are warnings; in
testnet and production they refuse. Settings that are wrong in themselves have stopped the process before this.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.core.checks import Error, run_checks
from django.db import Error as DatabaseTrouble
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from redis.backoff import NoBackoff
from redis.retry import Retry

from levi_site.secret_files import MIN_SECRET_LENGTH
from trading.domain.actors import system_actor
from trading.domain.enums import Severity
from trading.domain.errors import LeviError
from trading.execution.accounts import check_connection
from trading.models import AlertChannel, ExchangeAccount
from trading.queries.alerts import last_delivery_failure
from trading.queries.break_glass import read_glass
from trading.queries.builds import expected_build, list_foreign
from trading.queries.key_rights import key_faults
from trading.queries.limits import limits_in_force
from trading.queries.start_up import explain_other_instance

MAX_CLOCK_OFFSET_MS = 500
GLASS_REMEDY = "seal the keys into it on every host that sends orders: manage.py break_glass --prepare"
AT_ONCE = Retry(NoBackoff(), 0)
SECRET_NAMES = ("SECRET_KEY", "ENCRYPTION_KEY", "AUDIT_KEY")
WEAK_WORDS = (
    "changeme",
    "change-me",
    "default",
    "django-insecure",
    "example",
    "password",
    "tests-only",
    "secret",
)
NEEDED_LIMITS = (
    "max_order_notional",
    "exposure_limit_total",
    "kill_threshold_usd",
    "max_daily_loss_pct",
    "allowed_symbols",
)


class Result(StrEnum):
    GOOD = "good"
    WARNING = "warning"
    REFUSED = "refused"


@dataclass(frozen=True)
class Finding:
    check: str
    result: Result
    observed: str
    remedy: str = ""

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def judge(check: str, is_good: bool, observed: str, remedy: str, *, always: bool = False) -> Finding:
    """Not good refuses, except in paper mode, where it warns unless nothing works without it (`always`)."""
    if is_good:
        return Finding(check, Result.GOOD, observed)
    strict = always or settings.LEVI_MODE != "paper"
    return Finding(check, Result.REFUSED if strict else Result.WARNING, observed, remedy)


def explain_weakness(value: str) -> str:
    if len(value) < MIN_SECRET_LENGTH:
        return f"only {len(value)} characters"
    if len(set(value)) < 12:
        return f"only {len(set(value))} different characters"
    return next((f"contains {word!r}" for word in WEAK_WORDS if word in value.lower()), "")


def check_secrets() -> Iterator[Finding]:
    values = {name: getattr(settings, name) for name in SECRET_NAMES}
    for name, value in values.items():
        weakness = explain_weakness(value)
        remedy = "generate one: python -c 'import secrets; print(secrets.token_urlsafe(32))'"
        yield judge(f"secret {name}", not weakness, weakness or "long enough, no known word", remedy)
    distinct = len(set(values.values())) == len(values)
    yield judge(
        "secrets differ", distinct, "all different" if distinct else "one is used twice", "one per purpose"
    )


def check_secret_files() -> Iterator[Finding]:
    folder = settings.HOME_DIR / "secrets"
    files = [path for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
    for path in [*files, *filter(Path.exists, [settings.HOME_DIR / "first-run.json"])]:
        mode = stat.S_IMODE(path.stat().st_mode)
        yield judge(
            f"file {path.name}", not mode & 0o077, f"mode {mode:04o}", f"chmod 600 {path}", always=True
        )


def check_web() -> Iterator[Finding]:
    hosts = settings.ALLOWED_HOSTS
    good = bool(hosts) and not any("*" in host or host.startswith(".") for host in hosts)
    yield judge(
        "ALLOWED_HOSTS", good, ",".join(hosts) or "empty", "name the panel's host exactly, no wildcard"
    )
    yield judge("DEBUG", not settings.DEBUG, str(settings.DEBUG).lower(), "unset DEBUG")
    yield judge(
        "https", settings.HTTPS, "on" if settings.HTTPS else "off", "serve over https and unset LEVI_HTTPS=0"
    )


def check_failpoints() -> Iterator[Finding]:
    text = settings.FAILPOINTS
    yield judge("failpoints", not text, text or "none", "unset FAILPOINTS: it breaks processes on purpose")


def check_system() -> Iterator[Finding]:
    errors = [str(found.msg) for found in run_checks() if isinstance(found, Error)]
    yield judge(
        "system checks", not errors, "; ".join(errors) or "no error", "see manage.py check", always=True
    )


def check_database() -> Iterator[Finding]:
    try:
        connection.ensure_connection()
    except DatabaseTrouble as error:
        yield judge("database", False, str(error).strip().splitlines()[0], "check DATABASE_URL", always=True)
        return
    version = str(connection.cursor().execute("SHOW server_version").fetchone()[0])
    yield judge("database", True, f"PostgreSQL {version}", "")
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    yield judge("migrations", not missing, f"{len(missing)} missing", "manage.py migrate", always=True)
    if not missing:
        yield from check_database_role()
        yield from check_instance()
        yield from check_limits()
        yield from check_accounts()
        yield from check_builds()
        yield check_alert_channels()
        yield from check_break_glass()


def check_alert_channels() -> Finding:
    """Only production halts where alerts reach nobody; elsewhere it is worth knowing."""
    names = list(AlertChannel.objects.filter(is_enabled=True).values_list("name", flat=True))
    failure = last_delivery_failure() if names else None
    remedy = (
        "add one in the panel under Alert channels, and see its test arrive; production halts without one"
    )
    if names and failure is None:
        return Finding("alert channels", Result.GOOD, ", ".join(names))
    refuses = not names and settings.LEVI_MODE == "production"
    observed = f"{failure.channel or 'delivery'} fails: {failure.error}" if failure else "none is enabled"
    return Finding("alert channels", Result.REFUSED if refuses else Result.WARNING, observed, remedy)


def check_database_role() -> Iterator[Finding]:
    """Whoever owns a table can switch its triggers off."""
    table = "FROM pg_tables WHERE schemaname = 'public' AND tablename = 'trading_auditentry'"
    asked = f"SELECT current_user, pg_has_role(tableowner, 'MEMBER') {table}"
    role, is_owner = connection.cursor().execute(asked).fetchone()
    yield judge(
        "database role",
        not is_owner,
        f"{role} owns the audit trail's table" if is_owner else f"{role} cannot rewrite history",
        "give set-up alone the owner's DATABASE_URL, and everything else that of levi_app (docs/audit.md)",
    )


def check_instance() -> Iterator[Finding]:
    others = explain_other_instance()
    yield judge(
        "instance id",
        not others,
        "; ".join(others) or f"{settings.INSTANCE_ID}, as this database's orders",
        "see docs/deployment.md, what every host needs",
    )


def check_break_glass() -> Iterator[Finding]:
    """Only ever a warning: sealing the keys into a file is the operator's choice."""
    glass = read_glass()
    result = Result.GOOD if glass.is_ready else Result.WARNING
    yield Finding("break-glass key file", result, glass.words, "" if glass.is_ready else GLASS_REMEDY)


def check_builds() -> Iterator[Finding]:
    foreign = list_foreign()
    yield judge(
        "builds",
        not foreign,
        f"{len(foreign)} live process(es) of another build: {', '.join(row.process for row in foreign)}"
        if foreign
        else f"expected: {expected_build() or 'any'}",
        "restart them with the new code; `manage.py expect_build` shows which build gets permits",
    )


def check_limits() -> Iterator[Finding]:
    limits = limits_in_force()
    missing = [name for name in NEEDED_LIMITS if limits is None or getattr(limits, name) is None]
    yield judge(
        "risk limits",
        not missing,
        f"missing: {', '.join(missing)}" if missing else f"version {limits.version if limits else 0}",
        "set them in the panel, or seed them: manage.py seed_first_run",
    )


def check_accounts() -> Iterator[Finding]:
    """Asks each enabled account's venue for its clock and for the rights of the key."""
    for account in ExchangeAccount.objects.filter(is_enabled=True, mode=settings.LEVI_MODE):
        try:
            found = check_connection(account.pk, actor=system_actor("preflight"))
        except LeviError as error:
            found = {"error": str(error)}
        trouble = found.get("error") or ""
        yield judge(
            f"account {account.name}", not trouble, trouble or account.base_url, "see docs/operations.md"
        )
        if "clock_offset_ms" in found:
            offset = found["clock_offset_ms"]
            good = abs(offset) <= MAX_CLOCK_OFFSET_MS
            yield judge(
                f"clock against {account.name}", good, f"{offset} ms", "let NTP set this machine's clock"
            )
        yield from _judge_key(account, found.get("key"))


def _judge_key(account: ExchangeAccount, rights: Mapping[str, Any] | None) -> Iterator[Finding]:
    """A venue that does not say what the key may do is no good key."""
    name, remedy = f"key of {account.name}", "change the key at the venue, or store another one"
    faults = key_faults(rights, account.environment) if rights is not None else ()
    grave = [fault.words for fault in faults if fault.severity is Severity.CRITICAL]
    said = "; ".join(grave) if grave else "trades and reads, and has no other right"
    yield judge(name, rights is not None and not grave, said if rights is not None else "unknown", remedy)
    for fault in faults:
        if fault.severity is not Severity.CRITICAL:
            yield Finding(name, Result.WARNING, fault.words, remedy)


def check_redis() -> Iterator[Finding]:
    """Only ever a warning: Redis is the doorbell; without it everything works, later."""
    try:
        redis.Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=2, retry=AT_ONCE
        ).ping()
    except redis.RedisError as error:
        yield Finding("redis", Result.WARNING, str(error), "check REDIS_URL; orders go out later without it")
        return
    yield Finding("redis", Result.GOOD, "answers")


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    check_secrets,
    check_secret_files,
    check_web,
    check_failpoints,
    check_system,
    check_database,
    check_redis,
)


def run_preflight() -> list[Finding]:
    return [finding for check in CHECKS for finding in check()]
