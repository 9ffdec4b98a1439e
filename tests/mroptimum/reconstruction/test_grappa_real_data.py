from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.io
from numpy.typing import NDArray

from griswold import to_image
from mroptimum.errors import ReconstructionError
from mroptimum.reconstruction.grappa import grappa
from mroptimum.reconstruction.grappa_kernel import calibrate

REAL_DATA = Path(__file__).parents[4] / "shared" / "data"
pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def phantom() -> NDArray[np.complex128]:
    """Whitened k-space (coil, y, x) of a fully sampled phantom scan with 16 coils."""
    if not REAL_DATA.is_dir():
        pytest.skip("the scanner files (../shared/data beside the repository) are not here")
    content = scipy.io.loadmat(REAL_DATA / "arrays" / "mroptimum_phantom_16ch_signal_noise.mat")
    signal, noise = (content[name].transpose(2, 1, 0).astype(np.complex128) for name in ("S", "N"))
    psi = np.einsum("cyx,dyx->cd", noise, noise.conj()) / noise[0].size
    white: NDArray[np.complex128] = np.einsum("cd,dyx->cyx", np.linalg.inv(np.linalg.cholesky(psi)), signal)
    return white


@pytest.mark.parametrize(
    ("acceleration", "size", "n_acs", "found"),
    [(2, None, 24, (5, 4)), (3, None, 24, (5, 4)), (4, None, 24, (5, 2)), (4, (5, 4), 32, (5, 4))],
)
def test_the_image_differs_from_the_full_scan_by_its_noise(
    phantom: NDArray[np.complex128],
    acceleration: int,
    size: tuple[int, int] | None,
    n_acs: int,
    found: tuple[int, int],
) -> None:
    lines = np.arange(96)
    acs = np.abs(lines - 47.5) < n_acs / 2
    sampled = lines % acceleration == 0
    kernel = calibrate(phantom, acs, acceleration, size=size)
    assert kernel.shape.size == found
    accelerated = grappa(kernel, phantom, sampled)
    full = np.sqrt(np.sum(np.abs(to_image(phantom)) ** 2, axis=0))
    inside = full > 0.1 * full.max()
    sd_of_magnitude = accelerated.noise_sd[inside] / np.sqrt(2)
    off = (accelerated.image(phantom) - full)[inside] / sd_of_magnitude
    # Half to all of the accelerated image's variance: what it has in common with the full scan's noise cancels.
    assert 0.5 < np.sqrt(np.mean(off**2)) < 1
    assert abs(np.mean(off)) < 0.1
    assert 1 < np.median(accelerated.g_factor[inside]) < 3


def test_the_same_kernel_from_fewer_lines_would_be_wrong_and_is_refused(phantom: NDArray[np.complex128]) -> None:
    acs = np.abs(np.arange(96) - 47.5) < 12
    with pytest.raises(ReconstructionError, match=r"24 calibration lines .* never met 73 % of the signal"):
        calibrate(phantom, acs, 4, size=(5, 4))
