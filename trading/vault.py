"""Encryption of venue credentials, and of the addresses of alert channels, at rest.

AES-256-GCM with a key derived from LEVI_ENCRYPTION_KEY, which lives outside the database and its backups. The owner's
id and the purpose are authenticated with each value, so that a row copied to another account does not open. Plain
credentials leave this module only as exchanges.base.Credentials.
"""

from __future__ import annotations

import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from trading.domain.errors import ConfigurationError
from trading.exchanges.base import Credentials
from trading.models import Credential, ExchangeAccount

_NONCE_BYTES = 12


def _derive_key() -> bytes:
    material = settings.ENCRYPTION_KEY.encode()
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"levi credentials v1").derive(material)


def key_id() -> str:
    """Which encryption key is in use: 16 hex digits that tell nothing about the key."""
    return hashlib.sha256(b"levi key id" + _derive_key()).hexdigest()[:16]


def seal_text(plain: str, owner: object, purpose: str) -> bytes:
    """Opens only with the same owner and purpose."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(_derive_key()).encrypt(nonce, plain.encode(), f"{owner}|{purpose}".encode())


def open_text(sealed: bytes | memoryview[int], owner: object, purpose: str) -> str | None:
    """None if it was sealed with another key, or for somebody else."""
    nonce, rest = bytes(sealed[:_NONCE_BYTES]), bytes(sealed[_NONCE_BYTES:])
    try:
        return AESGCM(_derive_key()).decrypt(nonce, rest, f"{owner}|{purpose}".encode()).decode()
    except InvalidTag:
        return None


def _open(sealed: bytes, account: ExchangeAccount, purpose: str) -> str:
    plain = open_text(sealed, account.pk, purpose)
    if plain is None:
        raise ConfigurationError(
            f"The credentials of account {account.name} cannot be decrypted with this LEVI_ENCRYPTION_KEY.",
            remedy="Restore the key they were stored with, or store the credentials again.",
            account=account.name,
        )
    return plain


def seal_credentials(account: ExchangeAccount, plain: Credentials) -> Credential:
    """An unsaved or updated row; the caller saves and audits it."""
    row = Credential.objects.filter(account=account).first() or Credential(account=account)
    row.sealed_key = seal_text(plain.key, account.pk, "key")
    row.sealed_secret = seal_text(plain.secret, account.pk, "secret")
    row.sealed_with = key_id()
    row.key_hint = plain.key[-4:]
    row.rights = {}
    row.rights_checked_at = row.rights_asked_at = None
    row.rights_error = ""
    return row


def open_credentials(account: ExchangeAccount) -> Credentials | None:
    row = Credential.objects.filter(account=account).first()
    if row is None:
        return None
    return Credentials(_open(row.sealed_key, account, "key"), _open(row.sealed_secret, account, "secret"))
