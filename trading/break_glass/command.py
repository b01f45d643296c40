"""`manage.py break_glass`: when the database, Redis or the panel cannot be used and trading must end now.

First the local stop flag: no process of this host writes a new order past it, and it stays until a person releases.
Then, with the sealed key file, cancel at the venues until they are proven empty. Each of the two is done also where the
other cannot be: a flag that this disk refuses is said aloud and keeps nothing from being canceled.

Exit codes: 0 the flag is raised and the venues are proven clean, 1 something is open, could not be proven, or the flag
could not be raised, 2 wrong use or no usable key file (the flag is raised all the same).
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from levi_site.env import EnvironmentVariables, SettingError
from levi_site.stack.instance_lock import find_holders
from trading.domain.enums import CancelScope
from trading.domain.errors import LeviError
from trading.exchanges.limiter import LocalLimiter
from trading.sealed_file import key_path
from trading.stop_flag import raise_stop_flag

from .clearing import AccountClearing, clear_accounts
from .key_file import KeyRing, read_key_file

CLEAN, NOT_PROVEN, WRONG_USE = 0, 1, 2
# Nobody else sends: this command may use all of the venue's limits but for what is under way elsewhere.
_SHARE = Fraction(3, 4)


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="manage.py break_glass",
        description="Stop this host's senders and cancel at the venues, without database, Redis or panel.",
    )
    parser.add_argument(
        "--prepare", action="store_true", help="write the sealed key file (needs the database)"
    )
    parser.add_argument("--scope", choices=[scope.value for scope in CancelScope], default="ours")
    parser.add_argument("--account", action="append", default=[], help="only this account (repeatable)")
    parser.add_argument("--reason", default="glass broken", help="stands in the flag and on every page")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to stay until it is proven")
    parser.add_argument("--stop-stack", action="store_true", help="also end the stack that runs on this host")
    parser.add_argument("--json", action="store_true", help="report as one JSON document on stdout")
    return parser.parse_args(argv)


def run_break_glass(argv: Sequence[str]) -> int:
    given = parse_arguments(argv)
    env = EnvironmentVariables.load()
    flag = env.home_dir / "run" / "stop.flag"
    is_raised = stop_senders(flag, given.reason)
    if given.stop_stack:
        stop_stack(env.home_dir)
    try:
        ring = choose_accounts(read_key_file(key_path(env.home_dir), find_encryption_key(env)), given.account)
    except (LeviError, SettingError, OSError) as error:
        say(f"levi: {error}")
        say("Nothing was canceled: cancel by hand on the venue's own pages.")
        return WRONG_USE
    say(f"Key file of {ring.written_at:%Y-%m-%d %H:%M} UTC, {len(ring.accounts)} account(s).")
    limiter = LocalLimiter(normal_share=_SHARE, urgent_share=_SHARE)
    found = clear_accounts(
        ring, CancelScope(given.scope), limiter=limiter, seconds=given.seconds, progress=tell_progress
    )
    report(flag, is_raised, given, found)
    return CLEAN if is_raised and all(account.is_proven for account in found) else NOT_PROVEN


def stop_senders(flag: Path, reason: str) -> bool:
    """Raise the flag; False, with the way on, where this disk refuses it."""
    try:
        raise_stop_flag(flag, f"break glass: {reason}", f"command:uid-{os.geteuid()}")
    except OSError as error:
        say(
            f"The stop flag {flag} could NOT be raised ({error.strerror}): this host may still send new orders."
        )
        say("End its processes now (--stop-stack, or your service manager). Canceling goes on.")
        return False
    say(f"The stop flag {flag} is raised: no process of this host sends a new order until a release.")
    return True


def find_encryption_key(env: EnvironmentVariables) -> str:
    """Given, or the one that paper mode generated; never a new one."""
    given = env.text("LEVI_ENCRYPTION_KEY")
    file = env.home_dir / "secrets" / "levi_encryption_key"
    if given or file.is_file():
        return given or file.read_text(encoding="utf-8").strip()
    raise SettingError("LEVI_ENCRYPTION_KEY is not set and the key file cannot be opened without it; set it")


def choose_accounts(ring: KeyRing, names: Sequence[str]) -> KeyRing:
    known = {account.name: account for account in ring.accounts}
    unknown = [name for name in names if name not in known]
    if unknown or not known:
        raise SettingError(
            f"account {', '.join(unknown) or '(any)'} is not in the key file; it has: {', '.join(known) or 'none'}"
        )
    return replace(ring, accounts=tuple(known[name] for name in names or known))


def stop_stack(home_dir: Path) -> None:
    """Polite: the stack's own supervisor lets its workers finish what is under way, and starts none again."""
    holders = find_holders(home_dir)
    if not holders:
        say("No stack runs with this HOME_DIR on this host.")
    for holder in holders:
        try:
            os.kill(holder, signal.SIGTERM)
        except OSError as error:
            say(f"The stack (pid {holder}) could not be told to stop: {error.strerror}.")
        else:
            say(f"The stack (pid {holder}) was told to stop.")


def say(text: str) -> None:
    with suppress(OSError):  # a terminal that is gone or a full disk behind it must not end this
        print(text, file=sys.stderr, flush=True)


def tell_progress(found: AccountClearing) -> None:
    left = "could not be asked" if found.open is None else f"{len(found.open)} open"
    say(f"  {found.account}: {found.trouble or left}{', proven clean' if found.is_proven else ''}")


def report(flag: Path, is_raised: bool, given: argparse.Namespace, found: list[AccountClearing]) -> None:
    document: dict[str, Any] = {
        "stop_flag": str(flag),
        "stop_flag_raised": is_raised,
        "scope": given.scope,
        "clean": all(account.is_proven for account in found),
        "accounts": [account.as_dict() for account in found],
    }
    print(
        json.dumps(document, indent=2) if given.json else "\n".join(map(describe_account, found)), flush=True
    )


def describe_account(found: AccountClearing) -> str:
    verdict = "CLEAN, proven empty" if found.is_proven else "NOT proven clean"
    lines = [f"{found.account}: {verdict}; {found.cancels_sent} cancels sent."]
    if found.trouble:
        lines.append(f"  the venue could not be asked: {found.trouble}")
    for order in found.open or ():
        said = found.cancel_troubles.get(order["exchange_order_id"], "")
        name = order["client_order_id"] or order["exchange_order_id"]
        lines.append(f"  open: {order['side']} {order['quantity']} {order['symbol']} {name} {said}".rstrip())
    if found.foreign:
        lines.append(f"  orders of others on this account at the last look: {found.foreign}")
    return "\n".join(lines)
