"""One stack per HOME_DIR: an advisory lock on a file that names its holder. Gone with the process, whatever ends it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class AlreadyRunning(Exception):
    """Another stack holds this HOME_DIR."""


def lock_file(home_dir: Path, name: str) -> Path:
    return home_dir / "run" / f"{name}.lock"


@contextmanager
def hold_instance(home_dir: Path, name: str) -> Iterator[None]:
    path = lock_file(home_dir, name)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = take_lock(path)
    try:
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        # Removed while it is still held: whoever waits for it notices below that the file is not the same any more.
        path.unlink(missing_ok=True)
        os.close(descriptor)


def find_holders(home_dir: Path) -> list[int]:
    """The process ids of the stacks that run with this HOME_DIR. A file whose lock is free names nobody."""
    return [holder for path in sorted((home_dir / "run").glob("up*.lock")) if (holder := _find_holder(path))]


def _find_holder(path: Path) -> int | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        said = os.read(descriptor, 20).decode(errors="replace").strip()
        return int(said) if said.isdecimal() else None
    finally:
        os.close(descriptor)
    return None


def take_lock(path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 20).decode().strip() or "unknown"
            os.close(descriptor)
            raise AlreadyRunning(
                f"a stack is already running with HOME_DIR={path.parent.parent} (pid {holder}); stop it first, "
                "or start a second one beside it:  HOME_DIR=/other/dir PORT=8123 make run"
            ) from None
        if path.exists() and path.stat().st_ino == os.fstat(descriptor).st_ino:
            return descriptor
        os.close(descriptor)
