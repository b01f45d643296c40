"""A22: the secrets of a stack that has gone through everything, looked for wherever text may leave it.

The stack logs at DEBUG all the time. Searched: every log, every row, everything in Redis, the pages and answers an
operator and a client see, error pages, metrics, and the exports.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import httpx
import redis

from tests.chaos.process.figures import Figure, count
from tests.chaos.process.stack_world import CampaignStack

Say = Callable[[str], None]
PAGES = (
    "/", "/admin/", "/admin/trading/order/", "/admin/trading/exchangeaccount/", "/admin/trading/apitoken/",
    "/admin/trading/auditentry/", "/admin/trading/signal/", "/admin/auth/user/", "/api/docs",
)  # fmt: skip
ADDRESSES = (
    "/api/v1/orders", "/api/v1/fills", "/api/v1/accounts", "/api/v1/decisions", "/api/v1/audit",
    "/api/v1/halts/history", "/api/v1/breaks", "/api/v1/reconciliations", "/api/schema", "/metrics", "/healthz/ready",
    "/live/status",    "/api/v1/orders?limit=no", "/api/v1/orders/no-such-order", "/api/v1/nothing", "/no-such-page",
)  # fmt: skip
SIGNATURE = re.compile(rb"signature=[0-9a-f]{16}")


def canaries(stack: CampaignStack) -> dict[str, bytes]:
    """What must not show, by name. Some are made by the first run, some lie in the folder of secrets."""
    found = {name: stack.first_run[name] for name in ("token", "password", "sim_key", "sim_secret")}
    folder = stack.home / "secrets"
    found |= {path.name: path.read_text().strip() for path in folder.iterdir() if path.is_file()}
    return {name: text.encode() for name, text in found.items() if len(text) >= 10}


def look_for_secrets(stack: CampaignStack, say: Say) -> list[Figure]:
    secrets = canaries(stack)
    found, looked, size = [], 0, 0
    for place, content in places(stack):
        looked, size = looked + 1, size + len(content)
        found += [f"{name} stands in {place}" for name, secret in secrets.items() if secret in content]
        if SIGNATURE.search(content):
            found.append(f"a signature stands in {place}")
    say(f"{looked} places searched, {size / 1e6:.1f} MB")
    what = f"secrets ({len(secrets)} planted) found in {looked} places, {size // 1_000_000} MB"
    return [
        Figure("A22", "places searched", str(looked), ">= 20", looked >= 20),
        count("A22", what, found),
    ]


def places(stack: CampaignStack) -> Iterator[tuple[str, bytes]]:
    yield "the terminal", _terminal(stack)
    logs = [*(stack.home / "logs").rglob("*"), *(stack.home / "run").glob("*.log")]
    for path in filter(lambda one: one.is_file(), logs):
        yield f"log {path.name}", path.read_bytes()
    yield from _rows(stack)
    yield "Redis", _everything_in_redis(stack)
    with stack.client() as client:
        for address in ADDRESSES:
            with suppress(Exception):
                yield f"the answer of {address}", client.http.get(address).content
        answer = client.http.post(
            "/api/v1/signals", content=b"{broken", headers={"Content-Type": "application/json"}
        )
        yield "the answer to a broken body", answer.content
    with sign_in(stack) as session:
        for page in PAGES:
            yield f"page {page}", session.get(page).content
    for words in (("export_audit",), ("export_orders",), ("preflight",), ("verify_audit",)):
        done = stack.manage(*words)
        yield f"command {words[0]}", (done.stdout + done.stderr).encode()


@contextmanager
def sign_in(stack: CampaignStack) -> Iterator[httpx.Client]:
    """As the operator of the first run, by the form."""
    with httpx.Client(base_url=stack.url, follow_redirects=True, trust_env=False, timeout=60) as session:
        _fill_in_the_form(stack, session)
        yield session


def _fill_in_the_form(stack: CampaignStack, session: httpx.Client) -> None:
    page = session.get("/admin/login/").text
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    known = stack.first_run
    form = {
        "username": known["operator"],
        "password": known["password"],
        "csrfmiddlewaretoken": token.group(1) if token else "",
    }
    answer = session.post("/admin/login/?next=/admin/", data=form, headers={"Referer": stack.url})
    assert "id_password" not in answer.text, "the operator could not sign in"


def _terminal(stack: CampaignStack) -> bytes:
    """The first start shows its owner how to get in, there and nowhere else."""
    shown = stack.log.read_bytes()
    for name in ("token", "password"):
        shown = shown.replace(stack.first_run[name].encode(), b"(shown to the owner)", 1)
    return shown


def _rows(stack: CampaignStack) -> Iterator[tuple[str, bytes]]:
    tables = stack.rows("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")
    for table in tables:
        with suppress(Exception):  # a table that this role may not read
            rows = stack.rows(f'SELECT r::text AS text FROM "{table["name"]}" r')
            yield f"table {table['name']}", "\n".join(row["text"] for row in rows).encode()


def _everything_in_redis(stack: CampaignStack) -> bytes:
    with redis.Redis.from_url(stack.services["REDIS_URL"]) as store:
        texts = []
        for key in store.scan_iter(count=1000):
            with suppress(redis.RedisError):
                texts.append(key + b" " + (store.dump(key) or b""))
        texts.append(json.dumps({key: str(value) for key, value in store.info().items()}).encode())
        return b"\n".join(texts)
