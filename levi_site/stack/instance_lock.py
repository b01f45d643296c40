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
