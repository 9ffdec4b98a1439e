"""What a worker leaves behind: which file commits it, and how it says what else must be there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, NonNegativeInt, ValidationError

MANIFEST = "manifest.json"
"""Written last: a package without it is not complete."""
PACKAGE = "package.zip"
"""Everything in one file."""
ERROR = "error.json"
"""In a failure package: what the person is told."""
MAX_MANIFEST_BYTES = 4 * 1024 * 1024
MAX_ERROR_BYTES = 64 * 1024


class Output(BaseModel):
    """One file of a package."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    path: str
    size_bytes: NonNegativeInt


class Manifest(BaseModel):
    """The part of a manifest that says what must be there; the science writes more into it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    outputs: tuple[Output, ...]

    @classmethod
    def parse(cls, body: bytes) -> Self | None:
        """Return the manifest in these bytes, None if it is none."""
        try:
            return cls.model_validate_json(body)
        except ValidationError:
            return None

    def is_complete(self, sizes_bytes: Mapping[str, int]) -> bool:
        """Tell whether all that is named is there, with its size, and the package beside it."""
        return PACKAGE in sizes_bytes and all(sizes_bytes.get(o.path) == o.size_bytes for o in self.outputs)
