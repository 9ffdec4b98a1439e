"""Names of things: a word for what it is, and a ULID in lower case, so that names sort by the time they were given.

`job_01jd3v6w0s8k2m4n6p8q0r2t4v`: at most 32 characters of `[a-z0-9_]`, fit for object keys, execution names and URLs.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

Entropy = Callable[[int], bytes]
"""Gives that many random bytes; `secrets.token_bytes` but in tests."""

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_RANDOM_BYTES = 10
_DIGITS = 26


class Kind(StrEnum):
    """What a name names."""

    JOB = "job"
    """A task somebody asked for."""
    DATA = "data"
    """A data file in a unit's bucket."""
    UNIT = "unit"
    """A computing unit."""
    USER = "user"
    """A person's account."""
    REGION = "roi"
    """A region of interest in a job's images."""
    SHARE = "share"
    """A permission to look at a job."""
    TOKEN = "token"  # noqa: S105 - the word, not a secret
    """An access token (its record, not its secret)."""


def new_id(kind: Kind, *, now: datetime, entropy: Entropy = secrets.token_bytes) -> str:
    """Return a new name: 48 bits of milliseconds since 1970, then 80 random bits, in Crockford's base 32."""
    return _named(kind, now, int.from_bytes(entropy(_RANDOM_BYTES)))


def first_id_at(kind: Kind, moment: datetime) -> str:
    """Return the least name that can be given at a moment: those given before it are less, those since are not."""
    return _named(kind, moment, 0)


def is_id(kind: Kind, text: str) -> bool:
    """Tell whether a text has the shape of a name of this kind."""
    return re.fullmatch(rf"{kind}_[0-7][{_ALPHABET}]{{{_DIGITS - 1}}}", text) is not None


def _named(kind: Kind, moment: datetime, random: int) -> str:
    number = int(moment.timestamp() * 1000) << (8 * _RANDOM_BYTES) | random
    digits = [_ALPHABET[number >> (5 * place) & 31] for place in reversed(range(_DIGITS))]
    return f"{kind}_{''.join(digits)}"
