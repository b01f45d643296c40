"""docs/api.md is true: its curl lines run, its tables are complete, and no endpoint is missing from it."""

from __future__ import annotations

import re
import shlex
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.utils import timezone

from trading import audit
from trading.api import errors
from trading.api.throttles import RATES
from trading.api.urls import ADDRESSES
from trading.domain import errors as levi
from trading.domain.actors import Actor, ActorKind, system_actor
from trading.domain.denials import DenialCode
from trading.domain.enums import HaltScope, Severity
from trading.execution.approvals import propose
from trading.execution.daily_reports import make_report
from trading.execution.halts import release_payload
from trading.execution.webhooks import create_webhook
from trading.models import ApprovalRequest, Break, HaltState, Strategy
from trading.notify import notify
from trading.queries.equity import trading_day

from .rows import add_fill, fill_the_books, place, set_status
from .world import TWAP, Caller, make_instrument, make_token

GUIDE = (Path(settings.REPO_DIR) / "docs" / "api.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    (curl .*)$", GUIDE, re.MULTILINE)


def section(title: str) -> str:
    return GUIDE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_denial_table_is_the_vocabulary():
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", section("Denial codes"), re.MULTILINE)
    assert dict(rows) == {code.value: code.explanation for code in DenialCode}


def test_the_error_table_holds_every_code_with_its_status():
    written = {
        code: int(status)
        for status, codes in re.findall(r"^\| (\d{3}) \| ([^|]+) \|", section("Error codes"), re.MULTILINE)
        for code in re.findall(r"`(\w+)`", codes)
    }

    def below(kind):
        return {kind}.union(*(below(child) for child in kind.__subclasses__()))

    for kind in below(levi.LeviError) - {levi.LeviError}:
        problem = errors.describe(kind("x"))
        assert written[problem.code] == problem.status, problem.code
    assert written.keys() >= set(errors._CODE_OF.values()) | set(errors.STATUS_OF_CODE) | set(
        errors._UNKNOWN_CALLER
    )


def test_every_address_has_a_curl_line():
    paths = {urlsplit(url).path.strip("/") for url in re.findall(r'"\$LEVI([^"]+)"', "\n".join(COMMANDS))}
    for address in ADDRESSES:
        pattern = re.sub(r"<str:\w+>", "[^/]+", address)
        assert any(re.fullmatch(pattern, path) for path in paths), address


def test_the_rates_are_as_said():
    assert (RATES["order"], RATES["read"]) == ((200, 400), (200, 1000)) and RATES["change"].per_second == 5


@pytest.fixture
def story(world):
    """The guide's world, told from top to bottom; each example stands on those before."""
    caller = Caller(make_token("viewer", "trader", "risk", "admin", name="bot-1"))
    order = place(caller, "earlier")
    set_status(order, "submitting", "open")
    add_fill(world, order)
    fill_the_books(world)
    unproven = place(caller, "unproven")
    set_status(unproven, "submitting", "in_doubt", "quarantined", doubt_since=order.created_at)
    sealed = audit.seal("test", actor=system_actor("tests"))
    told = notify("halt.engaged", Severity.CRITICAL, "Everything is halted")
    report = make_report(trading_day() - timedelta(days=1), actor=system_actor("tests"))
    now = timezone.now()
    differs = Break.objects.create(
        account=world.account, kind="fill", subject="F1", theirs=1, since=now, last_seen_at=now
    )
    names = {
        "$ALERT": told.pk,
        "$BREAK": differs.pk,
        "$DAY": report.day,
        "$DIGEST": report.digest,
        "$ORDER": order.pk,
        "$QUARANTINED": unproven.pk,
        "$ENTRY": sealed.max_entry_id,
    }
    yield caller, {name: str(found) for name, found in names.items()}
    settings.STOP_FLAG.unlink(missing_ok=True)


def ask_for_release(symbol: str) -> ApprovalRequest:
    make_instrument(symbol)
    HaltState.objects.filter(target=symbol).update(state="halted", epoch=1)
    return propose(
        "release",
        release_payload(HaltScope.INSTRUMENT, symbol, None),
        subject=f"Release {symbol}",
        reason="cause found",
        actor=Actor(ActorKind.OPERATOR, "anna"),
    )


def operators_browser() -> Caller:
    ben = User.objects.get_or_create(username="ben", is_staff=True)[0]
    ben.groups.set(Group.objects.all())
    caller = Caller()
    caller.client.force_login(ben, "django.contrib.auth.backends.ModelBackend")
    return caller


def run(command: str, caller: Caller, names: dict[str, str]):
    if "$HOOK" in command:
        strategy, _ = Strategy.objects.get_or_create(name="chart")
        state = {"state": "active", "since": timezone.now(), "actor": "tests"}
        HaltState.objects.get_or_create(scope="strategy", target="chart", defaults=state)
        hook, secret = create_webhook("chart", strategy=strategy.name, days=7, actor=system_actor("tests"))
        names |= {"$HOOK": hook.slug, "$SECRET": secret}
    if "$ALGO" in command and "$ALGO" not in names:  # begun here: an earlier line cancels all there is
        begun = caller.post("/api/v1/algos", {**TWAP, "source_id": "earlier"}).json()
        names["$ALGO"] = begun["algo_id"]
    for name, text in {"$LEVI": "", "$TOKEN": "t", **names}.items():
        command = command.replace(name, text)
    for name, symbol in (("$WANTED", "ETH/USDT"), ("$UNWANTED", "SOL/USDT")):
        if name in command:
            command = command.replace(name, str(ask_for_release(symbol).pk))
    words = shlex.split(command)
    method, body, headers, path = "GET", None, {}, ""
    rest = iter(words[1:])
    for word in rest:
        if word == "-b":
            caller = operators_browser()
            next(rest)
        elif word == "-X":
            method = next(rest)
        elif word == "-d":
            body = next(rest)
        elif word == "-H":
            name, _, text = next(rest).partition(": ")
            headers |= {} if name in ("Authorization", "Content-Type") else {name: text}
        elif not word.startswith("-"):
            path = word
    return caller.send(method, path, body, **headers)


def test_every_curl_line_does_what_it_says(story):
    caller, names = story
    assert len(COMMANDS) > 30
    for command in COMMANDS:
        answer = run(command, caller, names)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert answer.status_code in (200, 201, 202), (command, content[:500])
        if answer.status_code == 201 and "decision" in answer.json():
            assert answer.json()["decision"] in ("approved", "started"), command
