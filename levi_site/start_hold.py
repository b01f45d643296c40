"""A start is halted: in testnet and production this host's stop flag is raised before any worker runs.

`manage.py up` and the first unit or container of a deployment raise it at every start of theirs (`hold_start`; as a
program: `python -m levi_site.start_hold`). Whatever else starts workers, a reboot that brings containers back by
themselves or a hand on the command line, is recognised by the workers (`join_start`): each holds a lock of the host
for as long as it lives, and the one that finds nobody else is a start. So a worker that is restarted beside others
halts nothing. A worker that cannot tell does not run. Knows no Django, needs neither secrets nor servers.
"""

from __future__ import annotations

import fcntl
import os
import sys
from pathlib import Path

from levi_site.config import load_config
from levi_site.env import REPO_DIR, EnvironmentVariables, SettingError
from trading.stop_flag import raise_stop_flag

ACTOR = "system:start"
REASON = "started: release after the start's checks"
DONE, FAILED, WRONG_USE = 0, 1, 2

_held: list[int] = []  # the locks of this process: the kernel lets them go when it ends, however it ends


def read_mode(env: EnvironmentVariables) -> str:
    file = Path(env.text("LEVI_CONFIG") or REPO_DIR / "config" / "app.yaml")
    return load_config(file, mode_override=env.text("LEVI_MODE")).live.mode


def hold_start(home_dir: Path, mode: str) -> None:
    """Raise the flag, and count as running from now on: what this process starts is no start of its own."""
    if mode == "paper":
        return
    raise_stop_flag(home_dir / "run" / "stop.flag", REASON, ACTOR)
    lock = _open_lock(home_dir)
    fcntl.flock(lock, fcntl.LOCK_SH)
    _held.append(lock)


def join_start(home_dir: Path, mode: str) -> bool:
    """Called by a worker before it takes work. True: nobody ran on this host, so the flag is raised now."""
    if mode == "paper":
        return False
    lock = _open_lock(home_dir)
    is_first = True
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        is_first = False
    if is_first:
        raise_stop_flag(home_dir / "run" / "stop.flag", REASON, ACTOR)
    # Shared with the others from here on. Waits for one that has found itself to be the first and raises the flag.
    fcntl.flock(lock, fcntl.LOCK_SH)
    _held.append(lock)
    return is_first


def _open_lock(home_dir: Path) -> int:
    folder = home_dir / "run"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return os.open(folder / "workers.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def main() -> int:
    try:
        env = EnvironmentVariables.load()
        mode = read_mode(env)
        hold_start(env.home_dir, mode)
    except SettingError as error:
        print(f"levi: {error}", file=sys.stderr)
        return WRONG_USE
    except OSError as error:
        print(f"levi: the stop flag of this start cannot be raised ({error})", file=sys.stderr)
        return FAILED
    print("levi: paper mode starts as it was left" if mode == "paper" else "levi: this start is halted")
    return DONE


if __name__ == "__main__":
    raise SystemExit(main())
