"""The sealed key file: what the break-glass command knows without a database.

AES-256-GCM with a key derived from LEVI_ENCRYPTION_KEY, which is given by environment or file; so the file alone opens
nothing. Written only on purpose (`manage.py break_glass --prepare`), mode 0600, replaced as a whole. It goes stale when
a key is replaced: prepare it again then.
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from trading.domain.enums import Environment, VenueName
from trading.domain.errors import ConfigurationError
from trading.exchanges.base import Connection, Credentials

FORMAT = "levi break-glass 1"
_NONCE_BYTES = 12
_REMEDY = "Write it again while the database is there: manage.py break_glass --prepare"


@dataclass(frozen=True, slots=True)
class GlassAccount:
    """One account's line, as plain words."""

    name: str
    venue: str
    environment: str
    base_url: str
    key: str
    secret: str
    timeout_seconds: int
    rate_limit_rps: str
    limit_scale: int

    def __repr__(self) -> str:
        return f"GlassAccount({self.name})"

    def as_connection(self) -> Connection:
        return Connection(
            venue=VenueName(self.venue),
            environment=Environment(self.environment),
            base_url=self.base_url,
            account=self.name,
            credentials=Credentials(self.key, self.secret),
            timeout_seconds=self.timeout_seconds,
            rate_limit_rps=Decimal(self.rate_limit_rps),
            limit_scale=self.limit_scale,
            stop_requested=lambda: True,  # this process never places anything
        )


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The content of the file. `instance_id` tells our orders from others'."""

    instance_id: str
    written_at: datetime
    accounts: tuple[GlassAccount, ...]


def _cipher(encryption_key: str) -> AESGCM:
    derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"levi break glass v1")
    return AESGCM(derived.derive(encryption_key.encode()))


def write_key_file(path: Path, ring: KeyRing, encryption_key: str) -> None:
    """Seal and replace. The draft is private from its first byte."""
    accounts = [asdict(account) for account in ring.accounts]
    plain = json.dumps({"instance_id": ring.instance_id, "accounts": accounts}).encode()
    written_at = ring.written_at.astimezone(UTC).isoformat()
    nonce = os.urandom(_NONCE_BYTES)
    sealed = nonce + _cipher(encryption_key).encrypt(nonce, plain, f"{FORMAT}|{written_at}".encode())
    document = {
        "format": FORMAT,
        "written_at": written_at,
        "accounts": len(accounts),
        "sealed": base64.b64encode(sealed).decode(),
    }
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        json.dump(document, handle, indent=1)
        handle.flush()
        os.fsync(handle.fileno())
    draft.replace(path)


def read_key_file(path: Path, encryption_key: str) -> KeyRing:
    """Raises ConfigurationError for a file that is missing, open to others, damaged or sealed with another key."""
    try:
        mode = path.stat().st_mode & 0o077
        document = json.loads(path.read_text(encoding="utf-8"))
        written_at, sealed = str(document["written_at"]), base64.b64decode(document["sealed"])
    except FileNotFoundError:
        raise ConfigurationError(f"There is no key file {path}.", remedy=_REMEDY) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"The key file {path} cannot be read ({type(error).__name__}).", remedy=_REMEDY
        ) from None
    if mode:
        raise ConfigurationError(
            f"The key file {path} is open to other users.", remedy=f"Close it: chmod 600 {path}"
        )
    try:
        plain = _cipher(encryption_key).decrypt(
            sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], f"{FORMAT}|{written_at}".encode()
        )
    except (InvalidTag, ValueError):
        raise ConfigurationError(
            f"The key file {path} does not open with this LEVI_ENCRYPTION_KEY.", remedy=_REMEDY
        ) from None
    content = json.loads(plain)
    accounts = tuple(GlassAccount(**account) for account in content["accounts"])
    return KeyRing(content["instance_id"], datetime.fromisoformat(written_at), accounts)
