"""Complex arrays of MATLAB files of version 5 (`save -v6` and `-v7`), read with every length held against the file.

SciPy's reader crashes the process on damaged files, hence one of our own, for complex arrays alone. A file is a header
of 128 bytes, then elements: type (4 bytes), length (4) and content, padded to a multiple of 8; content of up to 4 bytes
may stand in the place of the length, which then takes the upper half of the type. A compressed element holds one other.
A matrix is made of elements: flags, dimensions, name, real part, imaginary part (MAT-File Format, The MathWorks).
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mroptimum.errors import UnreadableFile
from mroptimum.rawdata.bounded_file import BoundedFile
from mroptimum.rawdata.limits import refuse_if_absurd

_HEADER_BYTES = 128
_MATRIX, _COMPRESSED = 14, 15
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
"""NumPy's name for each type of number; integers stand in for floats where they hold the same."""
_INT8, _INT32, _UINT32 = 1, 5, 6
_DOUBLE_CLASS, _SINGLE_CLASS = 6, 7
_IS_COMPLEX = 0x0800
_HEAD_BYTES = 4096
"""Flags, dimensions and name of a matrix fit in here."""
_SAVE_AGAIN = "Save it again, with `save -v7` or `save -v7.3`."


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """A complex array of the file: its name and shape, and where its element lies."""

    name: str
    shape: tuple[int, ...]
    position: int
    length: int
    is_compressed: bool


def complex_matrices(file: BoundedFile) -> Iterator[Matrix]:
    """Find all complex arrays; other variables are passed over. Raise `UnreadableFile` for damage."""
    order = _byte_order(file)
    position = _HEADER_BYTES
    while position + 8 <= file.size:
        kind, length = struct.unpack(f"{order}II", file.read_at(position, 8))
        if position + 8 + length > file.size:
            raise UnreadableFile(
                f"The MATLAB file is truncated or damaged: {position + 8 + length - file.size:,} bytes are missing.",
                _SAVE_AGAIN,
            )
        if kind in (_MATRIX, _COMPRESSED):
            content = file.read_at(position + 8, min(length, _HEAD_BYTES))
            if kind == _COMPRESSED:
                content = _matrix_in(_inflate(content, _HEAD_BYTES), order)
            described = _describe(content, order)
            if described is not None:
                name, shape = described
                yield Matrix(
                    name=name, shape=shape, position=position + 8, length=length, is_compressed=kind == _COMPRESSED
                )
        # A compressed element is not padded.
        position += 8 + length + (-length % 8 if kind != _COMPRESSED else 0)


def load(file: BoundedFile, matrix: Matrix) -> NDArray[np.generic]:
    """Return the array in the axes MATLAB shows, in single or double precision."""
    order = _byte_order(file)
    n_elements = math.prod(matrix.shape)
    refuse_if_absurd(16 * n_elements, file.size, f"The array {matrix.name}")
    content = file.read_at(matrix.position, matrix.length)
    if matrix.is_compressed:
        content = _matrix_in(_inflate(content, _HEAD_BYTES + 16 * n_elements), order)
    parts = _elements(content, order)
    _, _, _, real, imaginary = (next(parts, None) for _ in range(5))
    values = [_numbers(part, n_elements, order) for part in (real, imaginary)]
    precision = np.result_type(np.complex64, *(np.float32 if v.dtype == np.float32 else np.float64 for v in values))
    array = np.empty(n_elements, precision)
    array.real, array.imag = values
    return array.reshape(matrix.shape, order="F")


def _byte_order(file: BoundedFile) -> str:
    mark = file.read_at(_HEADER_BYTES - 2, 2)
    if mark not in (b"IM", b"MI"):
        raise _damaged("its byte order is not given")
    return "<" if mark == b"IM" else ">"


def _inflate(content: bytes, at_most: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(content, at_most)
    except zlib.error as error:
        raise _damaged("a compressed array cannot be unpacked") from error


def _matrix_in(inflated: bytes, order: str) -> bytes:
    """Return the content of the one matrix in a compressed element, empty if it is no matrix."""
    if len(inflated) < 8:
        raise _damaged("a compressed array is too short")
    (kind,) = struct.unpack_from(f"{order}I", inflated)
    return inflated[8:] if kind == _MATRIX else b""


@dataclass(frozen=True)
class _Element:
    kind: int
    content: memoryview


def _elements(content: bytes, order: str) -> Iterator[_Element]:
    view = memoryview(content)
    position = 0
    while position + 8 <= len(view):
        (word,) = struct.unpack_from(f"{order}I", view, position)
        kind, length = word & 0xFFFF, word >> 16
        if length:
            start, step = position + 4, 8
        else:
            (length,) = struct.unpack_from(f"{order}I", view, position + 4)
            start, step = position + 8, 8 + length + -length % 8
        yield _Element(kind, view[start : start + length])
        position += step


def _describe(content: bytes, order: str) -> tuple[str, tuple[int, ...]] | None:
    """Return name and shape of a complex floating-point matrix, None of anything else."""
    parts = _elements(content, order)
    flags, dimensions, name = (next(parts, None) for _ in range(3))
    if not (flags and dimensions and name) or (flags.kind, len(flags.content)) != (_UINT32, 8):
        return None
    (word,) = struct.unpack_from(f"{order}I", flags.content)
    if word & 0xFF not in (_DOUBLE_CLASS, _SINGLE_CLASS) or not word & _IS_COMPLEX:
        return None
    n_axes, rest = divmod(len(dimensions.content), 4)
    if dimensions.kind != _INT32 or rest or not 1 <= n_axes <= 32 or name.kind != _INT8:
        raise _damaged("the description of an array is broken")
    shape = struct.unpack(f"{order}{n_axes}i", dimensions.content)
    if min(shape) < 0:
        raise _damaged("an array has a negative length")
    return bytes(name.content).decode("latin-1"), shape


def _numbers(part: _Element | None, count: int, order: str) -> NDArray[np.generic]:
    if part is None or part.kind not in _NUMBERS:
        raise _damaged("an array has no numbers")
    dtype = np.dtype(order + _NUMBERS[part.kind])
    if len(part.content) != count * dtype.itemsize:
        raise _damaged("an array has another length than announced")
    return np.frombuffer(part.content, dtype)


def _damaged(what: str) -> UnreadableFile:
    return UnreadableFile(f"The MATLAB file is damaged: {what}.", _SAVE_AGAIN)
