"""Arrays of .npy and .npz files, read with every length held against the file, and never a pickle.

NumPy's own reader allocates what a header claims before it looks at the file, and evaluates a header it cannot parse.
"""

from __future__ import annotations

import math
import os
import re
import struct
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from mroptimum.errors import UnreadableFile
from mroptimum.rawdata.limits import refuse_if_absurd
from mroptimum.rawdata.zip_files import DAMAGE

_MAGIC = b"\x93NUMPY"
_HEADER = re.compile(
    r"\{\s*'descr':\s*'(?P<descr>[<>=|]?[biufcU]\d{1,4})',\s*'fortran_order':\s*(?P<fortran>True|False),"
    r"\s*'shape':\s*\((?P<shape>(?:\d{1,18},? ?)*)\),?\s*\}"
)
_MAX_HEADER_BYTES = 10_000
_MAX_MEMBERS = 1000
_DAMAGE = (*DAMAGE, TypeError)
"""What unpacking an archive and building a type of a text raise on damaged bytes."""

ArraySource = Path | IO[bytes]
"""A file by its path, or its open content, which is read from the start."""


@dataclass(frozen=True, kw_only=True)
class ArrayHeader:
    """What stands before an array; ``dtype`` is None of a kind that is not read: objects, records, dates."""

    name: str
    shape: tuple[int, ...]
    is_fortran: bool
    dtype: np.dtype[np.generic] | None

    @property
    def n_bytes(self) -> int:
        """How many bytes the array has."""
        return math.prod(self.shape) * (self.dtype.itemsize if self.dtype else 1)


def array_shapes(source: ArraySource, *, name_of_only: str) -> dict[str, tuple[int, ...]]:
    """Return the shapes of all arrays by name; raise `UnreadableFile` for damage and for arrays of other kinds.

    The array of a .npy file, which has no name, is called `name_of_only`.
    """
    shapes = {}
    with _damage_explained():
        for name, _, file in _streams(source, name_of_only):
            header = _header(name, file)
            if header.dtype is None:
                raise ValueError("an array of an unknown kind")
            shapes[name] = header.shape
    return shapes


def load_arrays(path: Path, names: Collection[str], *, name_of_only: str) -> dict[str, NDArray[np.generic]]:
    """Return the named arrays that are there; raise `UnreadableFile` for damage and for what a file cannot mean.

    The array of a .npy file, which has no name, is called `name_of_only`.
    """
    file_bytes = path.stat().st_size

    def is_named(header: ArrayHeader) -> bool:
        if header.name not in names:
            return False
        refuse_if_absurd(header.n_bytes, file_bytes, "An array")
        return True

    return matching_arrays(path, is_named, name_of_only=name_of_only)


def matching_arrays(
    source: ArraySource, wanted: Callable[[ArrayHeader], bool], *, name_of_only: str
) -> dict[str, NDArray[np.generic]]:
    """Return the arrays whose headers are `wanted`, and read nothing of the others. Raise `UnreadableFile`.

    The array of a .npy file, which has no name, is called `name_of_only`.
    """
    arrays = {}
    with _damage_explained():
        for name, n_bytes, file in _streams(source, name_of_only):
            header = _header(name, file)
            if wanted(header):
                arrays[name] = _array(file, header, n_bytes)
    return arrays


def _streams(source: ArraySource, name_of_only: str) -> Iterator[tuple[str, int, IO[bytes]]]:
    """Yield name, length and content of each array."""
    with source.open("rb") if isinstance(source, Path) else nullcontext(source) as file:
        if file.read(len(_MAGIC)) == _MAGIC:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            yield name_of_only, size, file
            return
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if len(members) > _MAX_MEMBERS:
                raise ValueError("too many arrays")
            for member in members:
                if member.filename.endswith(".npy"):
                    with archive.open(member) as content:
                        yield member.filename.removesuffix(".npy"), member.file_size, content


def _header(name: str, file: IO[bytes]) -> ArrayHeader:
    magic, major, _ = struct.unpack("<6sBB", file.read(8))
    if magic != _MAGIC or major not in (1, 2, 3):
        raise ValueError("no array of NumPy")
    (length,) = struct.unpack("<H", file.read(2)) if major == 1 else struct.unpack("<I", file.read(4))
    if length > _MAX_HEADER_BYTES:
        raise ValueError("the header of an array is too long")
    header = _HEADER.fullmatch(file.read(length).decode("latin-1").strip())
    if header is None:
        return ArrayHeader(name=name, shape=(), is_fortran=False, dtype=None)
    shape = tuple(int(axis) for axis in header["shape"].split(",") if axis.strip())
    is_fortran = header["fortran"] == "True"
    return ArrayHeader(name=name, shape=shape, is_fortran=is_fortran, dtype=np.dtype(header["descr"]))


def _array(file: IO[bytes], header: ArrayHeader, available_bytes: int) -> NDArray[np.generic]:
    if header.dtype is None:
        raise ValueError("an array of an unknown kind")
    if header.n_bytes > available_bytes:
        raise EOFError("an array is longer than the file")
    content = file.read(header.n_bytes)
    if len(content) < header.n_bytes:
        raise EOFError("an array is truncated")
    flat = np.frombuffer(content, dtype=header.dtype, count=math.prod(header.shape))
    return flat.reshape(header.shape, order="F" if header.is_fortran else "C")


@contextmanager
def _damage_explained() -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise UnreadableFile(
            f"The NumPy file is damaged or truncated ({type(error).__name__} while reading it).",
            "Save it again with numpy.savez.",
        ) from error
