"""The complex matrices in `noise.npz`, square and finite as our own writer makes them."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mroptimum.errors import UnreadableFile
from mroptimum.noise import Covariance
from mroptimum.package.errors import GET_IT_AGAIN, DamagedPackage
from mroptimum.package.files import PackageFiles, read_bytes
from mroptimum.rawdata.npy_arrays import ArrayHeader, matching_arrays

MAX_COILS = 1024
_MAX_FILE_BYTES = 2**28


def read_matrices(files: PackageFiles, name: str, wanted: tuple[str, ...]) -> Mapping[str, Covariance]:
    """Return square complex matrices (coil, coil) of an npz file by their names. Raises `DamagedPackage`."""
    content = io.BytesIO(read_bytes(files, name, limit_bytes=_MAX_FILE_BYTES))
    try:
        arrays = matching_arrays(content, lambda header: _is_matrix(header, wanted), name_of_only="")
    except UnreadableFile:
        raise DamagedPackage(f"{name} cannot be read to its end.", GET_IT_AGAIN) from None
    return {key: _matrix(arrays.get(key), f"{key} in {name}") for key in wanted}


def _is_matrix(header: ArrayHeader, wanted: tuple[str, ...]) -> bool:
    is_square = len(header.shape) == 2 and header.shape[0] == header.shape[1] and 0 < header.shape[0] <= MAX_COILS
    return header.name in wanted and header.dtype == np.complex128 and is_square


def _matrix(found: NDArray[np.generic] | None, what: str) -> Covariance:
    if found is None:
        raise DamagedPackage(f"{what} is no square complex matrix.", GET_IT_AGAIN)
    matrix: Covariance = found.astype(np.complex128)
    if not np.all(np.isfinite(matrix)):
        raise DamagedPackage(f"{what} holds values that are not numbers.", GET_IT_AGAIN)
    return matrix
