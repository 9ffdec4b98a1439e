"""Partitions of slabs as slices, against transforms written out here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from acquisitions import acquisition, white_noise
from mroptimum.flags import Flags
from mroptimum.noise import partial_fourier_power
from mroptimum.partitions import as_slices, geometry_of_slices, n_partitions
from mroptimum.phantom import Phantom, simulate
from mroptimum.rawdata.acquisition import Acquisition, Calibration, SliceGeometry
from mroptimum.result import MapId
from tasks import map_of, run_flags

Complex = NDArray[np.complexfloating]


def dft(n: int) -> Complex:
    """From k-space to the image: unitary, the centre at n // 2 of both."""
    position = np.arange(n) - n // 2
    return np.asarray(np.exp(2j * np.pi * np.outer(position, position) / n) / np.sqrt(n))


def two_slabs(rng: np.random.Generator, n_z: int, n_x: int, oversampling: float) -> Acquisition:
    shape = (2, 3, 2, 4, n_z, 6, n_x)
    kspace = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(np.complex64)
    return replace(acquisition(kspace, oversampling=2.0), partition_oversampling=oversampling)


@pytest.mark.parametrize(("n_z", "n_x", "oversampling", "n_kept"), [(8, 8, 1.0, 8), (8, 12, 4 / 3, 6), (7, 10, 1.4, 5)])
@pytest.mark.parametrize("n_repetitions", [1, 3])
def test_slices_are_the_transform_along_partitions_without_what_was_oversampled(
    n_z: int, n_x: int, oversampling: float, n_kept: int, n_repetitions: int, rng: np.random.Generator
) -> None:
    scan = two_slabs(rng, n_z, n_x, oversampling)
    slices = as_slices(scan, n_repetitions=n_repetitions)
    assert slices.kspace.shape == (1, n_repetitions, 2 * n_kept, 4, 1, 6, n_x // 2)
    assert not slices.is_3d
    images = np.einsum("zk,xl,rsckyl->rsczyx", dft(n_z), dft(n_x), scan.kspace.mean(axis=0), optimize=True)
    z, x = n_z // 2 - n_kept // 2, n_x // 2 - n_x // 4
    kept = images[:n_repetitions, :, :, z : z + n_kept, :, x : x + n_x // 2]
    expected = np.einsum("lx,rsczyx->rszcyl", dft(n_x // 2).conj(), kept)
    found = slices.kspace[0, :, :, :, 0].reshape(expected.shape)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_partitions_lie_around_the_centre_of_their_slab() -> None:
    where = SliceGeometry(
        centre_mm=(1.0, 2.0, 3.0),
        readout_direction=(1.0, 0.0, 0.0),
        phase_direction=(0.0, 1.0, 0.0),
        slice_direction=(0.0, 0.0, 1.0),
        fov_mm=(200.0, 200.0, 30.0),
    )
    other = replace(where, centre_mm=(1.0, 2.0, 40.0))
    scan = acquisition(np.ones((1, 1, 2, 1, 8, 4, 4), np.complex64))
    scan = replace(scan, partition_oversampling=4 / 3, geometry=(where, other))
    assert n_partitions(scan) == 6
    slices = geometry_of_slices(scan)
    assert [one.centre_mm[2] for one in slices] == [
        *(3.0 + 5.0 * (k - 3) for k in range(6)),
        *(40.0 + 5.0 * (k - 3) for k in range(6)),
    ]
    assert {one.fov_mm for one in slices} == {(200.0, 200.0, 5.0)}
    plain = acquisition(np.ones((1, 1, 2, 1, 1, 4, 4), np.complex64))
    assert geometry_of_slices(replace(plain, geometry=(where, other))) == (where, other)


@pytest.mark.parametrize("n_calibrating", [12, 6])
@pytest.mark.parametrize("omitted", [0, 3])
def test_the_noise_of_calibration_lines_is_said_relative_to_that_of_the_image(
    n_calibrating: int, omitted: int, rng: np.random.Generator
) -> None:
    """White noise through both, two averages of imaging lines: what `noise_power` says is what is measured."""
    n_z, n_y, n_x = 12, 10, 400
    psi = np.eye(2, dtype=np.complex128)
    noise = white_noise(rng, (2, 1, 1, n_z, n_y, 2, n_x), psi).swapaxes(3, 5).swapaxes(4, 5)
    sampled = np.ones((n_z, n_y), np.bool_)
    sampled[:omitted] = False
    calibrating = np.zeros((n_z, n_y), np.bool_)
    calibrating[n_z // 2 - n_calibrating // 2 : n_z // 2 + n_calibrating // 2, 2:8] = True
    calibrating &= sampled
    scan = acquisition(noise * sampled[:, :, None], sampled=sampled, acceleration=1)
    reference = (noise[0, 0] * calibrating[:, :, None]).astype(np.complex64)
    scan = replace(scan, calibration=Calibration(kspace=reference, sampled=calibrating))
    slices = as_slices(scan)
    assert slices.calibration is not None
    lines = slices.calibration.kspace[..., slices.calibration.sampled[0], :]
    of_image = float(np.mean(np.abs(slices.kspace) ** 2)) * partial_fourier_power(slices)
    # 12 x 6 x 400 samples of each coil: their mean power is known to 1 %.
    assert slices.calibration.noise_power == pytest.approx(float(np.mean(np.abs(lines) ** 2)) / of_image, rel=0.03)


@pytest.mark.parametrize("partition_acceleration", [1, 2])
def test_two_slabs_are_measured_as_each_by_itself(partition_acceleration: int, tmp_path: Path) -> None:
    phantom = Phantom(n_x=8, n_y=16, n_slices=6, n_coils=8, is_3d=True, sigma=0.001, slice_thickness_mm=20.0)
    slabs = [simulate(replace(phantom, centre_mm=(0.0, 0.0, height))) for height in (-70.0, 70.0)]
    points = np.zeros((6, 16), np.bool_)
    points[::partition_acceleration] = True
    calibrating = np.zeros_like(points)
    calibrating[1:5, 2:14] = True

    def written(name: str, scans: slice) -> Path:
        kspace = np.concatenate([scan.kspace.swapaxes(2, 3)[:, :, None] for scan in slabs[scans]], axis=2)
        np.savez(
            tmp_path / name,
            kspace=kspace * points[:, :, None],
            sampled=points,
            calibration=kspace[0, 0] * calibrating[:, :, None],
            calibration_sampled=calibrating,
            noise=slabs[0].noise,
            readout_oversampling=np.array(1.0),
        )
        return tmp_path / name

    flags = Flags(reconstruction="sense")
    both = run_flags(flags, written("both.npz", slice(0, 2)))
    for number in (MapId.SNR, MapId.SENSE_G):
        apart = [map_of(run_flags(flags, written("one.npz", slice(i, i + 1))), number).data for i in (0, 1)]
        np.testing.assert_array_equal(map_of(both, number).data, np.concatenate(apart))
