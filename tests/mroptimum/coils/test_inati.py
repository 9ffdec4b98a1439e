from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coil_scenes import coil_scene
from mroptimum.coils.calibration import CalibrationRegion
from mroptimum.coils.inati import _box_sums, inati
from mroptimum.coils.walsh import walsh
from mroptimum.fourier import to_kspace


@pytest.mark.parametrize(
    ("snr", "extent", "mean", "worst"),
    [(None, 24, 1e-3, 5e-3), (None, 48, 5e-4, 3e-3), (30, 24, 1e-3, 5e-3), (30, 48, 7e-4, 4e-3), (5, 48, 8e-3, 3e-2)],
)
def test_maps_lose_less_snr_than_stated(snr: float | None, extent: int, mean: float, worst: float) -> None:
    scene = coil_scene(8, 48, 64, snr=snr)
    loss = scene.snr_loss(inati(CalibrationRegion(kspace=scene.kspace, widths=(extent, extent * 4 // 3))))
    assert loss.mean() < mean
    assert loss.max() < worst


def test_where_sensitivities_are_the_same_everywhere_they_are_found_exactly(rng: np.random.Generator) -> None:
    sensitivities = np.array([1.0, 2j, -0.5 + 0.5j])
    image = rng.normal(size=(13, 16)) + 1j * rng.normal(size=(13, 16))
    kspace = to_kspace(sensitivities[:, None, None] * image)
    maps = inati(CalibrationRegion(kspace=kspace, widths=(13, 16)))
    cosine = np.abs(np.einsum("c,cyx->yx", sensitivities.conj(), maps)) / np.linalg.norm(sensitivities)
    np.testing.assert_allclose(cosine, 1.0, rtol=1e-12)
    assert np.abs(np.diff(np.angle(maps), axis=-1)).max() < 1e-9


@settings(max_examples=20)
@given(n_coils=st.integers(1, 33), n_y=st.integers(5, 12), n_x=st.integers(5, 12), seed=st.integers(0, 1000))
def test_maps_follow_the_coils_through_permutation_mixing_and_phase(
    n_coils: int, n_y: int, n_x: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    scene = coil_scene(n_coils, n_y, n_x, snr=100, seed=seed)
    mixing, _ = np.linalg.qr(rng.normal(size=(n_coils, n_coils)) + 1j * rng.normal(size=(n_coils, n_coils)))
    mixing = np.exp(1.3j) * mixing[rng.permutation(n_coils)]
    plain = inati(CalibrationRegion(kspace=scene.kspace, widths=(n_y, n_x)))
    mixed = inati(CalibrationRegion(kspace=np.einsum("cd,dyx->cyx", mixing, scene.kspace), widths=(n_y, n_x)))
    turned = np.einsum("cd,dyx->cyx", mixing, plain)
    np.testing.assert_allclose(mixed[:, scene.is_object], turned[:, scene.is_object], atol=1e-9)


@pytest.mark.parametrize("scale", [1e-12, 1e9])
def test_the_unit_of_the_data_does_not_matter_in_single_precision(scale: float) -> None:
    scene = coil_scene(4, 24, 25, snr=30)
    plain, scaled = (
        inati(CalibrationRegion(kspace=(factor * scene.kspace).astype(np.complex64), widths=(24, 25)))
        for factor in (1.0, scale)
    )
    assert np.abs(scaled - plain)[:, scene.is_object].max() < 1e-4
    assert plain.dtype == np.complex64


def test_nothing_is_made_of_nothing() -> None:
    assert not np.any(inati(CalibrationRegion(kspace=np.zeros((3, 8, 8), dtype=np.complex64), widths=(8, 8))))


@pytest.mark.parametrize(("n_y", "n_x", "half_width"), [(7, 9, 2), (3, 8, 3), (1, 1, 2), (6, 2, 0)])
def test_sums_over_boxes_equal_a_loop(n_y: int, n_x: int, half_width: int, rng: np.random.Generator) -> None:
    values = rng.normal(size=(2, n_y, n_x)) + 1j * rng.normal(size=(2, n_y, n_x))
    expected = np.empty_like(values)
    for y in range(n_y):
        for x in range(n_x):
            rows = slice(max(0, y - half_width), y + half_width + 1)
            columns = slice(max(0, x - half_width), x + half_width + 1)
            expected[:, y, x] = values[:, rows, columns].sum(axis=(1, 2))
    np.testing.assert_allclose(_box_sums(values, half_width), expected, rtol=1e-12)


def test_it_agrees_with_the_eigenvector_that_it_stands_for() -> None:
    scene = coil_scene(8, 48, 64, snr=30)
    region = CalibrationRegion(kspace=scene.kspace, widths=(48, 64))
    cosine = np.abs(np.sum(walsh(region).conj() * inati(region), axis=0))
    assert 1 - cosine[scene.is_object].mean() < 1e-4
