"""What a worker says of its end, for the callback: the digest of the manifest it committed, or its error."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Self

from mroptimum.errors import Explanation

MAX_OUTCOME_BYTES = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One of the two after an end the worker lived to see, neither after another."""

    manifest_sha256: str | None = None
    error: Explanation | None = None

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read an outcome from JSON. Raise `ValueError` for anything else."""
        try:
            return cls(**json.loads(content))
        except TypeError as error:
            raise ValueError("this is no outcome") from error
