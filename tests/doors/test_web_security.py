"""What binds a browser: headers, cookies, no script of anybody else, CSRF on what acts, no GET that writes."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.admin.addresses import panel_addresses
from tests.admin.test_pages import ACTING, WRITES
from tests.admin.the_door import fill_the_door
from tests.admin.trading_day import ANNA, TradingDay
from tests.api.addresses import path_of, views
from tests.sign_in.browsers import BACKEND

LOOK_AT = """
import json, django
django.setup()
from django.conf import settings
from django.core.management import call_command
call_command("check", deploy=True, fail_level="WARNING")
names = [name for name in dir(settings) if name.startswith(("SECURE_", "SESSION_COOKIE", "CSRF_COOKIE"))]
print(json.dumps({name: getattr(settings, name) for name in names}, default=str))
"""


def settings_of(mode: str, tmp_path: Path, **more: str) -> dict[str, object]:
    """What a process of that mode has, after `check --deploy` had nothing to say."""
    names = ("SECRET_KEY", "LEVI_ENCRYPTION_KEY", "LEVI_AUDIT_KEY")
    env = {
        **{name: text for name, text in os.environ.items() if name in ("PATH", "HOME", "PYTHONPATH")},
        **{name: secrets.token_urlsafe(60) for name in names},
        "DJANGO_SETTINGS_MODULE": "levi_site.settings",
        "HOME_DIR": str(tmp_path),
        "DATABASE_URL": "postgresql://check@127.0.0.1:1/check",
        "LEVI_MODE": mode,
        **more,
    }
    done = subprocess.run(
        [sys.executable, "-c", LOOK_AT],
        env=env,
        cwd=settings.REPO_DIR,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_production_has_nothing_left_to_check_and_cookies_that_stay_on_https(tmp_path):
    found = settings_of("production", tmp_path, ALLOWED_HOSTS="levi.example")
    for kind in ("SESSION", "CSRF"):
        assert str(found[f"{kind}_COOKIE_NAME"]).startswith("__Host-levi_")
        assert found[f"{kind}_COOKIE_SECURE"] and found[f"{kind}_COOKIE_HTTPONLY"]
        assert found[f"{kind}_COOKIE_SAMESITE"] == "Lax"
        assert found[f"{kind}_COOKIE_PATH"] == "/" and found[f"{kind}_COOKIE_DOMAIN"] is None
    assert found["SECURE_SSL_REDIRECT"] and found["SECURE_HSTS_SECONDS"] >= 31_536_000
    assert found["SECURE_HSTS_INCLUDE_SUBDOMAINS"] and found["SECURE_CONTENT_TYPE_NOSNIFF"]


@pytest.fixture
def everything(db) -> TradingDay:
    day = TradingDay()
    fill_the_door(ANNA)
    return day


@pytest.fixture
def operator(everything) -> Client:
    """Everything a person may hold, and no superuser."""
    user = User.objects.create(username="operator", is_staff=True)
    user.groups.set(Group.objects.all())
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


class Assets(HTMLParser):
    """What a page would load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.inline: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag != "a":
            self.addresses += [
                given[name] or "" for name in ("src", "href", "srcset", "data") if name in given
            ]
        self.inline += [f"{tag} {name}" for name in given if re.fullmatch(r"on[a-z]+", name)]
        self._in_script = tag == "script" and "src" not in given and "json" not in (given.get("type") or "")

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.inline.append(data.strip()[:60])

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False


def test_no_page_loads_anything_from_elsewhere_or_runs_a_script_of_its_own(operator):
    pages = [address.url for address in panel_addresses() if address.page not in ACTING]
    seen = 0
    for url in [*pages, "/admin/", "/admin/login/", "/api/docs", "/admin/nowhere/"]:
        answer = operator.get(url, follow=True)
        if "text/html" not in answer["Content-Type"]:
            continue
        found = Assets()
        found.feed(answer.content.decode())
        elsewhere = [text for text in found.addresses if re.match(r"(?:[a-z]+:)?//", text)]
        assert (elsewhere, found.inline) == ([], []), url
        seen += 1
    assert seen > 40


def test_every_answer_carries_its_headers_and_the_exception_stays_in_the_panel(operator):
    for url in (
        "/admin/",
        "/admin/trading/order/",
        "/api/v1/orders",
        "/live/status",
        "/api/docs",
        "/healthz/live",
    ):
        answer = operator.get(url)
        policy = answer["Content-Security-Policy"]
        for part in ("object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"):
            assert part in policy, url
        assert "http:" not in policy and "https:" not in policy and "*" not in policy
        script = re.search(r"script-src ([^;]*)", policy).group(1)
        is_panel = url.startswith("/admin/")
        assert "'unsafe-inline'" not in script, url
        if not is_panel:
            assert script.split() == ["'self'"] and "'unsafe" not in policy, url
        assert answer["X-Content-Type-Options"] == "nosniff" and answer["X-Frame-Options"] == "DENY"
        assert answer["Referrer-Policy"] == answer["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "camera=()" in answer["Permissions-Policy"]
    for url in ("/admin/", "/api/v1/orders", "/live/status"):
        assert "no-store" in operator.get(url)["Cache-Control"]


def test_the_sign_in_cookie_cannot_be_read_by_a_script(everything):
    people = User.objects.create_user("anna", password="a long and quiet evening", is_staff=True)
    client = Client()
    answer = client.post(
        "/admin/login/", {"username": people.username, "password": "a long and quiet evening"}
    )
    cookies = {**answer.cookies, **client.get("/admin/").cookies}
    assert {name.rpartition("_")[2] for name in cookies} == {"session", "csrf", "seen"}
    for name, cookie in cookies.items():
        assert cookie["httponly"] and cookie["samesite"] == "Lax" and cookie["path"] == "/", name


def test_the_api_takes_no_change_of_a_session_without_its_csrf_token(operator):
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = operator.cookies
    for route, view in views():
        for method in set(view.needs) - {"GET"}:
            if route.startswith("^") or not view.authentication_classes:
                continue  # a webhook knows no session: its secret is all that counts
            with CaptureQueriesContext(connection) as asked:
                answer = strict.generic(method, path_of(route), "{}", content_type="application/json")
            assert answer.status_code == 403, (method, route)
            assert not [query for query in asked if WRITES.match(query["sql"])], (method, route)


def test_no_get_or_head_of_the_frameworks_own_pages_writes_either(operator):
    key = User.objects.values_list("pk", flat=True).first()
    urls = [
        "/",
        *(reverse(f"admin:{name}") for name in ("index", "login", "password_change", "password_change_done")),
        *(reverse(f"admin:{name}") for name in ("jsi18n", "autocomplete", "search", "logout")),
        reverse("admin:app_list", args=["trading"]),
        reverse("admin:view_on_site", args=[ContentType.objects.get_for_model(User).pk, key]),
        "/admin/nowhere/",
    ]
    for url in urls:
        for look in (operator.get, operator.head):
            with CaptureQueriesContext(connection) as asked:
                answer = look(url)
            assert answer.status_code < 500, url
            assert not [query for query in asked if WRITES.match(query["sql"])], url


def test_every_writer_of_csv_guards_against_formulas():
    folder = Path(settings.REPO_DIR) / "trading"
    for file in folder.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        if re.search(r"^import csv$|^from csv import", text, re.MULTILINE):
            assert "csv_cells" in text, file
