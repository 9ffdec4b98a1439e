"""The difference of two images: known answers, and the non-central chi distribution drawn number by number."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from mroptimum.errors import ReconstructionError
from mroptimum.snr.difference import local_snr, regional_snr, without_magnitude_bias

Image = NDArray[np.float64]


def everywhere(image: Image) -> NDArray[np.bool_]:
    return np.ones(image.shape, np.bool_)


def measured(first: Image, second: Image, **more: int) -> dict[str, float]:
    found = regional_snr((first + second) / 2, first - second, everywhere(first), **more)
    return vars(found)


def test_a_difference_worked_out_by_hand() -> None:
    """Differences of ten voxels: five of 2, five of -2, so SD^2 = 40/9; the mean of both images is 100."""
    difference = np.array([2.0, -2.0] * 5)
    found = measured(100 + difference / 2, 100 - difference / 2)
    assert found["signal"] == 100
    assert found["noise_sd"] == pytest.approx(np.sqrt(40 / 9) / np.sqrt(2), rel=1e-15)
    assert found["snr"] == pytest.approx(np.sqrt(2) * 100 / np.sqrt(40 / 9), rel=1e-15)
    assert found["standard_error"] == pytest.approx(found["snr"] / np.sqrt(18), rel=1e-15)
    assert found["mean_difference"] == 0


def test_a_drift_of_the_whole_image_is_no_noise() -> None:
    difference = np.array([2.0, -2.0] * 5)
    found, drifted = measured(100 + difference, 100 - difference), measured(105 + difference, 95 - difference)
    assert drifted["snr"] == pytest.approx(found["snr"], rel=1e-14)
    assert drifted["mean_difference"] == pytest.approx(10 / found["noise_sd"], rel=1e-14)


def magnitudes(rng: np.random.Generator, truth: float, n_receivers: int, shape: tuple[int, ...]) -> Image:
    """Draw root sums of squares of 2 n components of sd 1, of which one has a mean."""
    components = rng.normal(size=(2 * n_receivers, *shape))
    components[0] += truth
    return np.asarray(np.sqrt((components**2).sum(axis=0)))


@pytest.mark.parametrize("n_receivers", [1, 4])
@pytest.mark.parametrize("truth", [3.0, 8.0, 40.0])
def test_the_bias_of_magnitudes_is_taken_out(rng: np.random.Generator, truth: float, n_receivers: int) -> None:
    first, second = (magnitudes(rng, truth, n_receivers, (200, 200)) for _ in range(2))
    found = measured(first, second, n_receivers=n_receivers)
    # The correction is steep where the SNR is low: 3 standard errors there are up to 3 % of many receivers.
    assert found["snr_without_bias"] == pytest.approx(truth, rel=0.02)
    assert found["snr"] > found["snr_without_bias"]


@pytest.mark.parametrize("n_receivers", [1, 2, 32])
def test_the_correction_inverts_moments_of_the_distribution_found_elsewhere(n_receivers: int) -> None:
    """Mean by integrating the density of SciPy's non-central chi-square, second moment 2 n + t^2 in closed form."""
    for truth in (0.5, 2.0, 6.0, 25.0):
        chi2 = stats.ncx2(df=2 * n_receivers, nc=truth**2)
        mean = chi2.expect(np.sqrt, epsabs=1e-13, epsrel=1e-13, limit=500)
        apparent = mean / np.sqrt(2 * n_receivers + truth**2 - mean**2)
        corrected = without_magnitude_bias(np.array([apparent]), n_receivers)[0]
        assert corrected == pytest.approx(truth, abs=2e-3 if truth > 1 else 0.02)


def test_pure_noise_has_no_snr_and_high_snr_needs_no_correction() -> None:
    rayleigh = np.sqrt(np.pi / (4 - np.pi))
    values = np.array([0.0, rayleigh * 0.99, 1e3, 1e6])
    np.testing.assert_allclose(without_magnitude_bias(values, 1), [0, 0, 1e3, 1e6], rtol=1e-5)


def test_the_correction_has_no_step_where_its_table_ends() -> None:
    around = np.linspace(199, 201.5, 50)
    steps = np.diff(without_magnitude_bias(around, 8))
    np.testing.assert_allclose(steps, np.diff(around), rtol=1e-3)


def test_a_map_is_the_truth_on_average(rng: np.random.Generator) -> None:
    """SNR 50 everywhere; boxes of 49 voxels give 48 degrees of freedom, and each voxel its own noise in the signal."""
    first, second = (50 + rng.normal(size=(128, 128)) for _ in range(2))
    found = local_snr(first, second, 3)
    middle = found.snr[8:-8, 8:-8]
    assert middle.mean() == pytest.approx(50, rel=0.01)
    assert found.standard_error is not None
    assert middle.std() == pytest.approx(found.standard_error[8:-8, 8:-8].mean(), rel=0.15)
    np.testing.assert_allclose(found.snr, np.sqrt(2) * np.abs(found.image) / found.noise_sd, rtol=1e-12)


def test_what_says_nothing_is_refused() -> None:
    image = np.full(100, 7.0)
    with pytest.raises(ReconstructionError, match="the same") as caught:
        measured(image, image)
    assert caught.value.explain()["code"] == "same_image"
    with pytest.raises(ReconstructionError, match="9 voxels"):
        measured(image[:9], image[:9] + 1)


def test_images_are_left_as_they_are(rng: np.random.Generator) -> None:
    first, second = (50 + rng.normal(size=(16, 16)) for _ in range(2))
    before = first.copy(), second.copy()
    local_snr(first, second, 2)
    measured(first, second)
    np.testing.assert_array_equal((first, second), before)
