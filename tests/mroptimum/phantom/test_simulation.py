from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from mroptimum.phantom import Phantom, Scan, simulate
from mroptimum.phantom.simulation import receiver_response


def image_of(kspace: NDArray[np.complexfloating]) -> NDArray[np.complexfloating]:
    """Unitary inverse FFT over the last two axes, centre at n // 2."""
    shifted = np.fft.ifftshift(kspace, axes=(-2, -1))
    return np.asarray(np.fft.fftshift(np.fft.ifft2(shifted, norm="ortho"), axes=(-2, -1)))


def image_noise(scan: Scan) -> NDArray[np.complexfloating]:
    """Noise of coil images (repetition, coil, y, x), x as recorded."""
    return image_of(scan.kspace[0, :, 0] - scan.noise_free[0])


def test_the_same_description_gives_the_same_numbers() -> None:
    phantom = Phantom(n_x=12, n_y=12, n_coils=2)
    first, second = simulate(phantom), simulate(phantom)
    np.testing.assert_array_equal(first.kspace, second.kspace)
    np.testing.assert_array_equal(first.noise, second.noise)
    assert not np.array_equal(first.kspace, simulate(replace(phantom, seed=2)).kspace)


@pytest.mark.parametrize(("n_x", "n_y", "oversampling"), [(12, 10, 1), (13, 11, 1), (12, 10, 2), (13, 11, 2)])
def test_noise_free_k_space_is_the_transform_of_the_coil_images(n_x: int, n_y: int, oversampling: int) -> None:
    scan = simulate(Phantom(n_x=n_x, n_y=n_y, n_coils=3, n_slices=2, readout_oversampling=oversampling))
    columns = slice(n_x * oversampling // 2 - n_x // 2, n_x * oversampling // 2 - n_x // 2 + n_x)
    images = image_of(scan.noise_free)
    np.testing.assert_allclose(images[..., columns], scan.coil_maps * scan.image[:, np.newaxis], atol=1e-14)
    images[..., columns] = 0
    np.testing.assert_allclose(images, 0, atol=1e-14)


def test_sigma_is_that_of_one_real_component() -> None:
    scan = simulate(Phantom(n_x=64, n_y=64, n_coils=4, n_repetitions=8, sigma=0.3))
    noise = scan.kspace - scan.noise_free
    # 8 x 4 x 64 x 64 samples: one standard error of a standard deviation is 1 / sqrt(2 n) = 0.2 %.
    assert np.sqrt((noise.real**2).mean()) == pytest.approx(0.3, rel=0.008)
    assert np.sqrt((noise.imag**2).mean()) == pytest.approx(0.3, rel=0.008)
    assert np.diag(scan.covariance).real.mean() == pytest.approx(2 * 0.3**2)


def test_the_covariance_is_that_of_the_noise() -> None:
    scan = simulate(Phantom(n_x=64, n_y=64, n_coils=4, n_repetitions=10, sigma=1.0, coil_correlation=0.8))
    noise = image_noise(scan).transpose(1, 0, 2, 3).reshape(4, -1)
    measured = noise @ noise.conj().T / noise.shape[1]
    np.testing.assert_allclose(measured, scan.covariance, atol=4 * np.abs(scan.covariance).max() / np.sqrt(40960))
    assert np.abs(scan.covariance - np.diag(np.diag(scan.covariance))).max() > 0.2


def test_the_noise_scan_is_scaled_by_its_bandwidth() -> None:
    phantom = Phantom(
        n_x=32, n_y=8, n_coils=2, n_noise_readouts=2000, sigma=1.0, dwell_time_s=10e-6, noise_dwell_time_s=2.5e-6
    )
    scan = simulate(phantom)
    power = (np.abs(scan.noise) ** 2).mean(axis=(0, 2))
    np.testing.assert_allclose(power, 4 * np.diag(scan.covariance).real, rtol=0.02)


@pytest.mark.parametrize("ratio", [0.75, 0.79, 0.9, 1.0])
def test_the_receiver_colours_noise_and_leaves_the_middle_of_the_band_alone(ratio: float) -> None:
    phantom = Phantom(
        n_x=32, n_y=16, n_coils=2, n_repetitions=40, n_noise_readouts=600, sigma=1.0, readout_oversampling=2,
        noise_bandwidth_ratio=ratio,
    )  # fmt: skip
    scan = simulate(phantom)
    power = (np.abs(image_noise(scan)) ** 2).mean(axis=(0, 2)) / np.diag(scan.covariance).real[:, np.newaxis]
    np.testing.assert_allclose(power.mean(axis=0), receiver_response(64, ratio) ** 2, atol=0.15)
    assert power[:, 16:48].mean() == pytest.approx(1.0, rel=0.02)
    measured = (np.abs(scan.noise) ** 2).mean() / np.diag(scan.covariance).real.mean()
    assert measured == pytest.approx(ratio, rel=0.02)
    assert scan.noise_bandwidth_ratio == pytest.approx(ratio, abs=1e-3)


def test_the_receiver_response_is_flat_over_the_inner_half() -> None:
    for ratio in (0.75, 0.79, 0.9):
        response = receiver_response(256, ratio)
        np.testing.assert_array_equal(response[64:193], 1.0)
        assert (np.diff(response[193:]) < 1e-12).all()
        assert np.mean(response**2) == pytest.approx(ratio, abs=1e-3)


def test_without_oversampling_the_receiver_dims_signal_and_noise_alike() -> None:
    scan = simulate(Phantom(n_x=32, n_y=16, n_coils=2, n_repetitions=40, noise_bandwidth_ratio=0.79, sigma=1.0))
    response = receiver_response(32, 0.79)
    expected = scan.coil_maps[0] * scan.image[0] * response
    np.testing.assert_allclose(image_of(scan.noise_free[0]), expected, atol=1e-12)
    power = (np.abs(image_noise(scan)) ** 2).mean(axis=(0, 1, 2)) / np.diag(scan.covariance).real.mean()
    np.testing.assert_allclose(power, response**2, atol=0.15)


def test_slices_averages_and_repetitions_have_noise_of_their_own() -> None:
    scan = simulate(Phantom(n_x=8, n_y=8, n_coils=1, n_slices=2, n_averages=2, n_repetitions=2, sigma=1.0))
    noise = (scan.kspace - scan.noise_free).reshape(8, -1)
    correlation = np.abs(np.corrcoef(noise)) - np.eye(8)
    assert correlation.max() < 0.5
