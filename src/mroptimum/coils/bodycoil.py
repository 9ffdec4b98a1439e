"""Maps from a body coil: the ratio of the array's images to an image that the body coil took of the same slice.

``s_c(q) = p_c(q) / b(q)``, both at the low resolution of the calibration region (Pruessmann 1999,
doi:10.1002/(SICI)1522-2594(199911)42:5<952::AID-MRM16>3.0.CO;2-S). What the object adds to the phase cancels. Its
magnitude cancels too, but no SNR depends on it: maps have unit norm.
"""

from __future__ import annotations

import numpy as np

from mroptimum import fourier
from mroptimum.coils.calibration import CalibrationRegion
from mroptimum.coils.phase import principal_coil
from mroptimum.convention import Complex
from mroptimum.errors import ReconstructionError
from mroptimum.noise import n_columns
from mroptimum.partitions import as_slices
from mroptimum.rawdata.acquisition import Acquisition

SAME_WITHIN_MM = 0.5
"""Slices whose centres and fields of view differ by less are the same slice."""
SAME_DIRECTION_WITHIN = 1e-2
"""Unit vectors whose components differ by less are the same direction."""


def body_coil_maps(region: CalibrationRegion, reference: Complex) -> Complex:
    """Return the array's low-resolution images over the body coil's `reference` (y, x), up to a positive factor.

    The result is (coil, y, x): the phase of the ratio and the magnitude of the array's images, which keep it finite
    where the body coil sees nothing.
    """
    magnitude = np.abs(reference)
    phase = np.ones_like(reference)
    np.divide(reference, magnitude, out=phase, where=magnitude > 0)
    return region.image * phase.conj().astype(region.kspace.dtype)


def reference_image(kspace: Complex, widths: tuple[int, int]) -> Complex:
    """Return the body coil's image, (y, x), of its k-space (channel, y, x) at the resolution of a calibration region.

    The channels of a body coil make one virtual coil, the one that receives most, so that the phase is smooth.
    """
    region = CalibrationRegion(kspace=kspace, widths=widths)
    weights = principal_coil(region.block(max(widths))).astype(kspace.dtype)
    combined: Complex = np.tensordot(weights.conj(), region.image, axes=1)
    return combined


def body_coil_kspace(body: Acquisition, scan: Acquisition) -> Complex:
    """Return the k-space of a body-coil scan, (slice, channel, y, x), oversampling removed, averages averaged.

    A slab counts as its partitions. Raises `ReconstructionError` unless it is a full scan of the same slices on the
    same matrix as `scan`, and where that is a slab whose partitions are accelerated.
    """
    if scan.is_3d:
        raise ReconstructionError(
            "Coil maps by bodycoil are not made for slabs whose partitions are accelerated.",
            "Choose another method for the coil maps, such as inner or espirit.",
        )
    if body.is_3d and body.sampled.all():
        body = as_slices(body)
    kspace = body.kspace[:, 0].mean(axis=0)[:, :, 0]
    found = (body.n_slices, kspace.shape[2], n_columns(body))
    wanted = (scan.n_slices, scan.kspace.shape[5], n_columns(scan))
    if found != wanted or body.is_3d:
        raise _mismatch(f"it has {_in_words(found)}, the scan {_in_words(wanted)}")
    if not body.sampled.all():
        raise _mismatch("it is not fully sampled")
    if body.geometry and scan.geometry:
        for number, (a, b) in enumerate(zip(body.geometry, scan.geometry, strict=True), start=1):
            lengths = np.abs(np.subtract([a.centre_mm, a.fov_mm], [b.centre_mm, b.fov_mm])).max()
            directions = np.abs(
                np.subtract([a.readout_direction, a.phase_direction], [b.readout_direction, b.phase_direction])
            ).max()
            if lengths > SAME_WITHIN_MM or directions > SAME_DIRECTION_WITHIN:
                raise _mismatch(f"its slice {number} lies elsewhere")
    return fourier.remove_oversampling(kspace, n_columns(body))


def _mismatch(how: str) -> ReconstructionError:
    return ReconstructionError(
        f"The body-coil scan does not fit the scan: {how}.",
        "Give a body-coil scan with the same slices, field of view and matrix, or choose another method for the maps.",
    )


def _in_words(shape: tuple[int, int, int]) -> str:
    return f"{shape[0]} slices of {shape[1]} lines x {shape[2]} samples"
