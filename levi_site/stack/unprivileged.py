"""Runs a server as an ordinary user when the operator is root, because PostgreSQL refuses root.

No user is created and no mode of an existing folder is changed. Where the ordinary user cannot reach a path
(HOME_DIR or the environment below /root), a private folder below /var/lib is used instead.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

SERVER_USER = "nobody"
FALLBACK_PARENT = Path("/var/lib")


@dataclass(frozen=True)
class ServerUser:
    uid: int
    gid: int

    def popen_arguments(self) -> dict[str, object]:
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def find_server_user() -> ServerUser | None:
    """The user a server must change to; None when we are an ordinary user already."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam(SERVER_USER)
    return ServerUser(entry.pw_uid, entry.pw_gid)


def can_run(user: ServerUser | None, argv: list[str]) -> bool:
    """Whether this command succeeds when that user runs it."""
    extra = user.popen_arguments() if user else {}
    try:
        done = subprocess.run(
            argv,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            **extra,  # type: ignore[call-overload]
        )
    except OSError:
        return False
    return bool(done.returncode == 0)


def can_reach(user: ServerUser | None, folder: Path) -> bool:
    return can_run(user, ["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)])


def make_own_dir(folder: Path, user: ServerUser | None) -> Path:
    """A folder that only the server's user may enter."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if user:
        os.chown(folder, user.uid, user.gid)
    return folder


def find_fallback_home(home_dir: Path, user: ServerUser) -> Path:
    """A folder below /var/lib for what the server's user cannot reach under HOME_DIR; a link in HOME_DIR keeps it."""
    link = home_dir / "server-data"
    if link.is_symlink() and link.is_dir():
        return link.resolve()
    folder = FALLBACK_PARENT / f"levi-{os.urandom(4).hex()}"
    folder.mkdir()
    folder.chmod(0o711)  # not left to the umask
    link.unlink(missing_ok=True)
    link.symlink_to(folder)
    return folder


def find_server_home(home_dir: Path, user: ServerUser | None) -> Path:
    """Where the server's files go: HOME_DIR, or the fallback where its user cannot reach that."""
    if user is None or can_reach(user, home_dir):
        return home_dir
    return find_fallback_home(home_dir, user)
