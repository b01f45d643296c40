"""What is printed when everything runs: where the panel is, how to sign in, and a first signal to paste."""

from __future__ import annotations

import json
from pathlib import Path


def read_first_run(path: Path) -> dict[str, str]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        # No first run happened here (testnet, production, or a part of a larger installation).
        return {}


def format_curl(first: dict[str, str]) -> str:
    body = json.dumps({"symbol": "BTC/USDT", "side": "BUY", "quantity": "0.01"})
    return (
        f"curl -sS -X POST {first['url']}/api/v1/signals \\\n"
        f"  -H 'Authorization: Bearer {first['token']}' \\\n"
        "  -H 'Content-Type: application/json' \\\n"
        '  -H "Idempotency-Key: first-$(date +%s)" \\\n'
        f"  -d '{body}'"
    )


def format_banner(url: str, mode: str, home_dir: Path, seconds: float) -> str:
    first = read_first_run(home_dir / "first-run.json")
    lines = [
        "",
        f"Levi is running in {mode} mode (started in {seconds:.1f} s).",
        "",
        f"  panel     {url}/admin/",
    ]
    if first.get("operator"):
        lines.append(f"  operator  {first['operator']}")
        lines.append(f"  password  {first['password'] or '(changed since the first start)'}")
    lines.append(f"  state     {home_dir}   logs: {home_dir / 'logs'}")
    if first.get("token"):
        lines += ["", "A first signal, in another terminal:", "", format_curl(first)]
    lines += ["", "Ctrl-C stops everything.", ""]
    return "\n".join(lines)
