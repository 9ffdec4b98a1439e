"""Arrays of .npy and .npz files, read with every length held against the file, and never a pickle.

NumPy's own reader allocates what a header claims before it looks at the file, and evaluates a header it cannot parse.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from mroptimum.errors import UnreadableFile
from mroptimum.rawdata.limits import refuse_if_absurd

_MAGIC = b"\x93NUMPY"
_HEADER = re.compile(
    r"\{\s*'descr':\s*'(?P<descr>[<>=|]?[biufcU]\d{1,4})',\s*'fortran_order':\s*(?P<fortran>True|False),"
    r"\s*'shape':\s*\((?P<shape>(?:\d{1,18},? ?)*)\),?\s*\}"
)
_MAX_HEADER_BYTES = 10_000
_MAX_MEMBERS = 1000
_DAMAGE = (
    OSError,
    ValueError,
    TypeError,
    EOFError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What unpacking an archive and building a type of a text raise on damaged bytes."""


@dataclass(frozen=True, kw_only=True)
class _Header:
    shape: tuple[int, ...]
    is_fortran: bool
    dtype: np.dtype[np.generic]


def array_shapes(path: Path, *, name_of_only: str) -> dict[str, tuple[int, ...]]:
    """Return the shapes of all arrays by name; raise `UnreadableFile` for damage.

    The array of a .npy file, which has no name, is called `name_of_only`.
    """
    shapes = {}
    with _damage_explained():
        for name, _, file in _streams(path, name_of_only):
            shapes[name] = _header(file).shape
    return shapes


def load_arrays(path: Path, names: Collection[str], *, name_of_only: str) -> dict[str, NDArray[np.generic]]:
    """Return the named arrays that are there; raise `UnreadableFile` for damage.

    The array of a .npy file, which has no name, is called `name_of_only`.
    """
    arrays = {}
    with _damage_explained():
        for name, n_bytes, file in _streams(path, name_of_only):
            if name in names:
                arrays[name] = _array(file, n_bytes, path.stat().st_size)
    return arrays


def _streams(path: Path, name_of_only: str) -> Iterator[tuple[str, int, IO[bytes]]]:
    """Yield name, length and content of each array."""
    if _is_npy(path):
        with path.open("rb") as file:
            yield name_of_only, path.stat().st_size, file
        return
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if len(members) > _MAX_MEMBERS:
            raise ValueError("too many arrays")
        for member in members:
            if member.filename.endswith(".npy"):
                with archive.open(member) as file:
                    yield member.filename.removesuffix(".npy"), member.file_size, file


def _is_npy(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def _header(file: IO[bytes]) -> _Header:
    magic, major, _ = struct.unpack("<6sBB", file.read(8))
    if magic != _MAGIC or major not in (1, 2, 3):
        raise ValueError("no array of NumPy")
    (length,) = struct.unpack("<H", file.read(2)) if major == 1 else struct.unpack("<I", file.read(4))
    if length > _MAX_HEADER_BYTES:
        raise ValueError("the header of an array is too long")
    header = _HEADER.fullmatch(file.read(length).decode("latin-1").strip())
    if header is None:
        raise ValueError("an array of an unknown kind")
    shape = tuple(int(axis) for axis in header["shape"].split(",") if axis.strip())
    return _Header(shape=shape, is_fortran=header["fortran"] == "True", dtype=np.dtype(header["descr"]))


def _array(file: IO[bytes], available_bytes: int, file_bytes: int) -> NDArray[np.generic]:
    header = _header(file)
    n_elements = 1
    for length in header.shape:
        n_elements *= length
    n_bytes = n_elements * header.dtype.itemsize
    refuse_if_absurd(n_bytes, file_bytes, "An array")
    if n_bytes > available_bytes:
        raise ValueError("an array is longer than the file")
    content = file.read(n_bytes)
    if len(content) < n_bytes:
        raise EOFError("an array is truncated")
    flat = np.frombuffer(content, dtype=header.dtype, count=n_elements)
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
