"""Every method from every kind of noise scan: sampled as the image, oversampled, coloured, faster; averages [2 %].

`mr` measures with the noise of real repetitions and uses the noise scan only to weigh coils; `ac` and `pmr` have to
predict that noise from the scan alone. All three are held to the closed form, which knows neither.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from four_reconstructions import NAMES, UNFOLDING
from mroptimum import rawdata
from mroptimum.flags import Flags
from mroptimum.noise import model_from_scan
from mroptimum.phantom import Phantom, closed_form, simulate, write_mrd, write_twix_ve
from mroptimum.result import MapId
from tasks import map_of, run_flags

SCANS: dict[str, dict[str, Any]] = {
    "as the image": {},
    "oversampled": {"readout_oversampling": 2},
    "oversampled, coloured": {"readout_oversampling": 2, "noise_bandwidth_ratio": 0.79},
    "coloured, not oversampled": {"noise_bandwidth_ratio": 0.79},
    "another bandwidth": {"readout_oversampling": 2, "noise_bandwidth_ratio": 0.79, "noise_dwell_time_s": 4e-6},
    "averages": {"n_averages": 3},
    "odd": {"n_x": 47, "n_y": 45, "n_coils": 5},
}
METHODS = {
    "ac": Flags(reconstruction="b1"),
    "mr": Flags(method="mr", reconstruction="b1"),
    "pmr": Flags(method="pmr", reconstruction="b1", replicas=60),
}


@pytest.mark.parametrize("scan", SCANS)
@pytest.mark.parametrize("write", [write_twix_ve, write_mrd], ids=["twix", "mrd"])
def test_every_method_finds_the_closed_form(scan: str, write: Any, tmp_path: Path) -> None:
    options: dict[str, Any] = {"n_x": 48, "n_y": 48, "n_coils": 4, "n_repetitions": 12, "n_noise_readouts": 400}
    simulated = simulate(Phantom(sigma=0.004, **(options | SCANS[scan])))
    write(tmp_path / "scan", simulated)
    truth = closed_form(simulated)
    for name, flags in METHODS.items():
        found = map_of(run_flags(flags, tmp_path / "scan"), MapId.SNR).data
        ratio = np.asarray(found, dtype=np.float64)[truth.mask] / truth.snr[truth.mask]
        # 400 readouts give sigma to 0.3 %; 12 real repetitions 11 % a voxel, 0.3 % of the mean over 1 700.
        assert ratio.mean() == pytest.approx(1, abs=0.02), name


@pytest.mark.parametrize("ratio", [0.76, 0.79, 0.9, 1.0])
def test_without_a_word_in_the_header_the_bandwidth_is_measured_to_half_a_percent(ratio: float, tmp_path: Path) -> None:
    phantom = Phantom(
        n_x=64, n_y=8, n_coils=4, readout_oversampling=2, noise_bandwidth_ratio=ratio, n_noise_readouts=300
    )
    simulated = simulate(phantom)
    write_twix_ve(tmp_path / "scan.dat", simulated)
    read = rawdata.read(tmp_path / "scan.dat")
    assert read.noise is not None
    model = model_from_scan(replace(read.noise, noise_bandwidth_ratio=None), read)
    assert model.bandwidth is not None
    assert "measured" in model.bandwidth.source
    assert model.bandwidth.ratio == pytest.approx(simulated.noise_bandwidth_ratio, rel=0.005)
    # The covariance that was drawn from, in the flat part of the band that the image keeps.
    power = np.trace(np.linalg.solve(simulated.covariance, model.covariance)).real / 4
    assert power == pytest.approx(1, abs=0.01)


ACCELERATED = Phantom(
    n_x=40,
    n_y=48,
    n_coils=5,
    n_slices=2,
    acceleration=2,
    first_line=1,
    n_calibration_lines=20,
    readout_oversampling=2,
    noise_bandwidth_ratio=0.79,
    noise_dwell_time_s=4e-6,
    n_averages=2,
    sigma=0.003,
)
FULL = Phantom(n_x=41, n_y=39, n_coils=5, n_slices=2, readout_oversampling=2, noise_dwell_time_s=4e-6, sigma=0.003)


@pytest.mark.parametrize(
    "method", [Flags(), Flags(method="pmr", replicas=8), Flags(method="cr", replicas=3, box_size=2)]
)
@pytest.mark.parametrize("reconstruction", NAMES)
def test_the_same_scan_gives_the_same_maps_in_twix_and_mrd(reconstruction: str, method: Flags, tmp_path: Path) -> None:
    """Where TWIX does not say what the receiver's bandwidth is, it is measured; MRD is told just that here."""
    simulated = simulate(ACCELERATED if reconstruction in UNFOLDING else FULL)
    flags = replace(method, reconstruction=reconstruction)
    write_twix_ve(tmp_path / "scan.dat", simulated)
    twix = run_flags(flags, tmp_path / "scan.dat")
    assert twix.noise is not None
    assert twix.noise.bandwidth is not None
    write_mrd(tmp_path / "scan.h5", replace(simulated, noise_bandwidth_ratio=twix.noise.bandwidth.ratio))
    mrd = run_flags(flags, tmp_path / "scan.h5")
    assert mrd.noise is not None
    np.testing.assert_allclose(twix.noise.covariance, mrd.noise.covariance, rtol=1e-5)
    assert [of_map.id for of_map in twix.maps] == [of_map.id for of_map in mrd.maps]
    for of_map in twix.maps:
        largest = float(np.abs(of_map.data).max())
        np.testing.assert_allclose(map_of(mrd, of_map.id).data, of_map.data, rtol=1e-5, atol=1e-5 * largest)
