"""The one factor sqrt(2), by counting: 500 scans with known noise, written as a scanner writes them and read back.

The noise is drawn here, sigma for each real component, and what is counted is the spread of the real part of the image.
Between the file and the count stands np.fft alone; SNR is then the tool's, from the noise scan in the same file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mroptimum import rawdata
from mroptimum.flags import Flags
from mroptimum.phantom import Phantom, Scan, simulate, write_twix_ve
from mroptimum.result import MapId
from tasks import map_of, run_flags

N_SCANS, N_NOISE_READOUTS = 500, 1500
N_COILS, N = 3, 12
SIGMA = 0.25


@dataclass(frozen=True, kw_only=True)
class Scans:
    """The file, what it was made from, and the coil images in it (scan, coil, y, x)."""

    path: Path
    scan: Scan
    images: NDArray[np.complex128]


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Scans:
    rng = np.random.default_rng(20260101)
    phantom = Phantom(n_x=N, n_y=N, n_coils=N_COILS, n_repetitions=N_SCANS, n_noise_readouts=1, amplitude=300.0)
    scan = simulate(phantom)
    # The writers take the numbers as they are, so these replace all that the phantom drew itself.
    scan = replace(
        scan,
        phantom=replace(phantom, n_noise_readouts=N_NOISE_READOUTS),
        kspace=(scan.noise_free + drawn(rng, (1, N_SCANS, *scan.noise_free.shape))).astype(np.complex64),
        noise=drawn(rng, (N_NOISE_READOUTS, N_COILS, N)),
    )
    path = tmp_path_factory.mktemp("scans") / "scans.dat"
    write_twix_ve(path, scan)
    kspace = rawdata.read(path).kspace[0, :, 0, :, 0]
    axes = (-2, -1)
    images = np.fft.fftshift(np.fft.ifftn(np.fft.ifftshift(kspace, axes=axes), axes=axes, norm="ortho"), axes=axes)
    return Scans(path=path, scan=scan, images=images)


def drawn(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.complex64]:
    noise = rng.normal(scale=SIGMA, size=shape) + 1j * rng.normal(scale=SIGMA, size=shape)
    return noise.astype(np.complex64)


def test_the_counted_sd_of_the_real_part_is_what_was_put_in(scans: Scans) -> None:
    assert scans.images.shape == (N_SCANS, N_COILS, N, N)
    # 500 scans of 432 values: the standard error of the mean sd is 0.15 %.
    assert scans.images.real.std(axis=0, ddof=1).mean() == pytest.approx(SIGMA, rel=0.006)


@pytest.mark.parametrize(
    "flags", [Flags(reconstruction="rss"), Flags(reconstruction="b1"), Flags(reconstruction="b1", method="mr")]
)
def test_snr_is_signal_over_the_counted_sd_of_the_real_part(flags: Flags, scans: Scans) -> None:
    """The coils combined by hand, their real part, in phase with the object, counted over 500 images."""
    maps, image = scans.scan.coil_maps[0], scans.scan.image[0]
    weights = maps.conj() / np.sum(np.abs(maps) ** 2, axis=0)
    combined = np.einsum("cyx,rcyx->ryx", weights, scans.images) * np.exp(-1j * np.angle(image))
    counted = np.abs(image) / combined.real.std(axis=0, ddof=1)
    inside = counted > 100
    assert inside.sum() > 100
    ratio = map_of(run_flags(flags, scans.path), MapId.SNR).data[0][inside] / counted[inside]
    # Each voxel 3.2 % by counting, so the mean of 100 voxels 0.3 %; 18 000 samples of the noise of 3 coils 0.2 %.
    assert ratio.mean() == pytest.approx(1, abs=0.01)
