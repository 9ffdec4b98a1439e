"""The phantom in 3D: partitions of one slab, held to definitions written out here."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from mroptimum.phantom import Phantom, Scan, closed_form, simulate, write_mrd, write_npz, write_twix_vb, write_twix_ve
from mroptimum.phantom.schedule import Purpose, centre_y, centre_z, image_lines

Complex = NDArray[np.complexfloating]


def dft(n: int) -> Complex:
    position = np.arange(n) - n // 2
    return np.asarray(np.exp(-2j * np.pi * np.outer(position, position) / n) / np.sqrt(n))


@pytest.mark.parametrize(("n_z", "oversampling", "n_recorded"), [(6, 1.0, 6), (5, 1.0, 5), (6, 4 / 3, 8), (5, 1.4, 7)])
def test_k_space_is_the_transform_of_the_slab_with_nothing_around_it(
    n_z: int, oversampling: float, n_recorded: int
) -> None:
    phantom = Phantom(n_x=6, n_y=7, n_coils=2, n_slices=n_z, is_3d=True, partition_oversampling=oversampling)
    scan = simulate(phantom)
    assert scan.noise_free.shape == (n_recorded, 2, 7, 6)
    slab = np.zeros((n_recorded, 2, 7, 6), np.complex128)
    start = n_recorded // 2 - n_z // 2
    slab[start : start + n_z] = scan.coil_maps * scan.image[:, None]
    expected = np.einsum("kz,ly,mx,zcyx->kclm", dft(n_recorded), dft(7), dft(6), slab)
    np.testing.assert_allclose(scan.noise_free, expected, atol=1e-13)


def test_the_partition_at_n_over_2_lies_at_the_centre() -> None:
    for n_slices in (4, 5):
        phantom = Phantom(
            n_slices=n_slices,
            is_3d=True,
            slice_thickness_mm=3.0,
            centre_mm=(1.0, 2.0, 3.0),
            readout_direction=(0.0, 1.0, 0.0),
            phase_direction=(0.0, 0.0, 1.0),
        )
        # phase x readout = z x y = -x
        assert phantom.slice_centres_mm[n_slices // 2] == (1.0, 2.0, 3.0)
        assert phantom.slice_centres_mm[0] == (1.0 + 3.0 * (n_slices // 2), 2.0, 3.0)


@pytest.mark.parametrize(
    ("n_z", "n_y", "accelerations", "first"),
    [
        (6, 8, (2, 2), (0, 0)),
        (6, 8, (3, 2), (1, 1)),
        (7, 8, (2, 2), (0, 1)),
        (6, 9, (2, 2), (1, 1)),
        (5, 7, (2, 3), (1, 0)),
        (9, 4, (4, 1), (0, 0)),
    ],
)
def test_the_truth_of_an_accelerated_slab_is_the_covariance_of_least_squares(
    n_z: int, n_y: int, accelerations: tuple[int, int], first: tuple[int, int]
) -> None:
    """Against the inverse of the whole encoding of one column, nothing taken over from the code under test."""
    phantom = Phantom(
        n_x=3,
        n_y=n_y,
        n_slices=n_z,
        n_coils=20,
        is_3d=True,
        slice_thickness_mm=30.0,
        partition_acceleration=accelerations[0],
        acceleration=accelerations[1],
        first_partition=first[0],
        first_line=first[1],
    )
    scan = simulate(phantom)
    truth = closed_form(scan)
    inverse = np.linalg.inv(scan.covariance / 2)
    z, y = list(phantom.imaging_partitions), list(phantom.imaging_lines)
    for column in range(3):
        rows = np.einsum("kz,ly,zcy->cklzy", dft(n_z)[z], dft(n_y)[y], scan.coil_maps[..., column])
        encoding = rows.reshape(20, len(z) * len(y), n_z * n_y)
        normal = np.einsum("cpv,cd,dpw->vw", encoding.conj(), inverse, encoding, optimize=True)
        variance = np.diag(np.linalg.inv(normal)).real.reshape(n_z, n_y)
        expected = np.abs(scan.image[..., column]) / np.sqrt(variance)
        assert np.linalg.cond(normal) < 1e9
        np.testing.assert_allclose(truth.sense_snr[..., column], expected, rtol=1e-6)
        lost = np.diag(normal).real.reshape(n_z, n_y)
        np.testing.assert_allclose(truth.sense_g[..., column], np.sqrt(variance * lost), rtol=1e-6)


def test_what_has_no_closed_form_is_not_claimed() -> None:
    slab = {"n_x": 4, "n_y": 4, "n_coils": 8, "n_slices": 6, "is_3d": True}
    for options in ({"n_omitted_partitions": 1}, {"partition_oversampling": 4 / 3, "partition_acceleration": 2}):
        with pytest.raises(ValueError, match="SNR"):
            closed_form(simulate(Phantom(**slab, **options)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "options",
    [
        {"partition_acceleration": 2},
        {"partition_oversampling": 1.5, "n_slices": 4},
        {"is_3d": True, "n_slices": 4, "partition_acceleration": 2, "first_partition": 2},
        {"is_3d": True, "n_slices": 4, "n_calibration_partitions": 5},
        {"is_3d": True, "n_slices": 4, "n_omitted_partitions": 2},
    ],
)
def test_what_cannot_be_recorded_is_refused(options: dict[str, int | float | bool]) -> None:
    with pytest.raises(ValueError, match=r"partition|k-space"):
        Phantom(**options)  # type: ignore[arg-type]


def slab() -> Scan:
    return simulate(
        Phantom(
            n_x=4,
            n_y=8,
            n_coils=2,
            n_slices=9,
            is_3d=True,
            acceleration=2,
            first_line=1,
            partition_acceleration=3,
            n_calibration_lines=3,
            n_calibration_partitions=4,
            n_omitted_partitions=2,
            n_averages=2,
            slice_thickness_mm=4.0,
            centre_mm=(5.0, 6.0, 7.0),
        )
    )


def test_every_point_is_recorded_for_what_it_is() -> None:
    scan = slab()
    lines = list(image_lines(scan))
    assert len(lines) == len({(line.z, line.y, line.average) for line in lines})
    assert {line.acquired_slice for line in lines} == {0}
    # Partitions 3 and 6 are left of 0, 3, 6; counted from the first recorded one, 2.
    imaging = {(line.z + 2, line.y) for line in lines if line.purpose is not Purpose.CALIBRATION}
    assert imaging == {(z, y) for z in (3, 6) for y in (1, 3, 5, 7)}
    calibration = {(line.z + 2, line.y) for line in lines if line.purpose is not Purpose.IMAGING}
    assert calibration == {(z, y) for z in (2, 3, 4, 5) for y in (3, 4, 5)}
    assert (centre_z(scan.phantom), centre_y(scan.phantom)) == (2, 4)
    one = lines[5]
    np.testing.assert_array_equal(one.samples, scan.kspace[one.average, 0, one.z + 2, :, one.y])
    assert [sum(line.is_first_in_slice for line in lines), sum(line.is_last_in_slice for line in lines)] == [1, 1]


def test_an_mrd_file_says_where_the_partitions_are(tmp_path: Path) -> None:
    write_mrd(tmp_path / "slab.h5", slab())
    with h5py.File(tmp_path / "slab.h5") as file:
        heads = file["dataset/data"]["head"]
        text = file["dataset/xml"][0].decode()
    imaging = heads[(heads["flags"] & (1 << 18)) == 0]
    assert set(imaging["idx"]["kspace_encode_step_2"]) == {0, 1, 2, 3, 4}
    assert set(imaging["idx"]["slice"]) == {0}
    np.testing.assert_array_equal(imaging["position"][0], (5.0, 6.0, 7.0))
    flat = "".join(text.split())
    assert "<matrixSize><x>4</x><y>8</y><z>9</z></matrixSize>" in flat
    assert "<z>36.0</z></fieldOfView_mm>" in flat
    assert "<kspace_encoding_step_2><minimum>0</minimum><maximum>6</maximum><center>2</center>" in flat


@pytest.mark.parametrize("write", [write_twix_vb, write_twix_ve])
def test_a_siemens_protocol_names_partitions_as_scanners_do(write: object, tmp_path: Path) -> None:
    phantom = Phantom(
        n_x=4, n_y=6, n_coils=2, n_slices=6, is_3d=True, partition_oversampling=4 / 3, slice_thickness_mm=2.5
    )
    assert callable(write)
    write(tmp_path / "slab.dat", simulate(phantom))
    text = (tmp_path / "slab.dat").read_bytes().decode("latin-1").replace(" ", "").replace("\t", "")
    for wanted in (
        "sKSpace.lPartitions=8",
        "sKSpace.lImagesPerSlab=6",
        "sKSpace.dSliceOversamplingForDialog=0.333333333333",
        "sKSpace.ucDimension=0x4",
        "sSliceArray.lSize=1",
        "asSlice[0].dThickness=15",
    ):
        assert wanted in text


def test_arrays_have_an_axis_of_partitions(tmp_path: Path) -> None:
    scan = slab()
    write_npz(tmp_path / "slab.npz", scan)
    with np.load(tmp_path / "slab.npz") as arrays:
        assert arrays["kspace"].shape == (2, 1, 1, 2, 9, 8, 4)
        np.testing.assert_array_equal(arrays["kspace"][1, 0, 0, 1, 3, 5], scan.kspace[1, 0, 3, 1, 5])
        assert arrays["sampled"].sum() == 2 * 4
        assert arrays["calibration_sampled"].sum() == 4 * 3
        np.testing.assert_array_equal(arrays["fov_mm"], [[220.0, 220.0, 36.0]])
