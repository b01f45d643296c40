"""Secrets and identifiers of an installation: given by the operator, or generated once under HOME_DIR.

Only paper mode may generate secrets; testnet and production must be given theirs explicitly, so that a lost
HOME_DIR can never silently mean a new encryption key. Files are created 0600, never overwritten, never logged.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

from levi_site.env import EnvironmentVariables, SettingError

INSTANCE_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
MIN_SECRET_LENGTH = 32


def make_private_dir(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def generate_secret() -> str:
    """256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)


def generate_instance_id() -> str:
    return "".join(secrets.choice(INSTANCE_ALPHABET) for _ in range(4))


def read_or_create(path: Path, generate: Callable[[], str]) -> str:
    """The file's text; created with generate() when absent. Racing processes all get the winner's text."""
    if not path.exists():
        make_private_dir(path.parent)
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".draft-")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
                handle.write(generate())
            # link() refuses to overwrite: whoever comes second reads the first one's text.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            Path(draft).unlink()
    return path.read_text(encoding="utf-8").strip()


def get_secret(env: EnvironmentVariables, name: str, *, mode: str) -> str:
    """The operator's secret, or in paper mode one generated under HOME_DIR/secrets."""
    given = env.text(name)
    if given:
        if len(given) < MIN_SECRET_LENGTH and mode != "paper":
            raise SettingError(
                f"{name} has {len(given)} characters; {mode} mode needs at least {MIN_SECRET_LENGTH}: "
                "generate one with  python -c 'import secrets; print(secrets.token_urlsafe(32))'"
            )
        return given
    if mode != "paper":
        raise SettingError(
            f"{name} is not set; {mode} mode generates no secrets: set {name} or {name}_FILE "
            "(python -c 'import secrets; print(secrets.token_urlsafe(32))')"
        )
    return read_or_create(env.home_dir / "secrets" / name.lower(), generate_secret)


def get_instance_id(home_dir: Path) -> str:
    """Four characters that mark this installation's client order ids; made once per HOME_DIR."""
    found = read_or_create(home_dir / "instance-id", generate_instance_id)
    if len(found) != 4 or not set(found) <= set(INSTANCE_ALPHABET):
        raise SettingError(
            f"{home_dir / 'instance-id'} holds {found!r}, not four of [a-z0-9]; restore it from a backup"
        )
    return found
