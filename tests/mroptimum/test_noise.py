from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from acquisitions import acquisition, white_noise
from mroptimum.convention import ScaleChain
from mroptimum.errors import NoiseError
from mroptimum.noise import (
    NoiseModel,
    bandwidth_ratio,
    covariance,
    model_from_estimate,
    model_from_scan,
    whiten,
    whitener,
)
from mroptimum.rawdata.acquisition import Acquisition, NoiseScan
from mroptimum.task import NoiseSource
from scenes import build_scene

PSI = build_scene(5, 4, 4).psi
SHAPE = (1, 1, 1, 5, 1, 64, 128)


def scan(samples: NDArray[np.complex64], **more: float | None) -> NoiseScan:
    return NoiseScan(samples=samples, dwell_time_s=more.get("dwell_time_s", 5e-6), origin="test")


def noise_only(rng: np.random.Generator, shape: tuple[int, ...] = SHAPE, **more: object) -> Acquisition:
    """An acquisition whose image is nothing but noise of covariance PSI in every voxel."""
    samples = white_noise(rng, (*shape[:3], *shape[4:6], shape[3], shape[6]), PSI)
    return acquisition(np.ascontiguousarray(np.moveaxis(samples, -2, 3)), **more)  # type: ignore[arg-type]


def image_noise(kept: int, acq: Acquisition) -> NDArray[np.complex128]:
    """Covariance of the coil images of the mean of all averages, by np.fft alone, (coil, coil)."""
    lines = acq.kspace.mean(axis=0, dtype=np.complex128)[0, 0, :, 0]
    image = np.fft.fftshift(np.fft.ifft2(lines, norm="ortho"), axes=-1)
    start = image.shape[-1] // 2 - kept // 2
    flat = image[..., start : start + kept].reshape(len(image), -1)
    psi: NDArray[np.complex128] = flat @ flat.conj().T / flat.shape[1]
    return psi


def close(found: NDArray[np.complex128], true: NDArray[np.complex128], n_samples: int) -> bool:
    """Whether two covariances agree in total power within 5 standard errors of n_samples x coils values."""
    ratio = float(np.trace(np.linalg.solve(true, found)).real) / len(true)
    return bool(abs(ratio - 1) < 5 / np.sqrt(n_samples * len(true)))


def test_covariance_of_known_samples() -> None:
    samples = np.array([[[1, 1j], [1, -1]]], dtype=np.complex64)
    np.testing.assert_allclose(covariance(samples), [[1, (1 - 1j) / 2], [(1 + 1j) / 2, 1]], atol=1e-12)


def test_covariance_is_not_mean_subtracted_and_the_offset_is_reported(rng: np.random.Generator) -> None:
    samples = white_noise(rng, (40, 5, 128), PSI) + np.complex64(3.0)
    model = model_from_scan(scan(samples), noise_only(rng))
    offset_power = 9.0 * 5
    assert model.dc_fraction == pytest.approx(offset_power / (offset_power + np.trace(PSI).real), rel=0.05)
    assert np.diagonal(model.sample_covariance).real.sum() == pytest.approx(offset_power + np.trace(PSI).real, rel=0.05)


@settings(deadline=None, max_examples=20)
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


def receiver(n: int) -> tuple[NDArray[np.float64], float]:
    """A filter flat in the centre half, rolling off to the sides, of mean square 1; and its bandwidth ratio."""
    band = np.clip(1.9 - 1.8 * np.abs(np.linspace(-1, 1, n, endpoint=False)), 0, 1)
    ratio = float(np.mean(band**2))
    return band / np.sqrt(ratio), ratio


def test_noise_bandwidth_ratio_is_measured_to_half_a_percent(rng: np.random.Generator) -> None:
    band, ratio = receiver(256)
    found = bandwidth_ratio(white_noise(rng, (256, 5, 256), PSI, band=band))
    assert found.ratio == pytest.approx(ratio, rel=0.005)
    assert found.standard_error < 0.005


def test_white_noise_has_a_ratio_of_one_within_its_error(rng: np.random.Generator) -> None:
    ratios = [bandwidth_ratio(white_noise(rng, (8, 3, 64), np.eye(3, dtype=np.complex128))) for _ in range(100)]
    deviation = np.array([(r.ratio - 1) / r.standard_error for r in ratios])
    # 100 standard normals: mean within 0.5, sd within 0.71-1.29 (chi-square with 99 degrees of freedom, 1e-4).
    assert abs(deviation.mean()) < 0.5
    assert 0.71 < deviation.std() < 1.29


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
    with pytest.raises(NoiseError, match="asymmetric"):
        model_from_estimate(NoiseSource.KSPACE_EDGE, acq)


def test_partial_fourier_leaves_less_noise(rng: np.random.Generator) -> None:
    full = noise_only(rng)
    sampled = np.ones((1, 64), dtype=np.bool_)
    sampled[:, :16] = False
    acq = acquisition(np.where(sampled[..., None], full.kspace, 0), sampled=sampled)
    model = model_from_scan(scan(white_noise(rng, (80, 5, 128), PSI)), acq)
    assert model.chain.steps[-1].value == pytest.approx(48 / 64)
    assert close(image_noise(128, acq), model.covariance, 48 * 128)


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


def test_what_cannot_be_known_is_refused_with_a_reason(rng: np.random.Generator) -> None:
    acq = noise_only(rng)
    with pytest.raises(NoiseError, match="4 coils, the signal 5"):
        model_from_scan(scan(white_noise(rng, (8, 4, 128), PSI[:4, :4])), acq)
    dead = white_noise(rng, (8, 5, 128), PSI)
    dead[:, 2] = 0
    with pytest.raises(NoiseError, match="coil 3"):
        model_from_scan(scan(dead), acq)
    with pytest.raises(NoiseError, match="5 noise samples"):
        model_from_scan(scan(white_noise(rng, (1, 5, 5), PSI)), acq)
    with pytest.raises(NoiseError, match="one repetition"):
        model_from_estimate(NoiseSource.REPETITIONS, acq)
    doubled = white_noise(rng, (8, 5, 128), PSI)
    doubled[:, 1] = doubled[:, 0]
    with pytest.raises(NoiseError, match="singular"):
        whitener(model_from_scan(scan(doubled), acq))


def test_few_samples_are_warned_of_with_the_size_of_the_bias(rng: np.random.Generator) -> None:
    model = model_from_scan(scan(white_noise(rng, (1, 5, 50), PSI)), noise_only(rng))
    assert any("overestimated by about 5.4 %" in warning for warning in model.warnings)


def test_what_the_reader_warned_of_is_not_lost(rng: np.random.Generator) -> None:
    warned = replace(scan(white_noise(rng, (80, 5, 128), PSI)), warnings=("The dwell time was guessed.",))
    assert model_from_scan(warned, noise_only(rng)).warnings == ("The dwell time was guessed.",)


def test_missing_dwell_times_are_warned_of(rng: np.random.Generator) -> None:
    samples = scan(white_noise(rng, (80, 5, 128), PSI), dwell_time_s=None)
    assert any("no dwell times" in warning for warning in model_from_scan(samples, noise_only(rng)).warnings)
