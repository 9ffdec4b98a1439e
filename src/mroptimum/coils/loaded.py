"""Coil maps from a file.

What may be given:

===========  ==========================================================================================================
.npy         (slice, coil, y, x) or, of one slice, (coil, y, x), complex
.npz         the same as `maps` or as the only such array; with `whitening` (coil, coil), the matrix that the maps were
             multiplied with
.mat         (x, y, slice, coil) or (x, y, coil), complex; our own export is known by its names
.cfl         of BART, its .hdr beside it or both in one zip: (READ, PHS1, 1, COIL), slices along SLICE
package.zip  an earlier result with coil maps: its arrays, or its pairs of NIfTI files, magnitude and phase
===========  ==========================================================================================================

Maps are those of the coils as recorded, in any unit and with any factor per voxel. The maps of a result are whitened by
the noise of that scan; it is stored beside them, and is taken out again.
"""

from __future__ import annotations

from pathlib import Path

from mroptimum.coils.array_file import ONLY, is_matlab, read_arrays
from mroptimum.coils.result_package import is_result_package, stored_in_package
from mroptimum.coils.slice_grid import SliceGrid
from mroptimum.coils.stored_maps import StoredMaps, complex_array, whitening_of
from mroptimum.convention import Complex
from mroptimum.rawdata.bart import read_bart_maps
from mroptimum.rawdata.bart_files import is_bart

_COMPLEX_BYTES = 16


def read_maps(path: Path, grid: SliceGrid) -> Complex:
    """Return the maps (slice, coil, y, x), single precision, that a file holds, of the coils as recorded.

    Raises `UnreadableFile` for damaged content, `WrongKindOfFile` where there are no maps in it, and
    `ReconstructionError` where they are those of another scan.
    """
    max_bytes = _COMPLEX_BYTES * grid.n_coils * (grid.n_slices * grid.n_y * grid.n_x + grid.n_coils)
    if is_bart(path):
        stored = StoredMaps(maps=read_bart_maps(path), whitening=None)
    elif is_result_package(path):
        stored = stored_in_package(path, grid, max_bytes=max_bytes)
    elif is_matlab(path):
        stored = _stored_by_matlab(path, max_bytes)
    else:
        arrays = read_arrays(path, max_bytes=max_bytes)
        stored = StoredMaps(maps=complex_array(arrays, ("maps", ONLY)), whitening=arrays.get("whitening"))
    return stored.recorded(grid)


def _stored_by_matlab(path: Path, max_bytes: int) -> StoredMaps:
    arrays = read_arrays(path, max_bytes=max_bytes)
    own = "Coil_Sensitivities"
    maps = complex_array({name: a for name, a in arrays.items() if name != "Noise_Covariance"}, (own, "maps"))
    # (x, y, slice, coil) arrives with its axes reversed.
    in_order = maps.swapaxes(0, 1) if maps.ndim == 4 else maps
    is_whitened = own in arrays and "Noise_Covariance" in arrays
    return StoredMaps(maps=in_order, whitening=whitening_of(arrays["Noise_Covariance"].T) if is_whitened else None)
