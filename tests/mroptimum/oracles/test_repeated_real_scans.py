"""Scans that a scanner really repeated: the spread of their difference is the noise that the tool predicts.

The tool sees the even lines of the difference, or no difference at all (`kspace_edge`); what is counted here is the odd
lines, with np.fft alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mroptimum import rawdata
from mroptimum.flags import Flags
from mroptimum.result import MapId, Result
from tasks import map_of, run_flags

pytestmark = pytest.mark.real_data
TWIX = Path(__file__).parents[4] / "shared" / "data" / "twix"
NAMES = ("vb19", "ve11")


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two repetitions: files as the task names them, coil images (repetition, coil, y, x) of the odd lines."""

    first: Path
    second: Path | None
    odd: NDArray[np.complex128]
    whole: NDArray[np.complex128]


@pytest.fixture(scope="module", params=NAMES)
def pair(request: pytest.FixtureRequest) -> Pair:
    """Two files of a phantom at 3 T, 4 coils; one file of another, 2 coils, twofold oversampled."""
    if not TWIX.is_dir():
        pytest.skip("the scanner files (../shared/data beside the repository) are not here")
    if request.param == "vb19":
        paths = [TWIX / f"vb19_phantom_4ch_256_rep{number}.dat" for number in (1, 2)]
        kspace = np.stack([rawdata.read(path).kspace[0, 0, 0, :, 0] for path in paths])
        first, second, kept = paths[0], paths[1], 256
    else:
        first, second, kept = TWIX / "ve11_phantom_2ch_160_2reps.dat", None, 160
        kspace = rawdata.read(first).kspace[0, :, 0, :, 0]
    odd = kspace.astype(np.complex128)
    odd[..., 0::2, :] = 0
    return Pair(first=first, second=second, odd=image_of(odd, kept), whole=image_of(kspace, kept))


def image_of(kspace: NDArray[np.complexfloating], kept: int) -> NDArray[np.complex128]:
    axes = (-2, -1)
    image = np.fft.fftshift(np.fft.ifftn(np.fft.ifftshift(kspace, axes=axes), axes=axes, norm="ortho"), axes=axes)
    start = image.shape[-1] // 2 - kept // 2
    return np.asarray(image[..., start : start + kept], dtype=np.complex128)


def in_predicted_sd(result: Result, pair: Pair) -> NDArray[np.float64]:
    """Return the noise of the combined difference in the object, real part, in multiples of its predicted sd."""
    assert result.noise is not None
    inverse = np.linalg.inv(np.linalg.cholesky(result.noise.covariance))
    whole, odd = (np.einsum("cd,rdyx->rcyx", inverse, images) for images in (pair.whole, pair.odd))
    weights = whole[0] / np.linalg.norm(whole[0], axis=0)
    # Twice the noise of one scan, in half of the lines: the power of one, of which the real part has half.
    noise = np.einsum("cyx,cyx->yx", weights.conj(), odd[0] - odd[1]).real * np.sqrt(2)
    predicted_sd = map_of(result, MapId.NOISE_SD).data[0]
    snr = map_of(result, MapId.SNR).data[0]
    inside = snr > 0.3 * np.percentile(snr, 99)
    return np.asarray((noise / predicted_sd)[inside])


def test_the_difference_spreads_as_predicted_from_its_other_half(pair: Pair) -> None:
    found = in_predicted_sd(run_flags(Flags(noise_estimate="repetitions"), pair.first, second=pair.second), pair)
    # Lines left out make voxels half a field of view apart alike, so half of them count; the prediction's own error,
    # from as many samples, is of the same size.
    error = np.sqrt(2) / np.sqrt(2 * (found.size / 2))
    assert error < 0.02
    assert found.std() == pytest.approx(1, abs=2 * error)
    assert abs(found.mean()) < 0.1


def test_the_edge_of_k_space_is_off_by_what_its_warning_says(pair: Pair) -> None:
    result = run_flags(Flags(noise_estimate="kspace_edge"), pair.first)
    [warning] = [w for w in result.warnings if "corners of k-space" in w]
    assert "Signal that is left there counts as noise" in warning
    spread = in_predicted_sd(result, pair).std()
    if pair.second is not None:
        # Not oversampled, a receiver filter over the image: "up to 12 % too high in the middle".
        assert "up to 12 % too high in the middle" in warning
        assert 1 < spread < 1.12
    else:
        # Oversampled; some signal is left in the corners, and SNR is too low, not too high.
        assert 0.9 < spread < 1
