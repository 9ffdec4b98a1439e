"""A known mistake, kept as an example: a g-factor from the real part of the encoding matrix.

A widely used implementation takes the real part of ``A = S^H Psi^-1 S`` before it inverts. With ``A = X + iY``,
``Re(A^-1) = (X - Y^T X^-1 Y)^-1``, which is never less than ``X^-1``: what it calls g is too small wherever coils
differ in phase, and the worse the more voxels fold. Our own g is held to the inverse of the complex matrix.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mroptimum.coils import CoilMaps
from mroptimum.phantom import Phantom, simulate
from mroptimum.reconstruction.sense import sense

N = 64


def folded_systems(maps: NDArray[np.complex128], acceleration: int) -> NDArray[np.complex128]:
    """Return A of the voxels that fold onto each other, (y', x, fold, fold), for white coils (coil, y, x)."""
    folds = np.stack([np.roll(maps, -fold * (N // acceleration), axis=1) for fold in range(acceleration)])
    systems: NDArray[np.complex128] = np.einsum("rcyx,scyx->yxrs", folds.conj(), folds)[: N // acceleration]
    return systems


def g_of(systems: NDArray[np.complex128] | NDArray[np.float64]) -> NDArray[np.float64]:
    own = np.diagonal(systems, axis1=-2, axis2=-1).real
    inverted = np.diagonal(np.linalg.inv(systems), axis1=-2, axis2=-1).real
    g: NDArray[np.float64] = np.sqrt(own * inverted)
    return g


@pytest.fixture(scope="module")
def maps() -> NDArray[np.complex128]:
    """Eight loops around a field of view, unit norm in each voxel."""
    maps = simulate(Phantom(n_x=N, n_y=N, n_coils=8)).coil_maps[0]
    unit: NDArray[np.complex128] = maps / np.linalg.norm(maps, axis=0)
    return unit


@pytest.mark.parametrize("acceleration", [2, 4])
def test_ours_is_that_of_the_complex_matrix(acceleration: int, maps: NDArray[np.complex128]) -> None:
    coils = CoilMaps(maps=maps, mask=np.ones((N, N), dtype=np.bool_), method="true")
    lines = np.arange(N) % acceleration == 0
    ours = sense(coils, lines, acceleration).g_factor
    true = g_of(folded_systems(maps, acceleration))
    by_voxel = np.concatenate([true[..., fold] for fold in range(acceleration)])
    np.testing.assert_allclose(ours, by_voxel, rtol=1e-9)


def test_the_real_part_first_is_never_too_large_and_far_too_small_at_four(maps: NDArray[np.complex128]) -> None:
    """How far off depends on the coils: these lose 4 % at R = 2 in the median and, at R = 4, nine tenths at worst."""
    kept = {}
    for acceleration in (2, 4):
        systems = folded_systems(maps, acceleration)
        kept[acceleration] = g_of(systems.real) / g_of(systems)
        assert kept[acceleration].max() <= 1 + 1e-9
    assert np.median(kept[2]) == pytest.approx(0.96, abs=0.01)
    assert np.median(kept[4]) < 0.75
    # 0.37 of the truth was measured on that implementation itself, at R = 4.
    assert np.mean(kept[4] < 0.37) > 0.05


def test_coils_without_phase_would_hide_it(maps: NDArray[np.complex128]) -> None:
    """Why it can go unnoticed: it is right for real sensitivities, as some synthetic ones are."""
    systems = folded_systems(np.abs(maps).astype(np.complex128), 4)
    np.testing.assert_allclose(g_of(systems.real), g_of(systems), rtol=1e-6)
