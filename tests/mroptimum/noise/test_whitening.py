from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acquisitions import white_noise
from mroptimum.convention import ScaleChain
from mroptimum.errors import NoiseError
from mroptimum.noise import NoiseModel, covariance, model_from_scan, whiten, whitener
from noise_alone import PSI, noise_only, scan
from scenes import build_scene


@settings(max_examples=20)
@given(n_coils=st.integers(1, 33), seed=st.integers(0, 100))
def test_whitening_makes_the_noise_white(n_coils: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    psi = build_scene(n_coils, 2, 2, seed).psi
    samples = white_noise(rng, (1, n_coils, 100 * n_coils), psi).astype(np.complex128)
    found = covariance(samples)
    model = NoiseModel(
        covariance=found, sample_covariance=found, n_samples=1, dc_fraction=0.0, chain=ScaleChain(), origin="test"
    )
    white = whiten(samples[0], whitener(model))
    np.testing.assert_allclose(covariance(white[None]), np.eye(n_coils), atol=1e-10)


def test_a_coil_that_was_recorded_twice_is_refused(rng: np.random.Generator) -> None:
    doubled = white_noise(rng, (8, 5, 128), PSI)
    doubled[:, 1] = doubled[:, 0]
    with pytest.raises(NoiseError, match="singular"):
        whitener(model_from_scan(scan(doubled), noise_only(rng)))
