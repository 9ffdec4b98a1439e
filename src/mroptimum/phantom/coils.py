"""Receive sensitivities of an array of loops on a cylinder around the object, by the law of Biot and Savart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ellipe, ellipk

from mroptimum.phantom.description import Phantom

_COILS_PER_RING = 8


def voxel_positions(phantom: Phantom) -> NDArray[np.float64]:
    """Return the position of every voxel, ``(slice, y, x, 3)``, in mm (LPS); voxel n // 2 is the slice's centre."""
    step_x, step_y = phantom.fov_mm[0] / phantom.n_x, phantom.fov_mm[1] / phantom.n_y
    x = (np.arange(phantom.n_x) - phantom.n_x // 2)[np.newaxis, np.newaxis, :, np.newaxis] * step_x
    y = (np.arange(phantom.n_y) - phantom.n_y // 2)[np.newaxis, :, np.newaxis, np.newaxis] * step_y
    centres = np.asarray(phantom.slice_centres_mm)[:, np.newaxis, np.newaxis, :]
    return np.asarray(centres + x * np.asarray(phantom.readout_direction) + y * np.asarray(phantom.phase_direction))


def coil_maps(phantom: Phantom) -> NDArray[np.complex128]:
    """Return the sensitivities ``(slice, coil, y, x)``; the largest root of the sum of squares is 1."""
    positions = voxel_positions(phantom)
    maps = np.stack([_sensitivity(positions, *loop) for loop in _loops(phantom)], axis=1)
    largest = np.sqrt((np.abs(maps) ** 2).sum(axis=1)).max()
    return np.asarray(maps / largest)


def _loops(phantom: Phantom) -> list[tuple[NDArray[np.float64], NDArray[np.float64], float, float]]:
    """Return centre (mm), normal, radius (mm) and phase of each loop; rings of up to eight share a cylinder along z."""
    n_rings = -(-phantom.n_coils // _COILS_PER_RING)
    per_ring = -(-phantom.n_coils // n_rings)
    cylinder = 0.56 * float(np.hypot(*phantom.fov_mm))
    radius = min(0.45 * 2 * np.pi * cylinder / per_ring, 0.6 * cylinder)
    loops = []
    for coil in range(phantom.n_coils):
        ring, place = divmod(coil, per_ring)
        angle = 2 * np.pi * (place + 0.5 * (ring % 2)) / per_ring + 0.1
        outwards = np.array([np.cos(angle), np.sin(angle), 0.0])
        along = np.array([0.0, 0.0, 2.0 * radius * (ring - (n_rings - 1) / 2)])
        centre = np.asarray(phantom.centre_mm) + cylinder * outwards + along
        loops.append((centre, outwards, float(radius), 0.3 * coil))
    return loops


def _sensitivity(
    positions: NDArray[np.float64],
    centre: NDArray[np.float64],
    normal: NDArray[np.float64],
    radius: float,
    phase: float,
) -> NDArray[np.complex128]:
    """Return B_x - i B_y of a circular loop that carries a unit current, up to a common factor.

    In the loop's own cylinder coordinates (r, z), with complete elliptic integrals of the parameter
    ``m = 4 a r / ((a + r)^2 + z^2)`` (Smythe, Static and Dynamic Electricity, 7.10).
    """
    offset = positions - centre
    z = offset @ normal
    radial = offset - z[..., np.newaxis] * normal
    r = np.linalg.norm(radial, axis=-1)
    near, far = (radius - r) ** 2 + z**2, (radius + r) ** 2 + z**2
    m = 1 - near / far
    k_integral, e_integral = ellipk(m), ellipe(m)
    along_normal = (k_integral + (radius**2 - r**2 - z**2) / near * e_integral) / np.sqrt(far)
    safe_r = np.where(r > 1e-9 * radius, r, np.inf)  # on the axis there is no radial part
    outwards = z / safe_r * (-k_integral + (radius**2 + r**2 + z**2) / near * e_integral) / np.sqrt(far)
    field = along_normal[..., np.newaxis] * normal + outwards[..., np.newaxis] * radial / safe_r[..., np.newaxis]
    return np.asarray((field[..., 0] - 1j * field[..., 1]) * np.exp(1j * phase))
