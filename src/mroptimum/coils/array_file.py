"""Arrays that a person made elsewhere, from .npy, .npz and .mat files; axes in our order, x last.

MATLAB counts axes the other way round: (x, y, coil) there is (coil, y, x) here.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mroptimum.errors import UnreadableFile
from mroptimum.rawdata.npy_arrays import ArrayHeader, ArraySource, matching_arrays

Arrays = Mapping[str, NDArray[np.generic]]

ONLY = ""
"""The name of the array of a .npy file, which has none."""
_MATLAB_V5, _MATLAB_V73 = b"MATLAB 5.0", b"MATLAB 7.3"
_NPY, _ZIP = b"\x93NUMPY", b"PK\x03\x04"
_NUMBERS = "biufc"
_DAMAGE = (
    OSError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    EOFError,
    NotImplementedError,
    OverflowError,
    MemoryError,
    AttributeError,
    RuntimeError,
    UserWarning,
    struct.error,
    zlib.error,
)
"""What the readers of SciPy and HDF5 raise on damaged bytes; they have no error of their own for it."""


def is_array_file(path: Path) -> bool:
    """Return whether a file looks like one that holds arrays, judged by its first bytes."""
    return _head(path).startswith((_NPY, _ZIP, _MATLAB_V5, _MATLAB_V73))


def is_matlab(path: Path) -> bool:
    """Return whether a file comes from MATLAB, judged by its first bytes."""
    return _head(path).startswith((_MATLAB_V5, _MATLAB_V73))


def read_arrays(path: Path, *, max_bytes: int) -> Arrays:
    """Return the numeric arrays of a file by name.

    Arrays larger than `max_bytes` cannot be what is looked for, and are left out. Raises `UnreadableFile`.
    """
    head = _head(path)
    if head.startswith((_NPY, _ZIP)):
        return numpy_arrays(path, max_bytes=max_bytes)
    try:
        if head.startswith(_MATLAB_V73):
            return _mat_v73(path, max_bytes)
        if head.startswith(_MATLAB_V5):
            return _mat_v5(path, max_bytes)
    except _DAMAGE as error:
        raise _unreadable(error) from error
    raise UnreadableFile("The file holds no arrays.", "Give a NumPy (.npy, .npz) or MATLAB (.mat) file.")


def numpy_arrays(source: ArraySource, *, max_bytes: int) -> Arrays:
    """Return what `read_arrays` does, of a .npy or .npz file or its open content."""

    def is_meant(header: ArrayHeader) -> bool:
        return header.dtype is not None and header.dtype.kind in _NUMBERS and header.n_bytes <= max_bytes

    return matching_arrays(source, is_meant, name_of_only=ONLY)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(16)


def _mat_v5(path: Path, max_bytes: int) -> Arrays:
    import scipy.io

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        names = [
            name
            for name, shape, kind in scipy.io.whosmat(path)
            if kind not in {"cell", "struct", "object", "char", "sparse"} and _n_bytes(shape, 1) <= max_bytes
        ]
        loaded = scipy.io.loadmat(path, variable_names=names) if names else {}
    return {name: loaded[name].T for name in names if isinstance(loaded.get(name), np.ndarray)}


def _mat_v73(path: Path, max_bytes: int) -> Arrays:
    import h5py

    arrays: dict[str, NDArray[np.generic]] = {}
    with h5py.File(path, "r") as file:
        for name, item in file.items():
            if isinstance(item, h5py.Dataset) and _n_bytes(item.shape, item.dtype.itemsize) <= max_bytes:
                values = item[()]
                is_complex = item.dtype.names == ("real", "imag")
                # MATLAB stores column by column, so HDF5 has the axes in our order already.
                arrays[name] = values["real"] + 1j * values["imag"] if is_complex else values
    return arrays


def _n_bytes(shape: Iterable[int], item_bytes: int) -> int:
    total = item_bytes
    for length in shape:
        total *= int(length)
    return total


def _unreadable(error: Exception | Warning) -> UnreadableFile:
    return UnreadableFile(
        f"The file of arrays is damaged or truncated ({type(error).__name__} while reading it).", "Save it again."
    )
