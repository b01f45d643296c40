"""The project's wiring as a client sees it: request ids, headers, cookies, system checks, the doorbell's manners."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from celery import Celery
from django.conf import settings
from django.template import engines
from django.test import Client, override_settings
from kombu.exceptions import OperationalError

from levi_site.celery_settings import CELERY_SETTINGS
from levi_site.checks import check_wiring
from levi_site.env import REPO_DIR
from levi_site.stack.ports import find_free_port
from levi_site.warm_up import warm_up_pages


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.mark.django_db
def test_a_plain_request_id_is_echoed(client: Client) -> None:
    answer = client.get("/admin/login/", headers={"X-Request-ID": "strategy-7.run_3"})
    assert answer.headers["X-Request-ID"] == "strategy-7.run_3"


@pytest.mark.django_db
@pytest.mark.parametrize("forged", ["a b", "x" * 65, "<script>", "", "a\\nb"])
def test_any_other_request_id_is_replaced(client: Client, forged: str) -> None:
    answer = client.get("/admin/login/", headers={"X-Request-ID": forged})
    assert answer.headers["X-Request-ID"] != forged
    assert len(answer.headers["X-Request-ID"]) == 32


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/", "/admin/login/", "/admin/", "/admin/nowhere/", "/api/v1/orders", "/live/"]
)
def test_one_policy_without_an_exception_binds_every_answer(client: Client, path: str) -> None:
    policy = client.get(path).headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    for directive in ("script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "object-src 'none'"):
        assert directive in policy.split("; ")


@pytest.mark.django_db
def test_two_installations_on_one_host_do_not_share_cookies(client: Client) -> None:
    assert settings.INSTANCE_ID in settings.SESSION_COOKIE_NAME
    cookie = client.get("/admin/login/").cookies[settings.CSRF_COOKIE_NAME]
    assert cookie["httponly"] and cookie["samesite"] == "Lax"
    # The paper demo is served over plain http on the loopback address.
    assert not cookie["secure"]


def test_the_shipped_wiring_has_no_problem() -> None:
    assert check_wiring() == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"DATABASES": {"default": {**settings.DATABASES["default"], "ATOMIC_REQUESTS": True}}},
            "ATOMIC_REQUESTS",
        ),
        ({"DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3"}}}, "PostgreSQL"),
        ({"LEVI_MODE": "production", "CELERY_TASK_ALWAYS_EAGER": True}, "eagerly"),
        ({"LEVI_MODE": "production", "EMBEDDED_SERVERS": ["redis"]}, "embedded"),
        ({"LEVI_MODE": "testnet", "DEBUG": True}, "DEBUG"),
        ({"LEVI_MODE": "production", "SIMULATOR_URL": "http://127.0.0.1:1"}, "simulated venue"),
    ],
)
@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
def test_a_setting_that_breaks_a_guarantee_is_an_error(changes: dict, words: str) -> None:
    with override_settings(**changes):
        assert [error for error in check_wiring() if words in error.msg and error.hint]


def test_publishing_with_redis_down_fails_at_once_instead_of_hanging() -> None:
    app = Celery("nobody", broker=f"redis://127.0.0.1:{find_free_port()}/0", set_as_current=False)
    app.conf.update({key.lower(): value for key, value in CELERY_SETTINGS.items()})
    began = time.monotonic()
    with pytest.raises(OperationalError):
        app.send_task("trading.tasks.dispatch_order", args=["x"], queue="orders")
    assert time.monotonic() - began < 5, "the default is to try for ever"


def test_messages_are_plain_and_never_trusted_twice() -> None:
    assert CELERY_SETTINGS["ACCEPT_CONTENT"] == ["json"]
    assert CELERY_SETTINGS["TASK_ACKS_LATE"] is False
    assert (
        CELERY_SETTINGS["TASK_TIME_LIMIT"] < CELERY_SETTINGS["BROKER_TRANSPORT_OPTIONS"]["visibility_timeout"]
    )


@pytest.mark.parametrize(
    ("room", "role", "shares"), [(1 << 30, "", True), (0, "", False), (0, "levi-web", True)]
)
def test_a_command_on_a_full_disk_counts_for_itself(room: int, role: str, shares: bool, tmp_path):
    """Counters that processes share are mapped files: where the disk is full, touching one is fatal."""
    program = (
        "import os, shutil, types;"
        f"shutil.disk_usage = lambda path: types.SimpleNamespace(free={room});"
        "import levi_site.settings; print('PROMETHEUS_MULTIPROC_DIR' in os.environ)"
    )
    environment = {name: text for name, text in os.environ.items() if name != "PROMETHEUS_MULTIPROC_DIR"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=REPO_DIR,
        env=environment | {"HOME_DIR": str(tmp_path), "LEVI_ROLE": role},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.strip() == str(shares)


def test_pages_are_warmed_up_without_a_database() -> None:
    """The mark of a database test is missing on purpose: a question to the database would fail here."""
    compiled = warm_up_pages()
    assert compiled > 40
    began = engines["django"].engine.template_loaders[0].get_template_cache
    assert len(began) >= compiled
    assert warm_up_pages() == compiled
