"""The complex matrices in `noise.npz`: the one layout that our own writer gives them, and no other."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping

import numpy as np

from mroptimum.noise import Covariance
from mroptimum.package.errors import GET_IT_AGAIN, DamagedPackage
from mroptimum.package.files import PackageFiles, opened_archive, read_bytes

MAX_COILS = 1024
_MAX_FILE_BYTES = 2**28
_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '<c16', 'fortran_order': False, 'shape': \((\d{1,5}), (\d{1,5})\), \} *\n",
    re.DOTALL,
)


def read_matrices(files: PackageFiles, name: str, wanted: tuple[str, ...]) -> Mapping[str, Covariance]:
    """Return square complex matrices (coil, coil) of an npz file by their names. Raises `DamagedPackage`."""
    content = read_bytes(files, name, limit_bytes=_MAX_FILE_BYTES)
    with opened_archive(io.BytesIO(content), len(content)) as members:
        return {
            key: _matrix(read_bytes(members, f"{key}.npy", limit_bytes=_MAX_FILE_BYTES), f"{key} in {name}")
            for key in wanted
        }


def _matrix(content: bytes, what: str) -> Covariance:
    header = _HEADER.match(content)
    if header is None:
        raise DamagedPackage(f"{what} is no complex matrix.", GET_IT_AGAIN)
    n_rows, n_columns = (int(length) for length in header.groups())
    values = content[header.end() :]
    if not (n_rows == n_columns and 0 < n_rows <= MAX_COILS and len(values) == 16 * n_rows * n_columns):
        raise DamagedPackage(f"{what} is not square, or is cut short.", GET_IT_AGAIN)
    matrix: Covariance = np.frombuffer(values, dtype="<c16").reshape(n_rows, n_columns).astype(np.complex128)
    if not np.all(np.isfinite(matrix)):
        raise DamagedPackage(f"{what} holds values that are not numbers.", GET_IT_AGAIN)
    return matrix
