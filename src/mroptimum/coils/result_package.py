"""Coil maps from the package of an earlier result: its arrays, or its pairs of NIfTI files, magnitude and phase.

They are whitened by the noise of that scan, whose covariance lies beside them.
"""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mroptimum.coils.array_file import numpy_arrays
from mroptimum.coils.slice_grid import SliceGrid, read_nifti_on
from mroptimum.coils.stored_maps import NEXT_STEP, StoredMaps, complex_array, whitening_of
from mroptimum.errors import ReconstructionError, UnreadableFile, WrongKindOfFile
from mroptimum.rawdata.zip_files import DAMAGE, names_in_zip

_MAPS, _NOISE = "coil_sensitivities.npz", "noise.npz"
_PAIR = re.compile(r"coil_sensitivity_(?P<coil>\d+)(?P<phase>_phase)?(_stack\d+)?\.nii(\.gz)?")


def is_result_package(path: Path) -> bool:
    """Return whether a file is a zip, and not one of arrays alone (.npz)."""
    names = names_in_zip(path)
    return bool(names) and not any(name.endswith(".npy") for name in names)


def stored_in_package(path: Path, grid: SliceGrid, *, max_bytes: int) -> StoredMaps:
    """Return the maps of a package, and the matrix that whitened them.

    Files of more than `max_bytes` cannot be maps of the scan, and are left alone. Raises `UnreadableFile`,
    `WrongKindOfFile` for a package without maps, and `ReconstructionError` for the maps of another scan.
    """
    files = _files(path, max_bytes)
    noise = numpy_arrays(io.BytesIO(files[_NOISE]), max_bytes=max_bytes) if _NOISE in files else {}
    if _MAPS in files:
        maps = complex_array(numpy_arrays(io.BytesIO(files[_MAPS]), max_bytes=max_bytes), ("maps",))
    else:
        maps = _from_pairs(files, grid)
    return StoredMaps(maps=maps, whitening=whitening_of(noise["covariance"]) if "covariance" in noise else None)


def _from_pairs(files: dict[str, bytes], grid: SliceGrid) -> NDArray[np.complex64]:
    found: dict[tuple[int, bool], list[bytes]] = {}
    for name, content in files.items():
        if match := _PAIR.fullmatch(name):
            found.setdefault((int(match["coil"]), match["phase"] is not None), []).append(content)
    if not found:
        raise WrongKindOfFile("The zip file holds no coil maps.", NEXT_STEP)
    if set(found) != {(coil, is_phase) for coil in range(1, grid.n_coils + 1) for is_phase in (False, True)}:
        raise ReconstructionError(
            f"The zip file holds {len(found)} files of coil maps (magnitude or phase); the scan has {grid.n_coils} "
            f"coils and needs {2 * grid.n_coils}.",
            NEXT_STEP,
        )
    maps = np.empty((grid.n_slices, grid.n_coils, grid.n_y, grid.n_x), dtype=np.complex64)
    for coil in range(grid.n_coils):
        magnitude, phase = (
            read_nifti_on(grid, found[coil + 1, is_phase], f"map of coil {coil + 1}") for is_phase in (False, True)
        )
        maps[:, coil] = magnitude * np.exp(1j * phase)
    return maps


def _files(path: Path, max_bytes: int) -> dict[str, bytes]:
    """Return the files of a package that concern coil maps, by the last part of their names."""
    files = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                name = info.filename.rpartition("/")[2]
                if (name in (_MAPS, _NOISE) or _PAIR.fullmatch(name)) and info.file_size <= 2 * max_bytes:
                    files[name] = archive.read(info)
    except DAMAGE as error:
        raise UnreadableFile("The zip file is damaged.", "Download or copy it again.") from error
    return files
