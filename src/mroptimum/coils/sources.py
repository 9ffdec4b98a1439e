"""What comes from other files than the scan: coil maps, a body-coil scan, a mask."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mroptimum import rawdata
from mroptimum.coils.bodycoil import body_coil_kspace
from mroptimum.coils.loaded import read_maps
from mroptimum.coils.masks import read_mask
from mroptimum.coils.slice_grid import SliceGrid
from mroptimum.convention import Complex
from mroptimum.noise import whiten
from mroptimum.rawdata.acquisition import Acquisition
from mroptimum.task import CoilMapMethod, SensitivityMapOptions


@dataclass(frozen=True, kw_only=True)
class SliceSources:
    """What other files say of one slice; None where a task names no such file.

    ``maps`` is (coil, y, x), whitened like the scan; ``body_coil`` is the k-space (channel, y, x) of a body-coil scan;
    ``mask`` is (y, x).
    """

    maps: Complex | None = None
    body_coil: Complex | None = None
    mask: NDArray[np.bool_] | None = None


def read_sources(
    options: SensitivityMapOptions,
    scan: Acquisition,
    whitening: NDArray[np.complex128],
    *,
    source: Path | None,
    mask: Path | None,
) -> tuple[SliceSources, ...]:
    """Read the files that a task names for its coil maps, and return what they say of each slice of the scan.

    `source` is the task's sensitivityMapSource: the raw file of a body-coil scan if the method is bodycoil, else coil
    maps; `mask` is the file of a mask by upload. `whitening` (coil, coil) is that of the scan. Raises `RawDataError`
    for files that cannot be used and `ReconstructionError` for those that do not fit the scan.
    """
    grid = SliceGrid.of(scan)
    maps: list[Complex | None] = [None] * grid.n_slices
    body_coil: list[Complex | None] = [None] * grid.n_slices
    masks: list[NDArray[np.bool_] | None] = [None] * grid.n_slices
    if source is not None and options.sensitivity_map_method is CoilMapMethod.BODYCOIL:
        body_coil = list(body_coil_kspace(rawdata.read(source, multiraid=False), scan))
    elif source is not None:
        maps = [whiten(of_slice, whitening) for of_slice in read_maps(source, grid)]
    if mask is not None:
        masks = list(read_mask(mask, grid))
    return tuple(
        SliceSources(maps=of_maps, body_coil=of_body_coil, mask=of_mask)
        for of_maps, of_body_coil, of_mask in zip(maps, body_coil, masks, strict=True)
    )
