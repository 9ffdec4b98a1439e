from __future__ import annotations

import numpy as np
import pytest

from acquisitions import white_noise
from mroptimum.errors import NoiseError
from mroptimum.noise import covariance, model_from_scan
from noise_alone import PSI, noise_only, scan


def test_covariance_of_known_samples() -> None:
    samples = np.array([[[1, 1j], [1, -1]]], dtype=np.complex64)
    np.testing.assert_allclose(covariance(samples), [[1, (1 - 1j) / 2], [(1 + 1j) / 2, 1]], atol=1e-12)


def test_covariance_is_not_mean_subtracted_and_the_offset_is_reported(rng: np.random.Generator) -> None:
    samples = white_noise(rng, (40, 5, 128), PSI) + np.complex64(3.0)
    model = model_from_scan(scan(samples), noise_only(rng))
    offset_power = 9.0 * 5
    assert model.dc_fraction == pytest.approx(offset_power / (offset_power + np.trace(PSI).real), rel=0.05)
    assert np.diagonal(model.sample_covariance).real.sum() == pytest.approx(offset_power + np.trace(PSI).real, rel=0.05)


def test_few_samples_are_warned_of_with_the_size_of_the_bias(rng: np.random.Generator) -> None:
    model = model_from_scan(scan(white_noise(rng, (1, 5, 50), PSI)), noise_only(rng))
    assert any("overestimated by about 5.4 %" in warning for warning in model.warnings)


def test_a_coil_without_noise_is_refused_by_name(rng: np.random.Generator) -> None:
    dead = white_noise(rng, (8, 5, 128), PSI)
    dead[:, 2] = 0
    with pytest.raises(NoiseError, match="coil 3"):
        model_from_scan(scan(dead), noise_only(rng))


def test_fewer_samples_than_a_covariance_needs_are_refused(rng: np.random.Generator) -> None:
    with pytest.raises(NoiseError, match="5 noise samples"):
        model_from_scan(scan(white_noise(rng, (1, 5, 5), PSI)), noise_only(rng))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_refused(value: float, rng: np.random.Generator) -> None:
    samples = white_noise(rng, (8, 5, 128), PSI)
    samples[3, 1, 7] = value
    with pytest.raises(NoiseError, match="not finite"):
        model_from_scan(scan(samples), noise_only(rng))
