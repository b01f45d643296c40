"""Removes secrets from text on its way into a log: by the name of a key, and by exact value.

Works on the finished line (message, arguments and traceback alike), so that no caller can forget it.
Values registered at run time (decrypted venue keys, tokens) are removed wherever they appear, also URL-encoded.
"""

from __future__ import annotations

import re
from urllib.parse import quote

MASK = "[redacted]"
MIN_LENGTH = 8  # shorter values would blank out ordinary words

KEY_WORDS = r"signature|api[-_]?key|authorization|cookie|secret|passw(?:or)?d|passphrase|token|credential"
KEYED_VALUE = re.compile(
    rf"""(?P<key>[\w-]*(?:{KEY_WORDS})(?:[_-]\w+)?(?:\\?["'])?\s*[:=]\s*)"""
    r"""(?P<value>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\\"(?:[^"\\])*\\"|(?:(?:Bearer|Token|Basic)\s+)?[^\s&,;"'(){}\[\]]+)""",
    re.IGNORECASE,
)
BEARER = re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)
URL_PASSWORD = re.compile(r"(\w+://[^\s:/@]*:)[^\s@/]+@")

_exact_values: set[str] = set()


def register_secret(value: str) -> None:
    """From now on this exact value never appears in a log of this process."""
    if len(value) >= MIN_LENGTH:
        _exact_values.update({value, quote(value, safe="")})


def redact(text: str) -> str:
    for value in _exact_values:
        if value in text:
            text = text.replace(value, MASK)
    text = KEYED_VALUE.sub(lambda match: match["key"] + MASK, text)
    text = URL_PASSWORD.sub(rf"\1{MASK}@", text)
    return BEARER.sub(rf"\1 {MASK}", text)
