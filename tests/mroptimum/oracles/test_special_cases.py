"""Cases in which reconstructions must become each other: no acceleration, one coil, no noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from four_reconstructions import NAMES, UNFOLDING, build
from mroptimum.snr.analytic import analytic_snr
from scenes import build_scene


@settings(max_examples=25)
@given(n_coils=st.integers(1, 33), n_y=st.integers(4, 17), n_x=st.integers(5, 13), seed=st.integers(0, 1000))
def test_without_acceleration_g_is_one_sense_is_b1_and_grappa_is_rss(
    n_coils: int, n_y: int, n_x: int, seed: int
) -> None:
    scene = build_scene(n_coils, n_y, n_x, seed)
    built = {name: build(name, scene) for name in NAMES}
    found = {name: analytic_snr(one.reconstruction, one.kspace).snr for name, one in built.items()}
    np.testing.assert_allclose(found["sense"], found["b1"], rtol=1e-12)
    np.testing.assert_allclose(found["grappa"], found["rss"], rtol=1e-12)
    for name in UNFOLDING:
        np.testing.assert_allclose(np.asarray(built[name].reconstruction.g_factor), 1.0, rtol=1e-12)
    # Noise-free: whitened root of sum of squares and the optimal combination have the same SNR, that of the scene.
    for name in NAMES:
        np.testing.assert_allclose(found[name], scene.full_snr(), rtol=1e-10)


@pytest.mark.parametrize("shape", [(12, 9), (11, 16)])
def test_with_one_coil_all_reconstructions_agree(shape: tuple[int, int], rng: np.random.Generator) -> None:
    """With noise in the data, too: there is nothing to combine."""
    noise = rng.normal(size=(1, *shape)) + 1j * rng.normal(size=(1, *shape))
    built = [build(name, build_scene(1, *shape), noise=noise) for name in NAMES]
    first, *others = [analytic_snr(one.reconstruction, one.kspace).snr for one in built]
    for found in others:
        np.testing.assert_allclose(found, first, rtol=1e-12)


def test_a_covariance_twice_as_large_makes_the_snr_less_by_its_root() -> None:
    scene = build_scene(5, 12, 10)
    louder = replace(scene, psi=2 * scene.psi)
    for name in NAMES:
        plain, other = (build(name, one) for one in (scene, louder))
        np.testing.assert_allclose(
            analytic_snr(other.reconstruction, other.kspace).snr * np.sqrt(2),
            analytic_snr(plain.reconstruction, plain.kspace).snr,
            rtol=1e-10,
        )
