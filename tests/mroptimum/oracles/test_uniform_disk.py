"""Few replicas and a box against the closed form, on a uniform disk [median 3 %]; and the box against a plain loop.

Over a uniform disk signal and noise hardly change within a box, which is what the method assumes.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from four_reconstructions import NAMES, UNFOLDING, Comb, build
from mroptimum.snr.analytic import analytic_snr
from mroptimum.snr.generalised import box_variance, generalised_pseudo_replica_snr
from scenes import Scene, build_scene

N = 48


def disk() -> NDArray[np.bool_]:
    y, x = np.mgrid[:N, :N] - N // 2
    return np.asarray(x**2 + y**2 < 18**2)


def away_from_the_edge(box_size: int) -> NDArray[np.bool_]:
    """Return the voxels whose box lies in the disk."""
    n = 2 * box_size + 1
    return np.asarray(ndimage.binary_erosion(disk(), np.ones((n, n), dtype=np.bool_)))


def scene() -> Scene:
    smooth = build_scene(8, N, N)
    uniform = Scene(m=np.where(disk(), 300.0, 0.0).astype(np.complex128), s=smooth.s, psi=smooth.psi)
    # Unit sensitivity of all coils together, so that the SNR is the same everywhere in the disk.
    inverse = np.linalg.inv(np.linalg.cholesky(uniform.psi))
    norm = np.linalg.norm(np.einsum("cd,dyx->cyx", inverse, uniform.s), axis=0)
    return Scene(m=uniform.m, s=uniform.s / norm, psi=uniform.psi)


@pytest.mark.parametrize("box_size", [2, 3])
@pytest.mark.parametrize(("name", "acceleration"), [*((name, 1) for name in NAMES), *((name, 2) for name in UNFOLDING)])
def test_four_replicas_find_the_snr_of_a_uniform_disk(name: str, acceleration: int, box_size: int) -> None:
    noise = np.random.default_rng(2).normal(size=(2, 8, N, N)).view(np.float64)
    built = build(name, scene(), Comb(acceleration=acceleration), noise=noise[0] + 1j * noise[1], dtype=np.complex64)
    found = generalised_pseudo_replica_snr(built.reconstruction, built.kspace, 4, box_size, np.random.SeedSequence(5))
    analytic = analytic_snr(built.reconstruction, built.kspace).snr
    inner = away_from_the_edge(box_size)
    assert inner.sum() > 400
    ratio = found.snr[inner] / analytic[inner]
    assert np.median(ratio) == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("name", ["rss", "b1"])
def test_the_map_spreads_as_it_states(name: str) -> None:
    """Where nothing varies but chance; some 30 boxes lie side by side, so the sd is known to 13 %."""
    built = build(name, scene(), dtype=np.complex64)
    seed = np.random.SeedSequence(5)
    found = generalised_pseudo_replica_snr(built.reconstruction, built.kspace, 4, 2, seed)
    inner = away_from_the_edge(2)
    ratio = found.snr[inner] / analytic_snr(built.reconstruction, built.kspace).snr[inner]
    assert found.standard_error is not None
    stated = np.median(found.standard_error[inner] / found.snr[inner])
    assert ratio.std() == pytest.approx(stated, rel=0.33)


def naive(residual: NDArray[np.complex128] | NDArray[np.float64], half: int) -> NDArray[np.float64]:
    n_y, n_x = residual.shape
    variance = np.empty((n_y, n_x))
    for y in range(n_y):
        for x in range(n_x):
            box = residual[max(0, y - half) : y + half + 1, max(0, x - half) : x + half + 1]
            parts = [box.real, box.imag] if np.iscomplexobj(box) else [box]
            variance[y, x] = np.mean([np.var(part, ddof=1) for part in parts])
    return variance


@settings(max_examples=40)
@given(
    shape=st.tuples(st.integers(2, 14), st.integers(2, 14)),
    half=st.integers(1, 16),
    is_complex=st.booleans(),
    seed=st.integers(0, 10_000),
)
def test_the_box_is_that_of_a_plain_loop(shape: tuple[int, int], half: int, is_complex: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=shape)
    residual = values + 1j * rng.normal(size=shape) if is_complex else values
    np.testing.assert_allclose(box_variance(residual, half), naive(residual, half), rtol=1e-12)
