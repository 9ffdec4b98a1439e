"""Arrays that a person made elsewhere, from .npy, .npz and .mat files; axes in our order, x last.

MATLAB counts axes the other way round: (x, y, coil) there is (coil, y, x) here.
"""

from __future__ import annotations

import struct
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from mroptimum.errors import UnreadableFile

Arrays = Mapping[str, NDArray[np.generic]]

ONLY = ""
"""The name of the array of a .npy file, which has none."""
_MATLAB_V5, _MATLAB_V73 = b"MATLAB 5.0", b"MATLAB 7.3"
_NPY, _ZIP = b"\x93NUMPY", b"PK\x03\x04"
_MAX_HEADER_BYTES = 10_000
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
    SyntaxError,
    UserWarning,
    struct.error,
    tokenize.TokenError,
    zlib.error,
    zipfile.BadZipFile,
)
"""What the readers of NumPy, SciPy and HDF5 raise on damaged bytes; they have no error of their own for it."""


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
    try:
        if head.startswith(_NPY):
            with path.open("rb") as file:
                array = _npy(file, max_bytes)
            return {} if array is None else {ONLY: array}
        if head.startswith(_ZIP):
            return read_npz(path, max_bytes=max_bytes)
        if head.startswith(_MATLAB_V73):
            return _mat_v73(path, max_bytes)
        if head.startswith(_MATLAB_V5):
            return _mat_v5(path, max_bytes)
    except _DAMAGE as error:
        raise _unreadable(error) from error
    raise UnreadableFile("The file holds no arrays.", "Give a NumPy (.npy, .npz) or MATLAB (.mat) file.")


def read_npz(file: Path | IO[bytes], *, max_bytes: int) -> Arrays:
    """Return what `read_arrays` does, of an .npz file or its open content."""
    arrays = {}
    try:
        with zipfile.ZipFile(file) as archive:
            for name in archive.namelist():
                if name.endswith(".npy"):
                    with archive.open(name) as member:
                        array = _npy(member, max_bytes)
                    if array is not None:
                        arrays[name.removesuffix(".npy")] = array
    except _DAMAGE as error:
        raise _unreadable(error) from error
    return arrays


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(16)


def _npy(file: IO[bytes], max_bytes: int) -> NDArray[np.generic] | None:
    """Read one array, never a pickle; its size is judged by its header, before anything of that size is made."""
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(file, max_header_size=_MAX_HEADER_BYTES)
    elif version == (2, 0):
        shape, is_fortran, dtype = np.lib.format.read_array_header_2_0(file, max_header_size=_MAX_HEADER_BYTES)
    else:
        raise ValueError("unknown version of the array format")
    if dtype.kind not in "biufc" or min(shape, default=1) < 0:
        return None
    n_bytes = _n_bytes(shape, dtype.itemsize)
    if n_bytes > max_bytes:
        return None
    content = file.read(n_bytes)
    if len(content) < n_bytes:
        raise EOFError("the array is truncated")
    return np.frombuffer(content, dtype=dtype).reshape(shape, order="F" if is_fortran else "C")


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
