"""Maps of a result beside the truth they should be: means over a region, at the same places in space."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

from mroptimum.errors import ExplainedError
from mroptimum.phantom import Phantom, Written
from mroptimum.result import MapId

Map = NDArray[np.float64]

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


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """A map inside its mask."""

    median: float
    mean: float
    n_voxels: int


def compare(package: Path, written: Written) -> tuple[Comparison, ...]:
    """Compare mean SENSE SNR and g-factor of a result with the closed-form truth of the phantom it was made from.

    The region is the whole object, edges and all, in every slice. Raise `MapMisplaced`.
    """
    phantom, truth = written.scan.phantom, written.truth
    pairs = (("mean SNR", MapId.SNR, truth.sense_snr), ("mean g", MapId.SENSE_G, truth.sense_g))
    return tuple(
        Comparison(
            name=name,
            measured=float(_at_phantom(_map(package, number), phantom)[truth.mask].mean()),
            truth=float(expected[truth.mask].mean()),
        )
        for name, number, expected in pairs
    )


def snr_statistics(package: Path) -> Statistics:
    """Return the SNR of a result inside its mask."""
    snr, mask = (np.asarray(_map(package, number).dataobj) for number in (MapId.SNR, MapId.MASK))
    inside = snr[mask > 0].astype(np.float64)
    return Statistics(median=float(np.median(inside)), mean=float(inside.mean()), n_voxels=inside.size)


def _map(package: Path, number: int) -> nibabel.Nifti1Image:
    entries: list[dict[str, Any]] = json.loads((package / "info.json").read_text(encoding="utf-8"))["data"]
    filename = next(entry["filename"] for entry in entries if entry["id"] == number)
    image = nibabel.load(package / filename)
    assert isinstance(image, nibabel.Nifti1Image)
    return image


def _at_phantom(image: nibabel.Nifti1Image, phantom: Phantom) -> Map:
    """Return the values of a map at the phantom's voxels, (slice, y, x), found by their place in the patient."""
    assert image.affine is not None
    exact = nibabel.affines.apply_affine(np.linalg.inv(image.affine), _places_ras_mm(phantom))
    nearest = np.rint(exact).astype(int)
    if np.abs(exact - nearest).max() > LARGEST_MISPLACEMENT or (nearest < 0).any() or (nearest >= image.shape).any():
        raise MapMisplaced("The SNR map does not lie where the phantom is.", "Report this; the geometry is wrong.")
    values: Map = np.asarray(image.dataobj, dtype=np.float64)[tuple(np.moveaxis(nearest, -1, 0))]
    return values


def _places_ras_mm(phantom: Phantom) -> Map:
    """Return where the phantom's voxels lie, (slice, y, x, RAS coordinate), in millimetres."""
    along_x = (np.arange(phantom.n_x) - phantom.n_x // 2) * phantom.fov_mm[0] / phantom.n_x
    along_y = (np.arange(phantom.n_y) - phantom.n_y // 2) * phantom.fov_mm[1] / phantom.n_y
    lps_mm = (
        np.asarray(phantom.slice_centres_mm)[:, None, None]
        + along_y[:, None, None] * np.asarray(phantom.phase_direction)
        + along_x[:, None] * np.asarray(phantom.readout_direction)
    )
    return np.asarray(lps_mm * (-1.0, -1.0, 1.0))
