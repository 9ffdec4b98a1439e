"""The one factor sqrt(2), by counting: 500 scans with known noise, written as a scanner writes them and read back.

The noise is drawn here, sigma for each real component, and what is counted is the spread of the real part of the image.
Between the file and the count stands np.fft alone; SNR is then the tool's, from the noise scan in the same file.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mroptimum import rawdata
from mroptimum.flags import Flags
from mroptimum.phantom import Phantom, Scan, simulate, write_twix_ve
from mroptimum.result import MapId
from tasks import map_of, run_flags

N_SCANS = 500
SIGMA = 0.25
N = 16
N_NOISE_READOUTS = 3000


def scans(rng: np.random.Generator, n_coils: int) -> Scan:
    """500 repetitions of one object; noise of every sample, and of the noise scan, with sd SIGMA in each component."""
    phantom = Phantom(
        n_x=N,
        n_y=N,
        n_coils=n_coils,
        n_repetitions=N_SCANS,
        n_noise_readouts=1,
        amplitude=400.0,
    )
    scan = simulate(phantom)
    # The files' own writers take the drawn numbers as they are.
    image_noise = drawn(rng, (1, N_SCANS, *scan.noise_free.shape))
    return replace(
        scan,
        phantom=replace(phantom, n_noise_readouts=N_NOISE_READOUTS),
        kspace=(scan.noise_free + image_noise).astype(np.complex64),
        noise=drawn(rng, (N_NOISE_READOUTS, n_coils, N)),
    )


def drawn(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.complex64]:
    noise = rng.normal(scale=SIGMA, size=shape) + 1j * rng.normal(scale=SIGMA, size=shape)
    return noise.astype(np.complex64)


def image_of(kspace: NDArray[Any]) -> NDArray[Any]:
    axes = (-2, -1)
    image = np.fft.fftshift(np.fft.ifftn(np.fft.ifftshift(kspace, axes=axes), axes=axes, norm="ortho"), axes=axes)
    return np.asarray(image)


def test_snr_is_signal_over_the_counted_sd_of_the_real_part(rng: np.random.Generator, tmp_path: Path) -> None:
    scan = scans(rng, n_coils=1)
    path = tmp_path / "scans.dat"
    write_twix_ve(path, scan)
    images = image_of(rawdata.read(path).kspace[0, :, 0, 0, 0])
    assert images.shape == (N_SCANS, N, N)
    counted = images.real.std(axis=0, ddof=1)
    # 500 scans of 256 voxels: the standard error of the mean sd is 0.2 %.
    assert counted.mean() == pytest.approx(SIGMA, rel=0.01)

    signal = np.abs(scan.image[0] * scan.coil_maps[0, 0])
    inside = signal > 100 * SIGMA
    for flags in (Flags(), Flags(method="mr", reconstruction="b1")):
        found = map_of(run_flags(flags, path), MapId.SNR).data[0]
        # The noise scan, 48 000 samples, 0.2 %; one repetition's noise in each voxel, 1 % at most, averaged 0.1 %.
        ratio = found[inside] * counted.mean() / signal[inside]
        assert inside.sum() > 150
        assert ratio.mean() == pytest.approx(1, abs=0.01), flags


def test_the_best_combination_of_coils_is_counted_alike(rng: np.random.Generator, tmp_path: Path) -> None:
    """Three coils, combined here by hand: the real part of 500 images, against the analytic map of the file."""
    scan = scans(rng, n_coils=3)
    path = tmp_path / "scans.dat"
    write_twix_ve(path, scan)
    images = image_of(rawdata.read(path).kspace[0, :, 0, :, 0])
    maps = scan.coil_maps[0]
    weights = maps.conj() / np.sum(np.abs(maps) ** 2, axis=0)
    aligned = np.einsum("cyx,rcyx->ryx", weights, images) * np.exp(-1j * np.angle(scan.image[0]))
    counted = np.abs(scan.image[0]) / aligned.real.std(axis=0, ddof=1)
    inside = counted > 100
    found = map_of(run_flags(Flags(reconstruction="b1"), path), MapId.SNR).data[0]
    ratio = found[inside] / counted[inside]
    assert inside.sum() > 150
    # Each voxel 3 % by counting and up to 1 % by its own noise: 0.4 % of the mean; the noise scan 0.3 %.
    assert ratio.mean() == pytest.approx(1, abs=0.01)
