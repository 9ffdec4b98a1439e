from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mroptimum.convention import power_gain
from mroptimum.fourier import hann_window, remove_oversampling, to_image, to_kspace

sizes = st.integers(min_value=1, max_value=24)


@given(n_y=sizes, n_x=sizes)
def test_image_is_the_centred_unitary_dft(n_y: int, n_x: int) -> None:
    rng = np.random.default_rng(n_y * 100 + n_x)
    kspace = rng.normal(size=(2, n_y, n_x)) + 1j * rng.normal(size=(2, n_y, n_x))
    dft = [np.exp(2j * np.pi * np.outer(p := np.arange(n) - n // 2, p) / n) / np.sqrt(n) for n in (n_y, n_x)]
    np.testing.assert_allclose(to_image(kspace), dft[0] @ kspace @ dft[1].T, atol=1e-12)
    np.testing.assert_allclose(to_kspace(to_image(kspace)), kspace, atol=1e-12)


def test_single_precision_stays_single_and_the_input_is_left_alone() -> None:
    kspace = np.ones((2, 4, 6), dtype=np.complex64)
    assert to_image(kspace).dtype == np.complex64
    assert np.all(kspace == 1)


@pytest.mark.parametrize(("n", "kept"), [(16, 8), (15, 8), (20, 9), (12, 12)])
def test_removing_oversampling_keeps_noise_power_and_the_central_voxels(n: int, kept: int) -> None:
    gain = power_gain(lambda matrix: remove_oversampling(matrix, kept).astype(np.complex128), n)
    assert gain == pytest.approx(1.0, rel=1e-12)
    image = np.arange(n, dtype=np.complex128)
    found = to_image(remove_oversampling(to_kspace(image, axes=(-1,)), kept), axes=(-1,))
    start = n // 2 - kept // 2
    np.testing.assert_allclose(found, image[start : start + kept], atol=1e-12)


@given(n=st.integers(1, 64), width=st.integers(1, 64))
def test_hann_window_peaks_at_the_centre_and_vanishes_outside(n: int, width: int) -> None:
    window = hann_window(n, width)
    assert window[n // 2] == 1.0
    assert np.all((window >= 0) & (window <= 1))
    outside = np.abs(np.arange(n) - n // 2) >= (width + 1) / 2
    assert np.all(window[outside] == 0)
    assert np.count_nonzero(window) <= width + 1
