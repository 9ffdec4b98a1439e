from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from acquisitions import acquisition, white_noise
from mroptimum.errors import NoiseError
from mroptimum.noise import model_from_scan
from noise_alone import PSI, SHAPE, close, image_noise, noise_only, receiver, scan


@pytest.mark.parametrize("oversampling", [1.0, 2.0])
@pytest.mark.parametrize("n_averages", [1, 3])
def test_a_scan_of_the_same_sampling_predicts_the_noise_of_the_image(
    rng: np.random.Generator, oversampling: float, n_averages: int
) -> None:
    acq = noise_only(rng, (n_averages, *SHAPE[1:]), oversampling=oversampling)
    model = model_from_scan(scan(white_noise(rng, (80, 5, 128), PSI)), acq)
    kept = round(128 / oversampling)
    assert close(image_noise(kept, acq), model.covariance, min(80 * 128, 64 * kept))


@pytest.mark.parametrize("scan_dwell_s", [2.5e-6, 5e-6, 20e-6])
def test_noise_power_goes_with_the_receive_bandwidth(rng: np.random.Generator, scan_dwell_s: float) -> None:
    """White noise of a fixed density: its variance is inversely proportional to the dwell time."""
    acq = noise_only(rng)
    samples = white_noise(rng, (80, 5, 128), PSI * (5e-6 / scan_dwell_s))
    model = model_from_scan(scan(samples, dwell_time_s=scan_dwell_s), acq)
    assert close(image_noise(128, acq), model.covariance, 64 * 128)


def test_coloured_noise_is_right_in_the_flat_half_that_oversampling_keeps(rng: np.random.Generator) -> None:
    band, _ = receiver(128)
    kspace = np.moveaxis(white_noise(rng, (1, 1, 1, 1, 64, 5, 128), PSI, band=band), -2, 3)
    acq = acquisition(np.ascontiguousarray(kspace), oversampling=2.0)
    model = model_from_scan(scan(white_noise(rng, (128, 5, 128), PSI, band=band)), acq)
    assert model.column_power is None
    assert close(image_noise(64, acq), model.covariance, 64 * 64)


def test_coloured_noise_without_oversampling_is_corrected_column_by_column(rng: np.random.Generator) -> None:
    band, _ = receiver(128)
    independent = np.eye(5, dtype=np.complex128)
    samples = white_noise(rng, (1024, 5, 128), independent, band=band)
    model = model_from_scan(scan(samples), noise_only(rng))
    assert model.column_power is not None
    # Each value averages 1024 readouts of 5 coils over at least 4 columns: 5 standard errors are 3.5 %.
    np.testing.assert_allclose(model.column_power[40:88], (band**2)[40:88], rtol=0.035)
    # On the slopes the smoothing over 1/16 of the band adds the filter's own curvature, at its two corners.
    np.testing.assert_allclose(model.column_power, band**2, rtol=0.035, atol=0.06)
    assert any("column by column" in warning for warning in model.warnings)


@pytest.mark.parametrize("coloured", [False, True])
def test_oversampling_that_was_removed_before_is_inferred(rng: np.random.Generator, coloured: bool) -> None:
    """Both scans are recorded alike; then the signal alone goes through NumPy's default FFT pair."""
    band = receiver(128)[0] if coloured else None
    recorded = white_noise(rng, (1, 1, 1, 1, 128, 5, 128), PSI, band=band)
    columns = np.fft.fftshift(np.fft.ifft(np.fft.ifftshift(recorded, axes=-1)), axes=-1)[..., 32:96]
    kept = np.fft.fftshift(np.fft.fft(np.fft.ifftshift(columns, axes=-1)), axes=-1).astype(np.complex64)
    acq = acquisition(np.ascontiguousarray(np.moveaxis(kept, -2, 3)), is_oversampling_known=False)
    model = model_from_scan(scan(white_noise(rng, (128, 5, 128), PSI, band=band)), acq)
    assert model.column_power is None
    assert close(image_noise(64, acq), model.covariance, 128 * 64)
    assert any("Taken to mean" in warning for warning in model.warnings)
    known = model_from_scan(scan(white_noise(rng, (128, 5, 128), PSI)), noise_only(rng))
    assert not known.warnings


def test_an_asymmetric_echo_leaves_less_noise(rng: np.random.Generator) -> None:
    full = noise_only(rng).kspace.copy()
    full[..., :40] = 0
    acq = acquisition(full)
    model = model_from_scan(scan(white_noise(rng, (80, 5, 128), PSI)), acq)
    assert model.chain.steps[-1].value == pytest.approx(88 / 128)
    assert close(image_noise(128, acq), model.covariance, 64 * 88)


def test_partial_fourier_leaves_less_noise(rng: np.random.Generator) -> None:
    full = noise_only(rng)
    sampled = np.ones((1, 64), dtype=np.bool_)
    sampled[:, :16] = False
    acq = acquisition(np.where(sampled[..., None], full.kspace, 0), sampled=sampled)
    model = model_from_scan(scan(white_noise(rng, (80, 5, 128), PSI)), acq)
    assert model.chain.steps[-1].value == pytest.approx(48 / 64)
    assert close(image_noise(128, acq), model.covariance, 48 * 128)


def test_what_the_reader_warned_of_is_not_lost(rng: np.random.Generator) -> None:
    warned = replace(scan(white_noise(rng, (80, 5, 128), PSI)), warnings=("The dwell time was guessed.",))
    assert model_from_scan(warned, noise_only(rng)).warnings == ("The dwell time was guessed.",)


def test_missing_dwell_times_are_warned_of(rng: np.random.Generator) -> None:
    samples = scan(white_noise(rng, (80, 5, 128), PSI), dwell_time_s=None)
    assert any("no dwell times" in warning for warning in model_from_scan(samples, noise_only(rng)).warnings)


def test_a_scan_of_another_number_of_coils_is_refused(rng: np.random.Generator) -> None:
    with pytest.raises(NoiseError, match="4 coils, the signal 5"):
        model_from_scan(scan(white_noise(rng, (8, 4, 128), PSI[:4, :4])), noise_only(rng))
