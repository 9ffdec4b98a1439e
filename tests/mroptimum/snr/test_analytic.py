from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mroptimum.coils import CoilMaps
from mroptimum.reconstruction import Reconstruction
from mroptimum.reconstruction.b1 import B1Weighted
from mroptimum.reconstruction.rss import RootSumOfSquares
from mroptimum.reconstruction.sense import sense
from mroptimum.snr.analytic import analytic_snr
from scenes import Scene, build_scene

Snr = NDArray[np.float64]


def all_maps(scene: Scene, dtype: type[np.complex128] | type[np.complex64] = np.complex128) -> dict[str, Snr]:
    """SNR by every reconstruction of a full scan with the true maps and covariance."""
    inverse = np.linalg.inv(np.linalg.cholesky(scene.psi))
    maps = np.einsum("cd,dyx->cyx", inverse, scene.s)
    norm = np.sqrt(np.sum(np.abs(maps) ** 2, axis=0))
    coils = CoilMaps(maps=(maps / norm).astype(dtype), mask=np.ones(norm.shape, dtype=bool), method="true")
    kspace = np.einsum("cd,dyx->cyx", inverse, scene.kspace()).astype(dtype)
    reconstructions: dict[str, Reconstruction] = {
        "rss": RootSumOfSquares(n_coils=len(kspace)),
        "b1": B1Weighted(coils),
        "sense": sense(coils, np.ones(scene.shape[1], dtype=bool), 1),
    }
    return {name: np.asarray(analytic_snr(r, kspace).snr, dtype=np.float64) for name, r in reconstructions.items()}


@settings(max_examples=30)
@given(n_coils=st.integers(1, 33), n_y=st.integers(4, 17), n_x=st.integers(4, 17), seed=st.integers(0, 1000))
def test_noise_free_data_with_known_noise_give_the_closed_form(n_coils: int, n_y: int, n_x: int, seed: int) -> None:
    scene = build_scene(n_coils, n_y, n_x, seed)
    for found in all_maps(scene).values():
        np.testing.assert_allclose(found, scene.full_snr(), rtol=1e-10)


@pytest.mark.parametrize("n_coils", [1, 8, 33])
def test_single_precision(n_coils: int) -> None:
    scene = build_scene(n_coils, 16, 18)
    for found in all_maps(scene, np.complex64).values():
        np.testing.assert_allclose(found, scene.full_snr(), rtol=1e-5)


def test_one_coil_makes_all_reconstructions_one() -> None:
    found = all_maps(build_scene(1, 11, 9))
    np.testing.assert_allclose(found["b1"], found["rss"], rtol=1e-12)
    np.testing.assert_allclose(found["sense"], found["rss"], rtol=1e-12)


@pytest.mark.parametrize("what", ["phase", "scale", "permutation", "mixing"])
def test_snr_does_not_change_with_what_should_not_matter(what: str, rng: np.random.Generator) -> None:
    scene = build_scene(7, 12, 10)
    n = scene.shape[0]
    mixing = np.eye(n, dtype=np.complex128)
    if what == "phase":
        mixing = mixing * np.exp(1.3j)
    elif what == "scale":
        mixing = mixing * 1e-12
    elif what == "permutation":
        mixing = mixing[rng.permutation(n)]
    else:
        mixing, _ = np.linalg.qr(rng.normal(size=(n, n)) + 1j * rng.normal(size=(n, n)))
    other = Scene(m=scene.m, s=np.einsum("cd,dyx->cyx", mixing, scene.s), psi=mixing @ scene.psi @ mixing.conj().T)
    for name, found in all_maps(other).items():
        np.testing.assert_allclose(found, all_maps(scene)[name], rtol=1e-10)
