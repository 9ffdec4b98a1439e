"""Which bytes of an object a GET asks for (RFC 9110, section 14), decided without touching the object."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cloudmr.storage.errors import RangeNotSatisfiable

_SINGLE = re.compile(r"bytes=\s*(?P<first>[0-9]{0,18})-(?P<last>[0-9]{0,18})\s*", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, kw_only=True)
class ByteRange:
    """The bytes from `start` up to and without `stop`."""

    start: int
    stop: int


def choose_range(header: str | None, *, size_bytes: int, etag: str, if_range: str | None = None) -> ByteRange | None:
    """Return the range to answer with (206), or None to answer with everything (200).

    Everything is the answer without a `Range` header, to one that cannot be understood or names several ranges (the
    standard lets a server ignore those), and when `If-Range` does not name the present object. Raise
    `RangeNotSatisfiable` for a range that begins beyond the end.
    """
    if header is None or (if_range is not None and if_range != etag):
        return None
    match = _SINGLE.fullmatch(header)
    if match is None or not (match["first"] or match["last"]):
        return None
    if not match["first"]:
        start, stop = max(size_bytes - int(match["last"]), 0), size_bytes
    else:
        start = int(match["first"])
        stop = min(int(match["last"]) + 1, size_bytes) if match["last"] else size_bytes
        if match["last"] and int(match["last"]) < start:
            return None
    if start >= size_bytes:
        raise RangeNotSatisfiable(size_bytes)
    return ByteRange(start=start, stop=stop)
