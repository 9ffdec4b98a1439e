"""What an SNR is worth whose covariance was estimated from few samples: ``E[SNR^2]`` is N / (N - n) of the truth."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from acquisitions import acquisition, white_noise
from mroptimum.noise import MIN_SAMPLES_PER_COIL, model_from_scan, whitener
from mroptimum.rawdata.acquisition import NoiseScan
from scenes import build_scene


def scan(samples: NDArray[np.complex64]) -> NoiseScan:
    return NoiseScan(samples=samples, dwell_time_s=5e-6, origin="test")


def signal(n_coils: int) -> NDArray[np.complex64]:
    return np.ones((1, 1, 1, n_coils, 1, 4, 8), dtype=np.complex64)


@pytest.mark.parametrize(("n_coils", "n_samples", "n_draws"), [(4, 40, 150), (8, 64, 60), (16, 200, 40)])
def test_snr_is_too_high_by_the_root_of_samples_over_samples_less_coils(
    n_coils: int, n_samples: int, n_draws: int, rng: np.random.Generator
) -> None:
    """The mean of an inverse Wishart matrix: every direction p gains alike, ``p^H Psi^-1 p`` by N / (N - n)."""
    psi = build_scene(n_coils, 4, 4, 3).psi
    lower = np.linalg.cholesky(psi)
    squares = np.zeros((n_draws, n_coils))
    for draw in range(n_draws):
        model = model_from_scan(scan(white_noise(rng, (1, n_coils, n_samples), psi)), acquisition(signal(n_coils)))
        # Coil images of SNR sqrt(2) each, one for each direction in the space of coils: the columns of L.
        found = whitener(model) @ lower
        squares[draw] = np.sum(np.abs(found) ** 2, axis=0)
    measured = np.sqrt(squares.mean())
    error = squares.mean(axis=1).std() / np.sqrt(n_draws) / (2 * squares.mean()) * measured
    expected = np.sqrt(n_samples / (n_samples - n_coils))
    assert 4 * error < (expected - 1) / 2, "the comparison would be too coarse"
    assert measured == pytest.approx(expected, abs=4 * error)


@pytest.mark.parametrize("n_coils", [1, 5, 32])
def test_the_warning_begins_below_fifty_samples_a_coil_and_states_the_bias(
    n_coils: int, rng: np.random.Generator
) -> None:
    psi = np.eye(n_coils, dtype=np.complex128)
    enough = MIN_SAMPLES_PER_COIL * n_coils
    assert MIN_SAMPLES_PER_COIL == 50
    samples = white_noise(rng, (1, n_coils, enough), psi)
    assert not few(model_from_scan(scan(samples), acquisition(signal(n_coils))).warnings)
    one_less = samples[..., :-1]
    [warning] = few(model_from_scan(scan(one_less), acquisition(signal(n_coils))).warnings)
    bias = cast("float", np.sqrt((enough - 1) / (enough - 1 - n_coils)) - 1)
    assert f"by about {100 * bias:.1f} %" in warning
    assert bias > 0.01


def few(warnings: tuple[str, ...]) -> list[str]:
    return [warning for warning in warnings if warning.startswith("Only")]
