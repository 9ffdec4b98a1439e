"""The files are Siemens files: two readers that are not ours open them and find what was put in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import twixtools
from mapvbvd import mapVBVD
from numpy.typing import NDArray

from mroptimum.phantom import Phantom, Scan, simulate, vendor_noise_dwell_time_s, write_twix_vb, write_twix_ve
from mroptimum.phantom.schedule import acquisition_order
from mroptimum.phantom.twix_file import quaternion

WRITERS: dict[str, Callable[[Path, Scan], None]] = {"vb": write_twix_vb, "ve": write_twix_ve}


@pytest.fixture(scope="module")
def scan() -> Scan:
    return simulate(
        Phantom(
            n_x=16, n_y=16, n_coils=3, n_slices=5, n_repetitions=2, acceleration=2, n_calibration_lines=6,
            readout_oversampling=2, n_noise_readouts=7, noise_bandwidth_ratio=0.79,
        )
    )  # fmt: skip


def expected_image(scan: Scan) -> NDArray[np.complex64]:
    """What the scanner stores: the conjugate of the imaging lines (repetition, slice in time, coil, y, x)."""
    lines = np.zeros(scan.phantom.n_y, np.bool_)
    lines[list(scan.phantom.imaging_lines)] = True
    in_time = scan.kspace[0][:, list(acquisition_order(scan.phantom))]
    return np.asarray(np.conj(in_time * lines[:, np.newaxis]), np.complex64)


@pytest.mark.parametrize("kind", WRITERS)
def test_twixtools_finds_every_line(tmp_path: Path, scan: Scan, kind: str) -> None:
    WRITERS[kind](tmp_path / "file.dat", scan)
    measurements = twixtools.read_twix(str(tmp_path / "file.dat"), verbose=False, parse_pmu=False, parse_geometry=False)
    assert len(measurements) == (2 if kind == "ve" else 1)
    found = np.zeros((2, 5, 3, 16, 32), np.complex64)
    noise = []
    n_calibration = 0
    for block in [block for measurement in measurements for block in measurement["mdb"]]:
        n_calibration += block.is_flag_set("PATREFSCAN")
        if block.is_flag_set("NOISEADJSCAN"):
            noise.append(block.data)
        elif block.is_image_scan():
            found[block.cRep, block.cSlc, :, block.cLin] = block.data
    np.testing.assert_array_equal(found, expected_image(scan))
    np.testing.assert_array_equal(np.conj(noise), scan.noise)
    assert n_calibration == 6 * 5 * 2
    header = measurements[-1]["hdr"]["MeasYaps"]
    assert header["sKSpace"]["lBaseResolution"] == 16
    assert len(header["sSliceArray"]["asSlice"]) == 5


@pytest.mark.parametrize("kind", WRITERS)
def test_pymapvbvd_finds_every_line(tmp_path: Path, scan: Scan, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    WRITERS[kind](tmp_path / "file.dat", scan)
    measurement = mapVBVD(str(tmp_path / "file.dat"), quiet=True)
    if kind == "ve":
        measurement = measurement[-1]
    measurement.image.flagRemoveOS = False
    image = measurement.image[""].squeeze()  # (column, coil, line, slice, repetition)
    capsys.readouterr()  # it shows progress
    n_lines = image.shape[2]  # the last line is not imaged at R = 2, and left out
    np.testing.assert_array_equal(image.transpose(4, 3, 1, 2, 0), expected_image(scan)[:, :, :, :n_lines])


@pytest.mark.parametrize("kind", WRITERS)
def test_a_scan_without_noise_has_one_measurement(tmp_path: Path, kind: str) -> None:
    WRITERS[kind](tmp_path / "file.dat", simulate(Phantom(n_x=8, n_y=8, n_coils=1, n_noise_readouts=0)))
    measurements = twixtools.read_twix(str(tmp_path / "file.dat"), verbose=False, parse_pmu=False, parse_geometry=False)
    assert [len(measurement["mdb"]) for measurement in measurements] == [8]


@pytest.mark.parametrize(
    ("readout", "phase"),
    [
        ((-1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
        ((1.0, 0.0, 0.0), (0.0, -1.0, 0.0)),
        ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
        ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0)),
        ((0.6, 0.0, 0.8), (0.0, 1.0, 0.0)),
        ((0.36, 0.48, -0.8), (0.8, -0.6, 0.0)),
    ],
)
def test_the_quaternion_is_the_rotation_of_the_axes(
    readout: tuple[float, float, float], phase: tuple[float, float, float]
) -> None:
    phantom = Phantom(readout_direction=readout, phase_direction=phase)
    w, x, y, z = quaternion(phantom)
    assert w * w + x * x + y * y + z * z == pytest.approx(1.0)

    def turned(vector: tuple[float, float, float]) -> NDArray[np.float64]:
        """Hamilton's product q v q*, written with cross products."""
        axis, v = np.array([x, y, z]), np.asarray(vector)
        return np.asarray(v + 2 * w * np.cross(axis, v) + 2 * np.cross(axis, np.cross(axis, v)))

    np.testing.assert_allclose(turned((1.0, 0.0, 0.0)), phase, atol=1e-12)
    np.testing.assert_allclose(turned((0.0, 1.0, 0.0)), readout, atol=1e-12)
    np.testing.assert_allclose(turned((0.0, 0.0, 1.0)), phantom.slice_direction, atol=1e-12)


def test_noise_lines_of_scanners_last_as_long_as_130_hz_per_pixel_takes() -> None:
    assert 512 * vendor_noise_dwell_time_s(512) == pytest.approx(1 / 130)
