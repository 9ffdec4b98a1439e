"""The signal-to-noise ratio and g-factor of a simulated acquisition in closed form, from what was put into it.

The noise of an image of unit-variance real components has covariance ``Psi = E[n n^H]``, twice the covariance of one
real component; a magnitude image is read against the standard deviation of one real component, hence the 2 below.

* combined optimally (Roemer 1990, doi 10.1002/mrm.1910160203), and by whitened root sum of squares without noise in the
  signal: ``SNR = |m| sqrt(2 s^H Psi^-1 s)``
* SENSE (Pruessmann 1999): the measured lines are ``E m + n``; the unbiased estimate with least noise has the covariance
  ``(E^H Psi^-1 E)^-1 = A^-1``, ``SNR = |m| sqrt(2 / [A^-1]_rr)``, ``g = sqrt([A^-1]_rr A_rr)``. Lines and partitions of
  a slab are encoded together, E is the product of both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mroptimum.phantom.simulation import Complex128, Scan

Float64 = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Truth:
    """Maps ``(slice, y, x)`` on the image grid, readout oversampling removed, and the noise covariance.

    `snr` is that of all lines: of the root sum of squares, of the B1-weighted combination. `sense_snr` and `sense_g`
    are of the imaging lines alone, with the true sensitivities over the whole field of view. All count averages. `mask`
    is where there is an object. `covariance` is ``(coil, coil)``, as in `Scan`.
    """

    snr: Float64
    sense_snr: Float64
    sense_g: Float64
    mask: NDArray[np.bool_]
    covariance: Complex128


def closed_form(scan: Scan) -> Truth:
    """Compute the truth of a scan recorded from edge to edge of k-space.

    Raises `ValueError` for partial Fourier, and for accelerated partitions of an oversampled slab.
    """
    phantom = scan.phantom
    if phantom.n_omitted_lines or phantom.n_omitted_partitions:
        raise ValueError("the SNR of a partial Fourier image depends on how it is completed")
    if phantom.partition_acceleration > 1 and phantom.n_recorded_z != phantom.n_slices:
        raise ValueError("the SNR of an unfolded slab depends on what is taken to lie around it")
    signal = np.abs(scan.image) * np.sqrt(phantom.n_averages)
    whitened = _whiten(scan)
    gram = np.einsum("scyx,scyx->syx", whitened.conj(), whitened).real
    if phantom.partition_acceleration > 1:
        inverse_diagonal, g = inverse_of_slab(whitened, phantom.imaging_partitions, phantom.imaging_lines)
    elif phantom.acceleration == 1:
        inverse_diagonal, g = 1 / gram, np.ones_like(gram)
    elif phantom.n_y % phantom.acceleration == 0:
        inverse_diagonal, g = _unfolded(whitened, phantom.imaging_lines)
    else:
        inverse_diagonal, g = dense_inverse(whitened, phantom.imaging_lines)
    return Truth(
        snr=signal * np.sqrt(2 * gram),
        sense_snr=signal * np.sqrt(2 / inverse_diagonal),
        sense_g=g,
        mask=np.abs(scan.image) > 0.05 * np.abs(scan.image).max(),
        covariance=scan.covariance,
    )


def dense_inverse(whitened: Complex128, lines: tuple[int, ...]) -> tuple[Float64, Float64]:
    """Return ``[A^-1]_rr`` and g by inverting the whole encoding of each column; whitened maps (slice, coil, y, x).

    With ``F`` the rows of the unitary DFT at the recorded lines, ``A = (F^H F) * (S^H Psi^-1 S)``, element by element.
    """
    n_slices, _, n_y, n_x = whitened.shape
    points = _point_spread(n_y, lines)
    inverse_diagonal, diagonal = np.empty((n_slices, n_y, n_x)), np.empty((n_slices, n_y, n_x))
    for index in range(n_slices):
        for column in range(n_x):
            maps = whitened[index, :, :, column]
            normal = points * (maps.conj().T @ maps)
            diagonal[index, :, column] = np.diag(normal).real
            inverse_diagonal[index, :, column] = np.diag(np.linalg.inv(normal)).real
    return inverse_diagonal, np.sqrt(inverse_diagonal * diagonal)


def _unfolded(whitened: Complex128, lines: tuple[int, ...]) -> tuple[Float64, Float64]:
    """Do the same where R divides the lines: voxels n_y / R apart fold onto one another, and onto no others."""
    n_slices, n_coils, n_y, n_x = whitened.shape
    acceleration = n_y // len(lines)
    period = n_y // acceleration
    points = _point_spread(n_y, lines)[::period, ::period]
    folded = whitened.reshape(n_slices, n_coils, acceleration, period, n_x).transpose(0, 3, 4, 2, 1)
    normal = points * (folded.conj() @ folded.swapaxes(-1, -2))
    inverse = np.linalg.inv(normal)
    diagonal = np.einsum("...rr->...r", normal).real
    inverse_diagonal = np.einsum("...rr->...r", inverse).real
    unfold = (0, 3, 1, 2)
    return (
        inverse_diagonal.transpose(unfold).reshape(n_slices, n_y, n_x),
        np.sqrt(inverse_diagonal * diagonal).transpose(unfold).reshape(n_slices, n_y, n_x),
    )


def inverse_of_slab(
    whitened: Complex128, partitions: tuple[int, ...], lines: tuple[int, ...]
) -> tuple[Float64, Float64]:
    """Return ``[A^-1]_rr`` and g of a slab; whitened maps (z, coil, y, x), recorded partitions and lines.

    Each column of the readout is inverted by itself. Along a direction that the acceleration divides, voxels fold onto
    those a whole number of periods away and onto no others; along one that it does not, all fold onto all.
    """
    n_z, n_coils, n_y, n_x = whitened.shape
    period_z, period_y = _period(n_z, partitions), _period(n_y, lines)
    points = np.kron(
        _point_spread(n_z, partitions)[::period_z, ::period_z], _point_spread(n_y, lines)[::period_y, ::period_y]
    )
    grouped = whitened.reshape(n_z // period_z, period_z, n_coils, n_y // period_y, period_y, n_x)
    inverse_diagonal, diagonal = np.empty(grouped[:, :, 0].shape), np.empty(grouped[:, :, 0].shape)
    for z in range(period_z):
        for y in range(period_y):
            maps = grouped[:, z, :, :, y].transpose(3, 0, 2, 1).reshape(n_x, -1, n_coils)
            normal = points * (maps.conj() @ maps.swapaxes(-1, -2))
            shape = (n_x, n_z // period_z, n_y // period_y)
            diagonal[:, z, :, y] = np.einsum("xrr->xr", normal).real.reshape(shape).transpose(1, 2, 0)
            inverse_diagonal[:, z, :, y] = (
                np.einsum("xrr->xr", np.linalg.inv(normal)).real.reshape(shape).transpose(1, 2, 0)
            )
    shape = (n_z, n_y, n_x)
    return inverse_diagonal.reshape(shape), np.sqrt(inverse_diagonal * diagonal).reshape(shape)


def _period(n: int, recorded: tuple[int, ...]) -> int:
    """Return how many voxels lie between those that fold onto each other: n / R if R divides n, else one."""
    acceleration = recorded[1] - recorded[0] if len(recorded) > 1 else n
    return n // acceleration if n % acceleration == 0 else 1


def _point_spread(n_y: int, lines: tuple[int, ...]) -> Complex128:
    """Return ``F^H F`` (y, y') of the unitary DFT's rows at the recorded lines."""
    frequencies = np.asarray(lines) - n_y // 2
    positions = np.arange(n_y) - n_y // 2
    rows = np.exp(-2j * np.pi * np.outer(frequencies, positions) / n_y) / np.sqrt(n_y)
    return np.asarray(rows.conj().T @ rows)


def _whiten(scan: Scan) -> Complex128:
    """Return sensitivities for which the noise covariance is the identity."""
    factor = np.linalg.cholesky(scan.covariance)
    n_slices, n_coils, n_y, n_x = scan.coil_maps.shape
    columns = scan.coil_maps.transpose(1, 0, 2, 3).reshape(n_coils, -1)
    whitened = np.linalg.solve(factor, columns).reshape(n_coils, n_slices, n_y, n_x)
    return np.asarray(whitened.transpose(1, 0, 2, 3))
