from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from mroptimum.phantom import Phantom, Scan, closed_form, simulate
from mroptimum.phantom.truth import dense_inverse


def encoding(scan: Scan, column: int) -> NDArray[np.complex128]:
    """The map from one column of the image to its recorded lines, ``(line and coil, y)``, written out."""
    phantom = scan.phantom
    y = np.arange(phantom.n_y) - phantom.n_y // 2
    lines = np.asarray(phantom.imaging_lines) - phantom.n_y // 2
    fourier = np.exp(-2j * np.pi * np.outer(lines, y) / phantom.n_y) / np.sqrt(phantom.n_y)
    maps = scan.coil_maps[0, :, :, column]
    return np.asarray((fourier[:, np.newaxis, :] * maps[np.newaxis]).reshape(-1, phantom.n_y))


@pytest.mark.parametrize(
    ("n_y", "acceleration", "first_line"), [(12, 1, 0), (12, 2, 0), (12, 3, 2), (13, 2, 1), (14, 3, 0)]
)
def test_sense_truth_is_the_covariance_of_the_least_squares_estimate(
    n_y: int, acceleration: int, first_line: int
) -> None:
    """Against the pseudo-inverse of the whole encoding matrix, nothing taken over from the code under test."""
    phantom = Phantom(n_x=6, n_y=n_y, n_coils=5, acceleration=acceleration, first_line=first_line, sigma=0.3)
    scan = simulate(phantom)
    truth = closed_form(scan)
    inverse = np.linalg.inv(scan.covariance)
    for column in range(phantom.n_x):
        matrix = encoding(scan, column)
        weights = np.kron(np.eye(len(phantom.imaging_lines)), inverse)
        covariance = np.linalg.inv(matrix.conj().T @ weights @ matrix)
        estimator = covariance @ matrix.conj().T @ weights
        np.testing.assert_allclose(estimator @ matrix, np.eye(n_y), atol=1e-9)
        noise = np.kron(np.eye(len(phantom.imaging_lines)), scan.covariance)
        variance = np.diag(estimator @ noise @ estimator.conj().T).real
        expected = np.abs(scan.image[0, :, column]) / np.sqrt(variance / 2)
        np.testing.assert_allclose(truth.sense_snr[0, :, column], expected, rtol=1e-9)


def test_snr_of_all_lines_is_the_standard_deviation_of_a_real_component() -> None:
    """2000 noisy images combined optimally: signal over the spread of the real part, nothing but counting."""
    scan = simulate(Phantom(n_x=8, n_y=8, n_coils=3, n_repetitions=2000, sigma=0.2))
    shifted = np.fft.ifftshift(scan.kspace[0, :, 0], axes=(-2, -1))
    images = np.fft.fftshift(np.fft.ifft2(shifted, norm="ortho"), axes=(-2, -1))
    maps = scan.coil_maps[0]
    weights = np.einsum("cd,dyx->cyx", np.linalg.inv(scan.covariance), maps)
    combined = np.einsum("cyx,rcyx->ryx", weights.conj(), images) / np.einsum("cyx,cyx->yx", weights.conj(), maps)
    aligned = combined * np.exp(-1j * np.angle(scan.image[0]))
    measured = np.abs(scan.image[0]) / aligned.real.std(axis=0, ddof=1)
    mask = closed_form(scan).mask[0]
    ratio = measured[mask] / closed_form(scan).snr[0][mask]
    # One standard error of a voxel is 1 / sqrt(2 x 2000) = 1.6 %, of the mean over the mask 0.3 %.
    assert ratio.mean() == pytest.approx(1.0, abs=0.01)
    assert ratio.std() == pytest.approx(1 / np.sqrt(4000), rel=0.5)


@pytest.mark.parametrize(("n_y", "acceleration"), [(12, 2), (12, 3), (12, 4), (15, 5)])
def test_folding_agrees_with_inverting_everything(n_y: int, acceleration: int) -> None:
    scan = simulate(Phantom(n_x=4, n_y=n_y, n_coils=9, n_slices=2, acceleration=acceleration, first_line=1))
    truth = closed_form(scan)
    factor = np.linalg.cholesky(scan.covariance)
    whitened = np.asarray(np.linalg.solve(factor, scan.coil_maps.reshape(2, 9, -1)), np.complex128)
    variance, g = dense_inverse(whitened.reshape(scan.coil_maps.shape), scan.phantom.imaging_lines)
    np.testing.assert_allclose(truth.sense_g, g, rtol=1e-10)
    np.testing.assert_allclose(truth.sense_snr, np.abs(scan.image) * np.sqrt(2 / variance), rtol=1e-10)


def test_without_acceleration_g_is_one_and_sense_is_the_optimal_combination() -> None:
    truth = closed_form(simulate(Phantom(n_x=8, n_y=8, n_coils=4)))
    np.testing.assert_array_equal(truth.sense_g, 1.0)
    np.testing.assert_allclose(truth.sense_snr, truth.snr, rtol=1e-12)


def test_acceleration_costs_the_root_of_the_lines_and_g() -> None:
    truth = closed_form(simulate(Phantom(n_x=8, n_y=12, n_coils=8, acceleration=3)))
    np.testing.assert_allclose(truth.sense_snr, truth.snr / (truth.sense_g * np.sqrt(3)), rtol=1e-10)
    assert (truth.sense_g >= 1).all()


def test_one_coil_cannot_be_unfolded() -> None:
    truth = closed_form(simulate(Phantom(n_x=8, n_y=8, n_coils=1)))
    scan = simulate(Phantom(n_x=8, n_y=8, n_coils=1))
    sensitivity = np.abs(scan.coil_maps[:, 0])
    expected = np.abs(scan.image) * sensitivity / np.sqrt(scan.covariance[0, 0].real / 2)
    np.testing.assert_allclose(truth.snr, expected, rtol=1e-12)


def test_averages_count_and_repetitions_do_not() -> None:
    phantom = Phantom(n_x=8, n_y=8, n_coils=2)
    once = closed_form(simulate(phantom)).snr
    np.testing.assert_allclose(closed_form(simulate(replace(phantom, n_averages=4))).snr, 2 * once)
    np.testing.assert_allclose(closed_form(simulate(replace(phantom, n_repetitions=4))).snr, once)


def test_the_receiver_and_oversampling_do_not_change_the_truth() -> None:
    phantom = Phantom(n_x=16, n_y=8, n_coils=2)
    plain = closed_form(simulate(phantom)).snr
    coloured = replace(phantom, readout_oversampling=2, noise_bandwidth_ratio=0.79, noise_dwell_time_s=3e-6)
    np.testing.assert_allclose(closed_form(simulate(coloured)).snr, plain)


def test_the_truth_of_partial_fourier_is_not_claimed() -> None:
    with pytest.raises(ValueError, match="partial Fourier"):
        closed_form(simulate(Phantom(n_x=8, n_y=16, n_coils=2, n_omitted_lines=4)))


def test_nothing_is_shared_with_what_it_judges() -> None:
    """The phantom imports none of the science that is held to its truth."""
    import mroptimum.phantom as package

    forbidden = ("convention", "noise", "fourier", "reconstruction", "snr", "coils", "rawdata", "run")
    folder = package.__path__[0]
    from pathlib import Path

    for path in Path(folder).glob("*.py"):
        text = path.read_text(encoding="utf-8")
        for name in forbidden:
            assert f"from mroptimum.{name}" not in text, (path.name, name)
            assert f"import mroptimum.{name}" not in text, (path.name, name)
