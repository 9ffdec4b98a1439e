"""Generalised pseudo replicas: few replicas, and the spread over a box around each voxel (Wiens 2011).

The residual of a replica is what its noise added to the image; its spread is taken over the voxels within `box_size` of
each one, smaller at the edges, and variances are averaged over replicas. Right where the noise varies little across the
box; g-factor edges are smoothed by it. Wiens 2011, MRM 66:1192, 10.1002/mrm.22893.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mroptimum.convention import Complex, Real, snr
from mroptimum.errors import TaskError
from mroptimum.reconstruction import Reconstruction
from mroptimum.snr import SnrMap
from mroptimum.snr.replicas import bias_of_inverse
from mroptimum.snr.white_noise import white_noise


def generalised_pseudo_replica_snr(
    reconstruction: Reconstruction,
    kspace: Complex,
    n_replicas: int,
    box_size: int,
    seed: np.random.SeedSequence,
    *,
    column_sd: Real | float = 1.0,
    kspace_noise_sd: float = 1.0,
    report: Callable[[int], None] = lambda _: None,
) -> SnrMap:
    """Return the SNR of whitened k-space (coil, y, x) from `n_replicas` replicas and boxes of half-width `box_size`.

    `column_sd` is the noise sd of each column relative to the whitened, (x,), `kspace_noise_sd` that of a sampled line
    (more than 1 where some are zero-filled). A box reaches no further than the image. `report` is called after each
    replica with the number done, and may raise to stop. Raises `TaskError` for a box of one voxel.
    """
    image = reconstruction.image(kspace)
    residuals = replica_residuals(reconstruction, kspace, image, n_replicas, seed, kspace_noise_sd=kspace_noise_sd)
    found = snr_from_residuals(
        np.abs(image), reported(residuals, report), box_size, column_sd=column_sd, is_linear=reconstruction.is_linear
    )
    return replace(found, image=image)


def reported(residuals: Iterator[Complex | Real], report: Callable[[int], None]) -> Iterator[Complex | Real]:
    """Yield residuals, and call `report` with the number that were used."""
    for done, residual in enumerate(residuals, start=1):
        yield residual
        report(done)


def replica_residuals(
    reconstruction: Reconstruction,
    kspace: Complex,
    image: Complex | Real,
    n_replicas: int,
    seed: np.random.SeedSequence,
    *,
    kspace_noise_sd: float = 1.0,
) -> Iterator[Complex | Real]:
    """Yield what the noise of each replica adds to `image`, the reconstruction of whitened k-space (coil, y, x)."""
    sampled = np.any(kspace != 0, axis=(0, 2))
    for stream in seed.spawn(n_replicas):
        noise = np.where(sampled[:, None], white_noise(stream, kspace.shape), np.complex64(0))
        noise *= np.float32(kspace_noise_sd)
        yield reconstruction.image(noise) if reconstruction.is_linear else reconstruction.image(kspace + noise) - image


def snr_from_residuals(
    amplitude: Real,
    residuals: Iterable[Complex | Real],
    box_size: int,
    *,
    column_sd: Real | float = 1.0,
    is_linear: bool,
) -> SnrMap:
    """Return the SNR of an image of magnitude `amplitude`, (y, x), from the residuals of replicas, (y, x) each.

    Boxes reach `box_size` voxels to each side and no further than the image; `column_sd`, (x,), is what residuals lack
    of each column's noise. Raises `TaskError` for a box of one voxel.
    """
    refuse_single_voxels(box_size)
    box_size = min(box_size, max(amplitude.shape))
    variance = np.zeros(amplitude.shape)
    n_replicas = 0
    for residual in residuals:
        variance += box_variance(residual, box_size)
        n_replicas += 1
    count = _box_sums(np.ones(amplitude.shape), box_size)
    nu = n_replicas * (count - 1) * (2 if is_linear else 1)
    bias = np.vectorize(bias_of_inverse)(np.unique(nu))[np.unique(nu, return_inverse=True)[1]].reshape(nu.shape)
    component_sd = np.sqrt(variance / n_replicas) * bias * column_sd
    noise_sd: Real = (component_sd * np.sqrt(2)).astype(amplitude.dtype)
    found = snr(amplitude, noise_sd)
    error: Real = (found / np.sqrt(2 * nu)).astype(found.dtype)
    return SnrMap(snr=found, image=amplitude, noise_sd=noise_sd, standard_error=error)


def refuse_single_voxels(box_size: int) -> None:
    """Raise `TaskError` for boxes of half-width 0."""
    if box_size < 1:
        raise TaskError(
            "A box of one voxel has no spread.", "Give a boxSize of at least 1 (a 3 x 3 box).", code="box_too_small"
        )


def box_variance(residual: Complex | Real, box_size: int) -> NDArray[np.float64]:
    """Return the variance of one real component over the box around each voxel, (y, x), with n - 1 in the denominator.

    Complex residuals give the mean of the variances of their two components.
    """
    components = (residual.real, residual.imag) if np.iscomplexobj(residual) else (residual,)
    count = _box_sums(np.ones(residual.shape), box_size)
    total = np.zeros(residual.shape)
    for component in components:
        values = component.astype(np.float64)
        sums = _box_sums(values, box_size)
        total += np.maximum(_box_sums(values**2, box_size) - sums**2 / count, 0.0) / (count - 1)
    return total / len(components)


def _box_sums(values: NDArray[np.float64], box_size: int) -> NDArray[np.float64]:
    """Return sums over the box around each voxel, cut off at the edges."""
    weights = np.ones(2 * box_size + 1)
    for axis in (0, 1):
        values = ndimage.correlate1d(values, weights, axis=axis, mode="constant")
    return values
