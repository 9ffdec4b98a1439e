"""Which parts make an object: numbered from 1 without a gap, all of full size but the last."""

from __future__ import annotations

from collections.abc import Sequence

from cloudmr.storage.base import PART_SIZE_BYTES
from cloudmr.storage.errors import UploadIncomplete

MAX_PARTS = 10_000


def check_number(number: int) -> None:
    """Raise `UploadIncomplete` for a number no part may have."""
    if not 1 <= number <= MAX_PARTS:
        raise UploadIncomplete(f"parts are numbered from 1 to {MAX_PARTS}, not {number}")


def check_joinable(parts: Sequence[tuple[int, int]]) -> None:
    """Raise `UploadIncomplete` where the parts that arrived (number and size, by number) make no object."""
    if not parts:
        raise UploadIncomplete("no part has arrived")
    for expected, (number, size_bytes) in enumerate(parts, start=1):
        if number != expected:
            raise UploadIncomplete(f"part {expected} is missing")
        if size_bytes != PART_SIZE_BYTES and expected != len(parts):
            raise UploadIncomplete(f"part {number} has {size_bytes} bytes instead of {PART_SIZE_BYTES}")
