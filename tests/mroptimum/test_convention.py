from __future__ import annotations

import numpy as np
import pytest

from mroptimum.convention import ScaleChain, ScaleStep, power_gain, snr


def test_snr_is_signal_over_the_sd_of_the_real_component(rng: np.random.Generator) -> None:
    n = 200_000
    sigma = 0.37
    noise = sigma * (rng.standard_normal(n) + 1j * rng.standard_normal(n))
    complex_sd = np.sqrt(np.mean(np.abs(noise) ** 2))
    measured = float(snr(np.array([5.0]), float(complex_sd))[0])
    assert measured == pytest.approx(5.0 / sigma, rel=4 / np.sqrt(4 * n))


def test_snr_is_zero_where_there_is_no_noise() -> None:
    assert snr(np.array([1.0, 2.0]), np.array([0.0, 1.0])).tolist() == [0.0, 2.0 * np.sqrt(2.0)]


@pytest.mark.parametrize(("n_in", "kept"), [(8, 4), (9, 5), (256, 128)])
def test_gain_of_the_numpy_default_pair_is_one_half(n_in: int, kept: int) -> None:
    def default_pair(
        matrix: np.ndarray[tuple[int, ...], np.dtype[np.complex128]],
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.complex128]]:
        return np.fft.fft(np.fft.ifft(matrix)[..., :kept])

    assert power_gain(default_pair, n_in) == pytest.approx(kept / n_in, rel=1e-12)


def test_gain_of_a_mean_is_one_over_n() -> None:
    assert power_gain(lambda matrix: matrix.mean(axis=-1, keepdims=True), 6) == pytest.approx(1 / 6, rel=1e-12)


def test_a_chain_multiplies_its_steps() -> None:
    steps = tuple(ScaleStep(name=str(value), value=value, source="test") for value in (0.5, 4.0, 0.25))
    assert ScaleChain(steps).power == pytest.approx(0.5)
    assert ScaleChain().power == 1.0
