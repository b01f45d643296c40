"""One headless Chromium for the session, a fresh profile per visit, and whatever the browser complains about.

Skipped with a plain sentence where no Chromium is installed. A visit fails its test if the page breaks its content
security policy, logs an error, loads anything from another host, or answers with a server error.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client

from levi_site.env import REPO_DIR
from levi_site.stack.ports import find_free_port
from levi_site.stack.process_spec import answers_http
from tests.admin.trading_day import PASSWORD, TradingDay, make_people
from tests.e2e.browser import FLAGS, find_chromium
from tests.worlds import frozen_venue, impatient, live_world

Axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe
sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: no browser tests.")

__all__ = ["frozen_venue", "impatient", "live_world"]

SHOTS = REPO_DIR / "var" / "shots"
DESKTOP, PHONE, SMALL_PHONE, WIDE = (1440, 900), (390, 844), (360, 640), (2560, 1300)
START_SECONDS = 90
# A slow, busy machine gets this long before a test calls the panel broken.
PATIENCE_MS = 30_000
# Both make the browser poor on purpose: its processor so many times slower, and every answer so many ms later.
SLOWER, LATER_MS = (int(os.environ.get(name, "0")) for name in ("LEVI_E2E_SLOWER", "LEVI_E2E_LATER_MS"))


STICKING_OUT = """() => {
  const width = document.documentElement.clientWidth, found = [];
  for (const part of document.querySelectorAll("body *")) {
    const beyond = Math.round(part.getBoundingClientRect().right - width);
    if (beyond < 1) continue;
    let around = part.parentElement;
    while (around && getComputedStyle(around).overflowX === "visible") around = around.parentElement;
    if (!around || around === document.body) {
      found.push(`${part.tagName}.${part.className} ${beyond} px: ${part.textContent.trim().slice(0, 40)}`);
    }
  }
  return found.slice(-6);
}"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/e2e" in item.path.as_posix():
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    program = find_chromium()
    if program is None:
        pytest.skip("Chromium is not installed: the panel was not tried in a browser.")
    # The browser's driver keeps an event loop in this thread, which Django would otherwise take for async code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()
    os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE")


@dataclass
class Visit:
    """A tab with a new profile. `complaints` collects what a user of the browser's console would see."""

    page: Any
    base: str
    complaints: list[str] = field(default_factory=list)
    tools: Any = None

    def open(self, path: str) -> None:
        self.page.goto(self.base + path)

    def sees(self, selector: str) -> Any:
        """Waits until that is there for a person to see. A selector finds text by `text=` or `>> text=`."""
        found = self.page.locator(selector).locator("visible=true").first
        found.wait_for(state="visible", timeout=PATIENCE_MS)
        return found

    def has_rows(self, count: int) -> None:
        """Waits until the list shows that many."""
        sync_api.expect(self.page.locator("#result_list tbody tr")).to_have_count(count, timeout=PATIENCE_MS)

    def shoot(self, name: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.wait_for_function("document.fonts.status === 'loaded'")
        self.page.screenshot(path=SHOTS / f"{name}.png", full_page=True, animations="disabled")

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        return self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )

    def spread_text(self) -> None:
        """As a reader with WCAG's text spacing sees it (1.4.12), and about as wide as the widest usual font."""
        self.page.evaluate(
            "rule => { const sheet = new CSSStyleSheet(); sheet.replaceSync(rule);"
            " document.adoptedStyleSheets = [sheet]; }",
            "* { letter-spacing: .12em !important; word-spacing: .16em !important; line-height: 1.5 !important }",
        )

    def stick_out(self) -> list[str]:
        """What reaches beyond the window, outside of boxes that scroll by themselves; empty if nothing does."""
        return self.page.evaluate(STICKING_OUT) if self.overflow() > 0 else []

    def violations(self) -> list[str]:
        """What axe finds, as sentences: which rule, on which element."""
        found = Axe().run(self.page, options={"resultTypes": ["violations"]}).response["violations"]
        return [
            f"{v['id']}: {node['html'][:160]} {node['any'][:1]}" for v in found for node in v["nodes"][:3]
        ]

    def cut_off(self, is_cut_off: bool) -> None:
        """From the network, or back on it. A network that is made slow keeps its own word on that."""
        self.page.context.set_offline(is_cut_off)
        make_poor(self.tools, is_cut_off=is_cut_off)

    def sign_in_by_hand(self, name: str) -> None:
        self.open("/admin/login/")
        self.page.fill("#id_username", name)
        self.page.fill("#id_password", PASSWORD)
        self.page.click("button[type=submit]")
        self.sees("#lv-strip")

    def _listen(self) -> None:
        host = urlsplit(self.base).netloc
        page, note = self.page, self.complaints.append
        page.on("console", lambda message: note(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: note(f"script error: {error}"))
        page.on(
            "request",
            lambda call: note(f"other host: {call.url}") if urlsplit(call.url).netloc != host else None,
        )
        page.on("response", lambda got: note(f"{got.status} {got.url}") if got.status >= 500 else None)


def make_poor(tools: Any, *, is_cut_off: bool = False) -> None:
    """By the two settings above; without them the browser stays as fast as it is."""
    if SLOWER:
        tools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    if LATER_MS:
        pace = {
            "offline": is_cut_off,
            "latency": LATER_MS,
            "downloadThroughput": -1,
            "uploadThroughput": -1,
        }
        tools.send("Network.enable")
        tools.send("Network.emulateNetworkConditions", pace)


@contextmanager
def serve(**environment: str) -> Iterator[str]:
    """The product as it is served: granian with the ASGI application, on this session's test database."""
    port = find_free_port()
    words = ["--interface", "asginl", "--port", str(port), "--workers", "1", "--http", "1", "--no-ws"]
    process = subprocess.Popen(
        [sys.executable, "-m", "granian", *words, "--log-level", "error", "levi_site.asgi:application"],
        cwd=REPO_DIR,
        env={**os.environ, "LEVI_ROLE": "levi-web", **environment},
    )
    deadline = time.monotonic() + START_SECONDS
    try:
        while not answers_http(port, "/healthz/live"):
            assert process.poll() is None and time.monotonic() < deadline, "the server did not start"
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


@pytest.fixture(scope="module")
def serving(django_db_setup) -> Iterator[str]:
    """Ends with its module: its heartbeat would be among the rows of tests that come later."""
    with serve() as base:
        yield base


@pytest.fixture
def newly_served(transactional_db) -> Iterator[str]:
    """A server of the test's own: one that outlived the tables it wrote to leaves chains without a beginning."""
    with serve() as address:
        yield address


@pytest.fixture
def served(serving, transactional_db) -> str:
    return serving


@pytest.fixture
def visit(chromium, live_server):
    """visit(user=…, size=…, theme=…, scripts=…) opens a tab, signed in as that person if one is given."""

    @contextmanager
    def opened(
        user=None,
        *,
        size=DESKTOP,
        theme="light",
        scripts=True,
        base=live_server.url,
        may_complain=False,
        zone=None,
    ):
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=theme,
            java_script_enabled=scripts,
            timezone_id=zone,
        )
        if user is not None:
            context.add_cookies([session_cookie(user, base)])
        context.set_default_timeout(PATIENCE_MS)
        tab = Visit(context.new_page(), base)
        tab.tools = context.new_cdp_session(tab.page)
        make_poor(tab.tools)
        tab._listen()
        yield tab
        context.close()
        assert may_complain or tab.complaints == []

    return opened


def session_cookie(user, base: str) -> dict[str, str]:
    """Signing in by hand costs a password hash; one test does it, the others take a session."""
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return {
        "name": settings.SESSION_COOKIE_NAME,
        "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
        "url": base,
    }


@pytest.fixture
def day(transactional_db) -> Iterator[TradingDay]:
    settings.STOP_FLAG.unlink(missing_ok=True)
    yield TradingDay()
    settings.STOP_FLAG.unlink(missing_ok=True)


@pytest.fixture
def people(transactional_db):
    return make_people()
