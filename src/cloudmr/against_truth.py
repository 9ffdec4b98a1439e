"""Maps of a result beside the truth they should be: means over a region, at the same places in space."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mroptimum.errors import ExplainedError
from mroptimum.export.nifti import Volume
from mroptimum.package import ResultPackage, opened, read_package
from mroptimum.phantom import Phantom, Truth, Written
from mroptimum.result import MapId

Map = NDArray[np.float64]

LARGEST_DEVIATION_PERCENT = 1.0
"""A mean further from the truth than this is wrong: noise alone moves it by far less."""
LARGEST_MISPLACEMENT = 0.01
"""Of a voxel, between where a map says that it lies and where the phantom is."""


class MapMisplaced(ExplainedError):
    """A map does not lie where the object is."""

    code = "map_misplaced"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One number as measured and as it should be."""

    name: str
    measured: float
    truth: float

    @property
    def deviation_percent(self) -> float:
        """How far the measured number is from the truth, in percent of the truth."""
        return 100 * (self.measured / self.truth - 1)

    @property
    def is_right(self) -> bool:
        """Whether the measured number is the truth, within what noise and coil maps may do to it."""
        return abs(self.deviation_percent) < LARGEST_DEVIATION_PERCENT


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """A map inside its mask."""

    median: float
    mean: float
    n_voxels: int


def compare(folder: Path, written: Written) -> tuple[Comparison, ...]:
    """Compare a result with the closed-form truth of the phantom it was made from; see `compare_with`."""
    return compare_with(folder, written.scan.phantom, written.truth)


def compare_with(folder: Path, phantom: Phantom, truth: Truth) -> tuple[Comparison, ...]:
    """Compare mean SENSE SNR and g-factor of a result with the truth of a phantom.

    The region is the whole object, edges and all, in every slice. Raise `MapMisplaced`, `PackageError`.
    """
    pairs = (("mean SNR", MapId.SNR, truth.sense_snr), ("mean g", MapId.SENSE_G, truth.sense_g))
    with opened(folder) as files:
        package = read_package(files)
        return tuple(
            Comparison(
                name=name,
                measured=float(_at_phantom(_volumes(package, number), phantom)[truth.mask].mean()),
                truth=float(expected[truth.mask].mean()),
            )
            for name, number, expected in pairs
        )


def snr_statistics(folder: Path) -> Statistics:
    """Return the SNR of a result inside its mask. Raise `PackageError`."""
    with opened(folder) as files:
        package = read_package(files)
        snr, mask = (
            np.concatenate([volume.data.ravel() for volume in _volumes(package, number)])
            for number in (MapId.SNR, MapId.MASK)
        )
    inside = snr[mask > 0].astype(np.float64)
    return Statistics(median=float(np.median(inside)), mean=float(inside.mean()), n_voxels=inside.size)


def _volumes(package: ResultPackage, number: int) -> tuple[Volume, ...]:
    return package.volumes(next(stored for stored in package.maps if stored.id == number))


def _at_phantom(volumes: tuple[Volume, ...], phantom: Phantom) -> Map:
    """Return the values of a map at the phantom's voxels, (slice, y, x), found by their place in the patient."""
    [volume] = volumes
    exact = _places_ras_mm(phantom) @ np.linalg.inv(volume.affine)[:3].T
    nearest = np.rint(exact).astype(int)
    if (
        np.abs(exact - nearest).max() > LARGEST_MISPLACEMENT
        or (nearest < 0).any()
        or (nearest >= volume.data.shape).any()
    ):
        raise MapMisplaced("The SNR map does not lie where the phantom is.", "Report this; the geometry is wrong.")
    values: Map = volume.data[tuple(np.moveaxis(nearest, -1, 0))].astype(np.float64)
    return values


def _places_ras_mm(phantom: Phantom) -> Map:
    """Return where the phantom's voxels lie, (slice, y, x, 4): RAS millimetres, and 1."""
    along_x = (np.arange(phantom.n_x) - phantom.n_x // 2) * phantom.fov_mm[0] / phantom.n_x
    along_y = (np.arange(phantom.n_y) - phantom.n_y // 2) * phantom.fov_mm[1] / phantom.n_y
    lps_mm = (
        np.asarray(phantom.slice_centres_mm)[:, None, None]
        + along_y[:, None, None] * np.asarray(phantom.phase_direction)
        + along_x[:, None] * np.asarray(phantom.readout_direction)
    )
    return np.concatenate([lps_mm * (-1.0, -1.0, 1.0), np.ones((*lps_mm.shape[:3], 1))], axis=-1)
