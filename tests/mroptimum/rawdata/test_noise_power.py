"""Noise of an image against that of a noise scan: measured where it is alone, bounded where signal is left."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mroptimum.errors import UnsupportedData
from mroptimum.phantom import Phantom, simulate, vendor_noise_dwell_time_s, write_twix_vb
from mroptimum.rawdata import read, read_noise
from mroptimum.rawdata.acquisition import Complex64
from mroptimum.rawdata.noise_power import image_noise_power
from mroptimum.rawdata.twix_noise import embedded_dwell_time

HABITS = ("130 Hz per pixel", "that of the image")


def white(rng: np.random.Generator, *shape: int) -> Complex64:
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(np.complex64)


@pytest.mark.parametrize("oversampling", [1.0, 2.0])
@pytest.mark.parametrize("n_coils", [4, 8, 32])
def test_the_power_of_noise_alone_is_measured(n_coils: int, oversampling: float) -> None:
    rng = np.random.default_rng(n_coils)
    mixing = white(rng, n_coils, n_coils)
    image, noise = 3 * mixing @ white(rng, 200, n_coils, 128), mixing @ white(rng, 100, n_coils, 128)
    seen = image_noise_power(list(image), noise, oversampling=oversampling)
    assert seen is not None
    assert seen.is_noise_alone
    # 5 standard errors of at least 20 lines x 25 samples x n_coils powers.
    assert seen.ratio == pytest.approx(9, rel=5 / np.sqrt(500 * n_coils))


def test_directions_of_coil_space_without_signal_measure_the_noise() -> None:
    rng = np.random.default_rng(1)
    image = white(rng, 200, 8, 128)
    columns = np.fft.fft(image, axis=2)
    columns[:, 0] += 100 * white(rng, 200, 128)
    image = np.fft.ifft(columns, axis=2).astype(np.complex64)
    seen = image_noise_power(list(image), white(rng, 100, 8, 128), oversampling=2)
    assert seen is not None
    assert seen.is_noise_alone
    assert seen.ratio == pytest.approx(1, rel=0.05)


def test_signal_in_most_directions_of_coil_space_leaves_a_bound() -> None:
    rng = np.random.default_rng(1)
    signal = 20 * np.einsum("ck,lks->lcs", white(rng, 8, 6), white(rng, 200, 6, 128))
    seen = image_noise_power(list(signal + white(rng, 200, 8, 128)), white(rng, 100, 8, 128), oversampling=1)
    assert seen is not None
    assert not seen.is_noise_alone
    # The bound holds from above: chance of 8 coils in 640 samples is at most (1 - sqrt(8 / 640))^-2 = 1.27.
    assert 0.95 < seen.ratio < 1.3


def test_few_coils_never_judge_by_the_ends_of_their_lines() -> None:
    rng = np.random.default_rng(2)
    seen = image_noise_power(list(white(rng, 200, 2, 128)), white(rng, 100, 2, 128), oversampling=1)
    assert seen is not None
    assert not seen.is_noise_alone


def test_nothing_to_compare() -> None:
    noise = white(np.random.default_rng(3), 4, 2, 64)
    damaged, silent = np.full((2, 64), np.nan, np.complex64), np.zeros((2, 64), np.complex64)
    assert image_noise_power([damaged], noise, oversampling=1) is None
    assert image_noise_power([silent], noise, oversampling=1) is None
    with pytest.raises(UnsupportedData, match="cannot be inferred"):
        embedded_dwell_time(noise, [damaged], 5e-6, oversampling=1)


def phantom(habit: str, *, n: int, n_coils: int, sigma: float, oversampling: int) -> Phantom:
    one = Phantom(n_x=n, n_y=n, n_coils=n_coils, sigma=sigma, readout_oversampling=oversampling)
    vendor_s = vendor_noise_dwell_time_s(one.n_recorded_x)
    return replace(one, noise_dwell_time_s=vendor_s if habit == HABITS[0] else one.dwell_time_s)


@pytest.mark.parametrize("habit", HABITS)
@pytest.mark.parametrize("sigma", [0.001, 0.005, 0.02, 0.2])
@pytest.mark.parametrize("n_coils", [1, 2, 8])
@pytest.mark.parametrize("n", [32, 64])
def test_without_oversampling_the_dwell_time_is_right_or_refused(
    tmp_path: Path, n: int, n_coils: int, sigma: float, habit: str
) -> None:
    """Signal at the ends of the lines once passed for the noise of a bandwidth that was not used."""
    truth = phantom(habit, n=n, n_coils=n_coils, sigma=sigma, oversampling=1)
    write_twix_vb(tmp_path / "vb.dat", simulate(truth))
    acquisition = read(tmp_path / "vb.dat")
    if acquisition.noise is None:
        assert any("Give the noise scan as a file of its own" in warning for warning in acquisition.warnings)
        with pytest.raises(UnsupportedData, match="cannot be inferred"):
            read_noise(tmp_path / "vb.dat")
    else:
        assert acquisition.noise.dwell_time_s == pytest.approx(truth.noise_dwell_time_s)


@pytest.mark.parametrize("n_coils", [4, 8, 16])
def test_a_habit_that_predicts_more_noise_than_was_seen_is_ruled_out(tmp_path: Path, n_coils: int) -> None:
    truth = phantom(HABITS[1], n=64, n_coils=n_coils, sigma=0.005, oversampling=1)
    write_twix_vb(tmp_path / "vb.dat", simulate(truth))
    noise = read(tmp_path / "vb.dat").noise
    assert noise is not None
    assert noise.dwell_time_s == pytest.approx(truth.noise_dwell_time_s)


@pytest.mark.parametrize("habit", HABITS)
@pytest.mark.parametrize("n_coils", [1, 8])
def test_with_oversampling_a_strong_signal_is_not_in_the_way(tmp_path: Path, n_coils: int, habit: str) -> None:
    truth = phantom(habit, n=64, n_coils=n_coils, sigma=0.002, oversampling=2)
    write_twix_vb(tmp_path / "vb.dat", simulate(truth))
    acquisition = read(tmp_path / "vb.dat")
    assert acquisition.noise is not None
    assert acquisition.noise.dwell_time_s == pytest.approx(truth.noise_dwell_time_s)
    assert acquisition.warnings == ()
