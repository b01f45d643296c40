"""Reads the environment: variables, `NAME_FILE` secrets, `.env`, and what a running stack announces.

Order of precedence: process environment, `<repo>/.env`, `HOME_DIR/run/services.json` (written by `manage.py up`
so that commands typed in another terminal find the embedded servers). Values are never logged.
Knows no Django: the supervisor uses it before Django is loaded.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

REPO_DIR = Path(__file__).resolve().parent.parent
MODES = ("paper", "testnet", "production")
TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off", ""})


class SettingError(Exception):
    """A setting is missing or unusable; the message names key, value and remedy."""


def parse_env_file(text: str) -> dict[str, str]:
    """KEY=value lines; blank lines and # comments are skipped, one pair of quotes is removed."""
    values: dict[str, str] = {}
    for raw in text.splitlines():
        line = raw.strip().removeprefix("export ")
        if not line or line.startswith("#") or "=" not in line:
            continue
        key, value = (part.strip() for part in line.split("=", 1))
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        values[key] = value
    return values


def read_secret_file(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingError(
            f"{name}_FILE={path}: cannot be read ({error.strerror}); "
            f"point it at a readable file or set {name} instead"
        ) from error


class EnvironmentVariables:
    """All sources in one place, asked by name."""

    def __init__(self, process: Mapping[str, str], dotenv: Mapping[str, str]) -> None:
        self._sources = [process, dotenv]
        self.home_dir = Path(self.text("HOME_DIR") or REPO_DIR / "var").expanduser().absolute()
        self._sources.append(read_services(self.home_dir))

    @classmethod
    def load(cls) -> EnvironmentVariables:
        file = REPO_DIR / ".env"
        return cls(os.environ, parse_env_file(file.read_text()) if file.is_file() else {})

    def text(self, name: str, default: str = "") -> str:
        """The value of NAME, else the content of the file NAME_FILE points at, else the default."""
        for source in self._sources:
            if source.get(name):
                return source[name]
            if source.get(f"{name}_FILE"):
                return read_secret_file(name, source[f"{name}_FILE"])
        return default

    def flag(self, name: str, *, default: bool = False) -> bool:
        word = self.text(name).strip().lower()
        if not word:
            return default
        if word not in TRUE_WORDS | FALSE_WORDS:
            raise SettingError(f"{name}={word!r} is neither true nor false; write 1 or 0")
        return word in TRUE_WORDS

    def integer(self, name: str, default: int, *, low: int, high: int) -> int:
        text = self.text(name)
        if not text:
            return default
        if not text.strip().isdecimal() or not low <= int(text) <= high:
            raise SettingError(f"{name}={text!r} is not a whole number from {low} to {high}")
        return int(text)

    def words(self, name: str, default: tuple[str, ...] = ()) -> list[str]:
        """Comma-separated words."""
        found = [word.strip() for word in self.text(name).split(",") if word.strip()]
        return found or list(default)


def services_file(home_dir: Path) -> Path:
    return home_dir / "run" / "services.json"


def read_services(home_dir: Path) -> dict[str, str]:
    """What a running stack announces; empty when none runs."""
    try:
        found = json.loads(services_file(home_dir).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        # Absent, not ours to read, or half-written by a stack that is starting: none of these is a service.
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}
