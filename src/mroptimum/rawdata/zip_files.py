"""Zip files of anybody's: what `zipfile` raises on damaged ones, for which it has no error of its own."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path

SIGNATURE = b"PK\x03\x04"
DAMAGE = (
    OSError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What reading damaged archives and members raises."""


def begins_as_zip(path: Path) -> bool:
    """Return whether a file begins as a zip file does."""
    with path.open("rb") as file:
        return file.read(len(SIGNATURE)) == SIGNATURE


def names_in_zip(path: Path) -> frozenset[str]:
    """Return the names of what is in a zip file; none where the file is damaged or something else."""
    try:
        with zipfile.ZipFile(path) as archive:
            return frozenset(archive.namelist())
    except DAMAGE:
        return frozenset()
