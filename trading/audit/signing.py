"""The key pair that signs checkpoints: Ed25519, derived from the audit key, which is not in the database.

The public half is no secret: it is printed, exported and put on record elsewhere, so that anybody can check a
signature. The key id is the fingerprint of the public half.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from trading.domain.chain import signed_bytes

_PURPOSE = b"levi audit checkpoints v1"


@lru_cache(maxsize=4)
def _derive(material: str) -> Ed25519PrivateKey:
    derivation = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=_PURPOSE)
    return Ed25519PrivateKey.from_private_bytes(derivation.derive(material.encode()))


def public_key() -> bytes:
    return _derive(settings.AUDIT_KEY).public_key().public_bytes_raw()


def key_id_of(public: bytes) -> str:
    return hashlib.sha256(public).hexdigest()[:16]


def sign(checkpoint_digest: str) -> str:
    return _derive(settings.AUDIT_KEY).sign(signed_bytes(checkpoint_digest)).hex()


def is_signed(public: bytes, checkpoint_digest: str, signature: str) -> bool:
    """False for anything that is not this key's signature, malformed texts included."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(
            bytes.fromhex(signature), signed_bytes(checkpoint_digest)
        )
    except (InvalidSignature, ValueError):
        return False
    return True
