"""A small object off the centre of an oblique slice is found where it was put, in patient coordinates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mroptimum.phantom import Phantom, Region, Scan, simulate, write_mrd, write_npz, write_twix_vb, write_twix_ve
from mroptimum.rawdata import Acquisition, read
from mroptimum.rawdata.slice_axes import axes_from_quaternion

WRITERS: dict[str, Callable[[Path, Scan], None]] = {
    "twix-vb": write_twix_vb,
    "twix-ve": write_twix_ve,
    "ismrmrd": write_mrd,
    "npz": write_npz,
}


def rotation(axis: tuple[float, float, float], angle_deg: float) -> NDArray[np.float64]:
    """Rodrigues' formula."""
    x, y, z = np.asarray(axis) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.deg2rad(angle_deg)
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)


def found_at(acquisition: Acquisition, slice_index: int) -> NDArray[np.float64]:
    """The centre of mass of one slice's image, in patient coordinates (mm), by the documented convention."""
    kspace = acquisition.kspace[0, 0, slice_index, :, 0]
    shifted = np.fft.ifftshift(kspace, axes=(-2, -1))
    images = np.fft.fftshift(np.fft.ifft2(shifted, norm="ortho"), axes=(-2, -1))
    power = (np.abs(images) ** 2).sum(axis=0)
    n_y, n_x = power.shape
    geometry = acquisition.geometry[slice_index]
    step_x = geometry.fov_mm[0] * acquisition.readout_oversampling / n_x
    step_y = geometry.fov_mm[1] / n_y
    x = ((np.arange(n_x) - n_x // 2) * power.sum(axis=0)).sum() / power.sum() * step_x
    y = ((np.arange(n_y) - n_y // 2) * power.sum(axis=1)).sum() / power.sum() * step_y
    return np.asarray(
        np.asarray(geometry.centre_mm)
        + x * np.asarray(geometry.readout_direction)
        + y * np.asarray(geometry.phase_direction)
    )


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize(("n_x", "n_y", "oversampling"), [(32, 32, 2), (33, 27, 1), (30, 33, 2)])
def test_an_object_is_found_where_it_was_put(tmp_path: Path, name: str, n_x: int, n_y: int, oversampling: int) -> None:
    turn = rotation((1.0, -2.0, 0.5), 37.0)
    readout, phase = turn @ [1.0, 0.0, 0.0], turn @ [0.0, 1.0, 0.0]
    centre = (12.0, -31.0, 44.0)
    phantom = Phantom(
        n_x=n_x,
        n_y=n_y,
        n_coils=2,
        n_slices=3,
        n_noise_readouts=0,
        sigma=1e-6,
        readout_oversampling=oversampling,
        fov_mm=(180.0, 240.0),
        regions=(Region(amplitude=1.0, semi_axes=(0.2, 0.12), centre=(0.5, -0.4)),),
        readout_direction=(float(readout[0]), float(readout[1]), float(readout[2])),
        phase_direction=(float(phase[0]), float(phase[1]), float(phase[2])),
        centre_mm=centre,
    )
    WRITERS[name](tmp_path / "file", simulate(phantom))
    acquisition = read(tmp_path / "file")
    normal = np.cross(phase, readout)
    # Half the field of view is n / 2 voxels, and a region is centred in fractions of it.
    in_plane = 0.5 * 90.0 * readout - 0.4 * 120.0 * phase
    for index in range(3):
        expected = np.asarray(centre) + 8.0 * (index - 1) * normal + in_plane
        # The coils weight the object's voxels (7.5 mm and more); the mean over it stays within one.
        np.testing.assert_allclose(found_at(acquisition, index), expected, atol=5.0)
        geometry = acquisition.geometry[index]
        np.testing.assert_allclose(geometry.slice_direction, normal, atol=1e-6)
        assert geometry.fov_mm == (180.0, 240.0, 5.0)


@pytest.mark.parametrize(
    ("quaternion", "readout", "phase", "normal"),
    [
        pytest.param((0.70710677, 0, 0, 0.70710677), (-1, 0, 0), (0, 1, 0), (0, 0, 1), id="transverse, A to P"),
        pytest.param((0.70710677, -0.70710677, 0, 0), (0, 0, -1), (1, 0, 0), (0, 1, 0), id="coronal, R to L"),
        pytest.param((0.5, 0.5, 0.5, 0.5), (0, 0, 1), (0, 1, 0), (1, 0, 0), id="sagittal, A to P"),
    ],
)
def test_quaternions_of_plain_orientations(
    quaternion: tuple[float, ...], readout: tuple[int, ...], phase: tuple[int, ...], normal: tuple[int, ...]
) -> None:
    """As stored with measured slices: the normal agrees with the protocol's, which is stored besides."""
    axes = axes_from_quaternion(quaternion)
    assert axes is not None
    np.testing.assert_allclose(axes, (readout, phase, normal), atol=1e-6)


@pytest.mark.parametrize("quaternion", [(0.0, 0, 0, 0), (1.0, 1, 0, 0), (float("nan"), 0, 0, 1)])
def test_what_is_no_rotation_gives_no_axes(quaternion: tuple[float, ...]) -> None:
    assert axes_from_quaternion(quaternion) is None


def test_all_formats_agree(files: dict[str, Path]) -> None:
    acquisitions = {name: read(path) for name, path in files.items()}
    reference = acquisitions.pop("npz")
    for name, acquisition in acquisitions.items():
        np.testing.assert_array_equal(acquisition.kspace, reference.kspace, err_msg=name)
        assert acquisition.calibration is not None
        assert reference.calibration is not None
        np.testing.assert_array_equal(acquisition.calibration.kspace, reference.calibration.kspace, err_msg=name)
        assert acquisition.acceleration == reference.acceleration
        assert acquisition.readout_oversampling == reference.readout_oversampling
        assert acquisition.coil_names == reference.coil_names
        assert acquisition.dwell_time_s == pytest.approx(reference.dwell_time_s)
        assert acquisition.noise is not None
        assert reference.noise is not None
        np.testing.assert_array_equal(acquisition.noise.samples, reference.noise.samples, err_msg=name)
        assert acquisition.noise.dwell_time_s == pytest.approx(reference.noise.dwell_time_s, rel=1e-6)
        assert acquisition.noise.noise_bandwidth_ratio == pytest.approx(reference.noise.noise_bandwidth_ratio, rel=2e-3)
        for one, other in zip(acquisition.geometry, reference.geometry, strict=True):
            np.testing.assert_allclose(one.centre_mm, other.centre_mm, atol=1e-4)
            np.testing.assert_allclose(one.readout_direction, other.readout_direction, atol=1e-6)
            np.testing.assert_allclose(one.phase_direction, other.phase_direction, atol=1e-6)
            np.testing.assert_allclose(one.slice_direction, other.slice_direction, atol=1e-6)
            assert one.fov_mm == pytest.approx(other.fov_mm)


@pytest.mark.parametrize("name", ["twix-vb", "twix-ve", "ismrmrd"])
def test_slices_ascend_along_their_normal_however_they_were_planned(tmp_path: Path, name: str) -> None:
    scan = simulate(Phantom(n_x=16, n_y=16, n_coils=1, n_slices=3, slice_spacing_mm=-8.0, n_noise_readouts=0))
    WRITERS[name](tmp_path / "file", scan)
    acquisition = read(tmp_path / "file")
    assert [one.centre_mm[2] for one in acquisition.geometry] == pytest.approx([-8.0, 0.0, 8.0])
    np.testing.assert_array_equal(acquisition.kspace[0, 0, :, :, 0], scan.kspace[0, 0, ::-1])
