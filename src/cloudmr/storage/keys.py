"""Which keys an object may have: few enough characters that a key is safe as a path, in a URL and in S3."""

from __future__ import annotations

import re

from cloudmr.storage.errors import InvalidKey

_SEGMENT = r"(?!\.\.?(?:/|\Z))[a-z0-9_.-]{1,200}"
_KEY = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*")
_MAX_LENGTH = 512


def check_key(key: str) -> str:
    """Return the key. Raise `InvalidKey` unless it is one that an object may have."""
    if len(key) > _MAX_LENGTH or not _KEY.fullmatch(key):
        raise InvalidKey(key)
    return key


def check_prefix(prefix: str) -> str:
    """Return the prefix. Raise `InvalidKey` unless a key could begin with it."""
    # Completed by a letter, every beginning of a key is a key; `..` is one too (`..a`), and harmless as such.
    if len(prefix) >= _MAX_LENGTH or not _KEY.fullmatch(prefix + "a"):
        raise InvalidKey(prefix)
    return prefix
