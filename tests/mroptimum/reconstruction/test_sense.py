from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mroptimum.coils import CoilMaps
from mroptimum.convention import Complex, Real
from mroptimum.errors import ReconstructionError
from mroptimum.reconstruction.sense import Sense, sense
from mroptimum.snr.analytic import analytic_snr
from scenes import Scene, build_scene

Array = NDArray[np.complex128]


def whitened(scene: Scene) -> tuple[Array, CoilMaps, NDArray[np.float64]]:
    """Return whitened k-space, true maps of unit norm, and that norm."""
    inverse = np.linalg.inv(np.linalg.cholesky(scene.psi))
    maps = np.einsum("cd,dyx->cyx", inverse, scene.s)
    norm = np.sqrt(np.sum(np.abs(maps) ** 2, axis=0))
    kspace = np.einsum("cd,dyx->cyx", inverse, scene.kspace())
    return kspace, CoilMaps(maps=maps / norm, mask=np.ones(norm.shape, dtype=bool), method="true"), norm


def comb(n: int, first: int, acceleration: int) -> NDArray[np.bool_]:
    lines = np.zeros(n, dtype=bool)
    lines[first::acceleration] = True
    return lines


def relative(found: Real | Complex, true: Real | Complex) -> float:
    return float(np.max(np.abs(found - true) / np.abs(true)))


@settings(max_examples=40)
@given(
    n_coils=st.integers(4, 12),
    n_y=st.integers(12, 25),
    acceleration=st.integers(1, 3),
    first=st.integers(0, 2),
    seed=st.integers(0, 1000),
)
def test_snr_and_g_equal_the_dense_inverse(n_coils: int, n_y: int, acceleration: int, first: int, seed: int) -> None:
    scene = build_scene(n_coils, n_y, 5, seed)
    lines = comb(n_y, first % acceleration, acceleration)
    kspace, maps, norm = whitened(scene)
    unfolding = sense(maps, lines, acceleration)
    found = analytic_snr(unfolding, np.where(lines[:, None], kspace, 0))
    snr, image = found.snr, found.image
    for x in range(5):
        true_snr, true_g = scene.sense(np.flatnonzero(lines), x)
        # An inverse in double precision, the dense one too, loses the condition number.
        bound = 1e-10 + 10 * np.finfo(float).eps * scene.condition(np.flatnonzero(lines), x)
        assert relative(snr[:, x], true_snr) < bound
        assert relative(np.asarray(unfolding.g_factor)[:, x], true_g) < bound
        assert relative(image[:, x], (scene.m * norm)[:, x]) < bound


def test_four_folds_in_double_precision() -> None:
    scene = build_scene(8, 32, 8)
    kspace, maps, _ = whitened(scene)
    lines = comb(32, 3, 4)
    snr = analytic_snr(sense(maps, lines, 4), np.where(lines[:, None], kspace, 0)).snr
    for x in range(8):
        assert relative(snr[:, x], scene.sense(np.flatnonzero(lines), x)[0]) < 1e-10


@pytest.mark.parametrize(("acceleration", "tolerance"), [(2, 1e-5), (3, 1e-5), (4, 1e-3)])
def test_single_precision(acceleration: int, tolerance: float) -> None:
    scene = build_scene(8, 24, 6)
    kspace, maps, _ = whitened(scene)
    single = CoilMaps(maps=maps.maps.astype(np.complex64), mask=maps.mask, method="true")
    lines = comb(24, 0, acceleration)
    unfolding = sense(single, lines, acceleration)
    snr = analytic_snr(unfolding, np.where(lines[:, None], kspace, 0).astype(np.complex64)).snr
    assert snr.dtype == np.float32
    for x in range(6):
        true_snr, true_g = scene.sense(np.flatnonzero(lines), x)
        assert relative(snr[:, x].astype(float), true_snr) < tolerance
        assert relative(np.asarray(unfolding.g_factor)[:, x].astype(float), true_g) < tolerance


def test_noise_of_the_image_has_the_predicted_sd(rng: np.random.Generator) -> None:
    """The noise propagation by experiment: white noise in k-space, 4 000 times, through the reconstruction."""
    scene = build_scene(6, 12, 4)
    _, maps, _ = whitened(scene)
    lines = comb(12, 1, 2)
    unfolding = sense(maps, lines, 2)
    n = 4000
    power = np.zeros((12, 4))
    for _ in range(n):
        noise = (rng.standard_normal((6, 12, 4)) + 1j * rng.standard_normal((6, 12, 4))) / np.sqrt(2)
        power += np.abs(unfolding.image(np.where(lines[:, None], noise, 0))) ** 2
    ratio = np.sqrt(power / n) / np.asarray(unfolding.noise_sd)
    # The sd of one ratio is 1/(2 sqrt(n)); 48 of them within 5 sd, their mean within 5 sd / sqrt(48).
    assert np.max(np.abs(ratio - 1)) < 5 / (2 * np.sqrt(n))
    assert abs(ratio.mean() - 1) < 5 / (2 * np.sqrt(n * 48))


def test_without_acceleration_g_is_one() -> None:
    _, maps, _ = whitened(build_scene(5, 13, 7))
    np.testing.assert_allclose(sense(maps, np.ones(13, dtype=bool), 1).g_factor, 1.0, rtol=1e-12)


@pytest.mark.parametrize("n_y", [12, 13])
def test_outside_the_object_everything_is_zero(n_y: int) -> None:
    _, maps, _ = whitened(build_scene(6, n_y, 4))
    mask = np.zeros((n_y, 4), dtype=bool)
    mask[3:9, 1:] = True
    masked = CoilMaps(maps=maps.maps * mask, mask=mask, method="true")
    unfolding = sense(masked, comb(n_y, 0, 2), 2)
    for values in (unfolding.g_factor, unfolding.noise_sd):
        assert np.all(np.asarray(values)[~mask] == 0)
        assert np.all(np.asarray(values)[mask] > 0)


def test_a_smaller_object_is_easier_to_unfold() -> None:
    _, maps, _ = whitened(build_scene(6, 24, 4))
    mask = np.zeros((24, 4), dtype=bool)
    mask[8:16] = True
    masked = sense(CoilMaps(maps=maps.maps * mask, mask=mask, method="true"), comb(24, 0, 2), 2)
    np.testing.assert_allclose(np.asarray(masked.g_factor)[mask], 1.0, rtol=1e-12)


@pytest.mark.parametrize("n_y", [8, 9, 65])
def test_voxels_that_cannot_be_told_apart_are_counted_and_zero(n_y: int) -> None:
    same = np.full((4, n_y, 3), 0.5, dtype=np.complex128)
    unfolding = sense(CoilMaps(maps=same, mask=np.ones((n_y, 3), dtype=bool), method="equal"), comb(n_y, 0, 2), 2)
    assert unfolding.n_unsolvable == n_y * 3
    assert not np.any(unfolding.noise_sd)
    assert not np.any(unfolding.image(np.ones((4, n_y, 3), dtype=np.complex128)))


def irregular() -> NDArray[np.bool_]:
    lines = comb(12, 0, 2)
    lines[1] = True
    return lines


@pytest.mark.parametrize(
    ("lines", "acceleration"),
    [(irregular(), 2), (comb(12, 0, 3), 2), (np.zeros(12, dtype=bool), 2), (comb(12, 0, 6), 6)],
)
def test_what_cannot_be_unfolded_is_refused(lines: NDArray[np.bool_], acceleration: int) -> None:
    _, maps, _ = whitened(build_scene(4, 12, 3))
    with pytest.raises(ReconstructionError):
        sense(maps, lines, acceleration)


def test_applying_twice_gives_the_same_and_leaves_the_input_alone() -> None:
    kspace, maps, _ = whitened(build_scene(4, 12, 6))
    before = kspace.copy()
    unfolding: Sense = sense(maps, comb(12, 0, 2), 2)
    np.testing.assert_array_equal(unfolding.image(kspace), unfolding.image(kspace))
    np.testing.assert_array_equal(kspace, before)
