from __future__ import annotations

import numpy as np
import pytest

from acquisitions import acquisition
from mroptimum.errors import NoiseError
from mroptimum.noise import model_from_estimate
from mroptimum.task import NoiseSource
from noise_alone import close, image_noise, noise_only


@pytest.mark.parametrize("source", list(NoiseSource))
def test_every_estimate_finds_the_noise_of_a_scan_without_signal(rng: np.random.Generator, source: NoiseSource) -> None:
    acq = noise_only(rng, (2, 2, 3, 5, 1, 96, 128), oversampling=2.0)
    model = model_from_estimate(source, acq)
    n_samples = model.n_samples
    assert close(image_noise(64, acq), model.covariance, min(n_samples, 96 * 64))
    assert model.warnings


def test_the_second_repetition_may_be_in_a_file_of_its_own(rng: np.random.Generator) -> None:
    first, second = noise_only(rng), noise_only(rng)
    model = model_from_estimate(NoiseSource.REPETITIONS, first, second)
    assert close(image_noise(128, first), model.covariance, 32 * 128)
    other = noise_only(rng, (1, 1, 1, 5, 1, 32, 128))
    with pytest.raises(NoiseError, match="not recorded alike"):
        model_from_estimate(NoiseSource.REPETITIONS, first, other)


def test_one_repetition_has_no_difference(rng: np.random.Generator) -> None:
    with pytest.raises(NoiseError, match="one repetition"):
        model_from_estimate(NoiseSource.REPETITIONS, noise_only(rng))


def test_an_asymmetric_echo_has_no_edge_of_k_space(rng: np.random.Generator) -> None:
    kspace = noise_only(rng).kspace.copy()
    kspace[..., :40] = 0
    with pytest.raises(NoiseError, match="asymmetric"):
        model_from_estimate(NoiseSource.KSPACE_EDGE, acquisition(kspace))


def test_an_undersampled_image_has_no_empty_corners(rng: np.random.Generator) -> None:
    sampled = np.zeros((1, 64), dtype=np.bool_)
    sampled[:, ::2] = True
    with pytest.raises(NoiseError, match="no corners free of signal"):
        model_from_estimate(NoiseSource.IMAGE_CORNERS, acquisition(noise_only(rng).kspace, sampled=sampled))
