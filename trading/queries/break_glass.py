"""Whether the sealed key file of this host knows every key: what breaking the glass could cancel with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from trading.models import Credential
from trading.sealed_file import find_written_at, key_path


@dataclass(frozen=True, slots=True)
class GlassState:
    """`unknown`: the accounts with a key that is newer than the file, or with any where there is no file."""

    written_at: datetime | None
    unknown: tuple[str, ...]

    @property
    def is_ready(self) -> bool:
        return not self.unknown

    @property
    def words(self) -> str:
        names = ", ".join(self.unknown)
        if self.written_at is None:
            return f"no readable file; the key of {names} is not in it" if names else "no key to seal"
        told = f"written {self.written_at:%Y-%m-%d %H:%M} UTC"
        return f"{told}, before the key of {names} was stored" if names else told


def read_glass() -> GlassState:
    """Of this host, and of the accounts of the mode that runs."""
    written_at = find_written_at(key_path(settings.HOME_DIR))
    keys = Credential.objects.filter(account__mode=settings.LEVI_MODE).order_by("account__name")
    newer = keys if written_at is None else keys.filter(replaced_at__gt=written_at)
    return GlassState(written_at, tuple(newer.values_list("account__name", flat=True)))
