"""3D scans in every format: every sample back in its place, whatever was undersampled, omitted or oversampled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mroptimum.phantom import Phantom, Scan, simulate, write_mrd, write_npz, write_twix_vb, write_twix_ve
from mroptimum.rawdata import read
from mroptimum.rawdata.acquisition import Mask
from mroptimum.rawdata.sampling import (
    calibration_block,
    is_lattice,
    is_shifted,
    is_without_gaps,
    sampling_warnings,
    split_sampling,
)

WRITERS: dict[str, Callable[[Path, Scan], None]] = {
    "twix-vb": write_twix_vb,
    "twix-ve": write_twix_ve,
    "ismrmrd": write_mrd,
    "npz": write_npz,
}
SMALL = {
    "n_x": 8,
    "n_y": 12,
    "n_coils": 2,
    "is_3d": True,
    "slice_thickness_mm": 3.0,
    "n_noise_readouts": 8,
    "sigma": 0.001,
}
CASES: dict[str, dict[str, int | float]] = {
    "full": {"n_slices": 6},
    "odd": {"n_slices": 7, "n_y": 13},
    "averages and repetitions": {"n_slices": 4, "n_averages": 2, "n_repetitions": 2},
    "oversampled": {"n_slices": 6, "partition_oversampling": 4 / 3, "readout_oversampling": 2},
    "partial Fourier": {"n_slices": 8, "n_omitted_partitions": 2, "n_omitted_lines": 3},
    "lines": {"n_slices": 6, "acceleration": 2, "first_line": 1, "n_calibration_lines": 4},
    "partitions": {"n_slices": 9, "partition_acceleration": 3, "first_partition": 1, "n_calibration_lines": 6},
    "both": {
        "n_slices": 10,
        "acceleration": 2,
        "partition_acceleration": 2,
        "first_line": 1,
        "n_calibration_lines": 6,
        "n_calibration_partitions": 4,
    },
    "both, neither divides": {
        "n_slices": 11,
        "n_y": 13,
        "acceleration": 3,
        "partition_acceleration": 2,
        "first_partition": 1,
        "n_calibration_lines": 5,
        "n_calibration_partitions": 5,
    },
    "both, partial Fourier": {
        "n_slices": 12,
        "n_y": 20,
        "acceleration": 2,
        "partition_acceleration": 3,
        "n_omitted_partitions": 3,
        "n_omitted_lines": 5,
        "n_calibration_lines": 4,
        "n_calibration_partitions": 4,
    },
}


def grid(scan: Scan, partitions: tuple[int, ...], lines: tuple[int, ...]) -> Mask:
    points = np.zeros((scan.phantom.n_recorded_z, scan.phantom.n_y), np.bool_)
    points[np.ix_(partitions, lines)] = True
    return points


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("writer", WRITERS)
def test_every_sample_comes_back_to_its_place(case: str, writer: str, tmp_path: Path) -> None:
    scan = simulate(Phantom(**{**SMALL, **CASES[case]}))  # type: ignore[arg-type]
    phantom = scan.phantom
    WRITERS[writer](tmp_path / "slab.raw", scan)
    found = read(tmp_path / "slab.raw")
    sampled = grid(scan, phantom.imaging_partitions, phantom.imaging_lines)
    np.testing.assert_array_equal(found.sampled, sampled)
    slab = scan.kspace.transpose(0, 1, 3, 2, 4, 5)[:, :, None]
    np.testing.assert_array_equal(found.kspace, slab * sampled[:, :, None])
    assert found.is_3d
    assert found.n_slices == 1
    assert found.acceleration == (phantom.acceleration, phantom.partition_acceleration)
    assert found.partition_oversampling == pytest.approx(phantom.partition_oversampling)
    assert found.readout_oversampling == phantom.readout_oversampling
    [where] = found.geometry
    assert where.centre_mm == pytest.approx(phantom.centre_mm)
    assert where.fov_mm == pytest.approx((*phantom.fov_mm, 3.0 * phantom.n_slices))
    if not phantom.n_calibration_lines:
        assert found.calibration is None
        return
    assert found.calibration is not None
    block = grid(scan, phantom.calibration_partitions, phantom.calibration_lines)
    np.testing.assert_array_equal(found.calibration.sampled, block)
    np.testing.assert_array_equal(found.calibration.kspace, slab[0, 0] * block[:, :, None])


@pytest.mark.parametrize("case", ["partitions", "both", "both, neither divides"])
def test_unmarked_calibration_lines_are_found_in_arrays(case: str, tmp_path: Path) -> None:
    """An array does not say which lines calibrate: the block is what stands out of the lattice, without holes."""
    scan = simulate(Phantom(**{**SMALL, **CASES[case]}))  # type: ignore[arg-type]
    phantom = scan.phantom
    imaging = grid(scan, phantom.imaging_partitions, phantom.imaging_lines)
    block = grid(scan, phantom.calibration_partitions, phantom.calibration_lines)
    slab = scan.kspace.transpose(0, 1, 3, 2, 4, 5)[:, :, None]
    np.savez(tmp_path / "slab.npz", kspace=slab * (imaging | block)[:, :, None])
    found = read(tmp_path / "slab.npz")
    np.testing.assert_array_equal(found.sampled, imaging)
    assert found.calibration is not None
    assert found.calibration.sampled[block].all()
    assert not found.calibration.sampled[~(imaging | block)].any()


@given(
    data=st.data(),
    shape=st.tuples(st.integers(12, 40), st.integers(16, 48)),
    accelerations=st.tuples(st.integers(1, 4), st.integers(1, 4)),
)
def test_a_lattice_is_told_from_its_calibration_block(
    data: st.DataObject, shape: tuple[int, int], accelerations: tuple[int, int]
) -> None:
    first = [data.draw(st.integers(0, acceleration - 1)) for acceleration in accelerations]
    lattice = np.zeros(shape, np.bool_)
    lattice[first[0] :: accelerations[0], first[1] :: accelerations[1]] = True
    widths = [
        data.draw(st.integers(acceleration, n // 2)) for acceleration, n in zip(accelerations, shape, strict=True)
    ]
    block = np.zeros(shape, np.bool_)
    block[tuple(slice(n // 2 - w // 2, n // 2 - w // 2 + w) for n, w in zip(shape, widths, strict=True))] = True
    found = split_sampling(lattice | block, np.zeros(shape, np.bool_))
    np.testing.assert_array_equal(found.lines, lattice)
    assert found.acceleration == (accelerations[1], accelerations[0])
    assert is_lattice(found.lines, found.acceleration)
    calibrating = calibration_block(lattice | block, found.extra)
    assert calibrating[block & ~lattice].all()
    rows, columns = calibrating.any(axis=1), calibrating.any(axis=0)
    np.testing.assert_array_equal(calibrating, np.outer(rows, columns))


def shifted(n_z: int, n_y: int, acceleration: int, shift: int) -> Mask:
    points = np.zeros((n_z, n_y), np.bool_)
    for z in range(n_z):
        points[z, (shift * z) % acceleration :: acceleration] = True
    return points


@pytest.mark.parametrize(("acceleration", "shift"), [(2, 1), (3, 1), (4, 2)])
@pytest.mark.parametrize("with_block", [False, True])
def test_caipirinha_is_called_by_its_name(acceleration: int, shift: int, with_block: bool) -> None:
    points = shifted(16, 32, acceleration, shift)
    if with_block:
        points[5:11, 12:20] = True
    sampling = split_sampling(points, np.zeros_like(points))
    assert not sampling.is_regular
    assert is_shifted(sampling.lines)
    [warning] = sampling_warnings(sampling)
    assert "CAIPIRINHA" in warning


def test_a_plain_lattice_and_a_random_one_are_not_called_shifted(rng: np.random.Generator) -> None:
    assert not is_shifted(shifted(16, 32, 2, 0))
    assert not is_shifted(rng.random((16, 32)) < 0.5)


def ellipse(n_z: int, n_y: int) -> Mask:
    z, y = np.meshgrid(np.linspace(-1, 1, n_z), np.linspace(-1, 1, n_y), indexing="ij")
    return np.asarray(z**2 + y**2 <= 1)


def test_corners_left_out_are_told_from_holes() -> None:
    points = ellipse(15, 24)
    assert is_without_gaps(points)
    [warning] = sampling_warnings(split_sampling(points, np.zeros_like(points)))
    assert "elliptical" in warning
    points[7, 12] = False
    assert not is_without_gaps(points)
    [warning] = sampling_warnings(split_sampling(points, np.zeros_like(points)))
    assert "irregularly" in warning


def test_positions_of_partitions_are_those_of_the_phantom(tmp_path: Path) -> None:
    """A tilted slab: its centre and axes come back from every format alike."""
    turned: NDArray[np.float64] = np.array([[0.8, 0.0, -0.6], [0.36, 0.8, 0.48]])
    scan = simulate(
        Phantom(
            n_x=8,
            n_y=10,
            n_coils=2,
            n_slices=6,
            is_3d=True,
            centre_mm=(12.5, -7.25, 30.0),
            readout_direction=tuple(turned[0].tolist()),
            phase_direction=tuple(turned[1].tolist()),
            partition_oversampling=4 / 3,
        )
    )
    for name, write in WRITERS.items():
        write(tmp_path / name, scan)
        [where] = read(tmp_path / name).geometry
        assert where.centre_mm == pytest.approx((12.5, -7.25, 30.0), abs=1e-4)
        assert where.slice_direction == pytest.approx(scan.phantom.slice_direction, abs=1e-6)
        assert where.readout_direction == pytest.approx(scan.phantom.readout_direction, abs=1e-6)
