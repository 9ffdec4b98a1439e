from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray

from acquisitions import acquisition
from mroptimum.coils.slice_grid import SliceGrid, read_nifti_on
from mroptimum.errors import ReconstructionError, UnreadableFile
from mroptimum.export.nifti import stacks, write_nifti
from mroptimum.rawdata.acquisition import SliceGeometry

N_Y, N_X = 6, 9


def turned(axis: tuple[float, float, float], degrees: float) -> NDArray[np.float64]:
    """Rotation about an axis (Rodrigues)."""
    k = np.asarray(axis) / np.linalg.norm(axis)
    cross = np.array([[0, -k[2], k[1]], [k[2], 0, -k[0]], [-k[1], k[0], 0]])
    angle = np.deg2rad(degrees)
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)


def slices(positions_mm: tuple[float, ...], turn: NDArray[np.float64]) -> tuple[SliceGeometry, ...]:
    x, y, z = ((float(a), float(b), float(c)) for a, b, c in turn.T)
    return tuple(
        SliceGeometry(
            centre_mm=(3.0 + p * z[0], -7.0 + p * z[1], 11.0 + p * z[2]),
            readout_direction=x,
            phase_direction=y,
            slice_direction=z,
            fov_mm=(180.0, 150.0, 4.0),
        )
        for p in positions_mm
    )


def grid(geometry: tuple[SliceGeometry, ...], n_slices: int | None = None) -> SliceGrid:
    return SliceGrid(n_slices=n_slices or len(geometry), n_coils=1, n_y=N_Y, n_x=N_X, geometry=geometry)


def files(values: NDArray[np.float32], geometry: tuple[SliceGeometry, ...], folder: Path) -> list[bytes]:
    contents = []
    for stack in stacks(geometry, len(values), (N_Y, N_X)):
        write_nifti(folder / "a.nii.gz", values, stack, unit="1", description="values")
        contents.append((folder / "a.nii.gz").read_bytes())
    return contents


@pytest.mark.parametrize(
    "turn",
    [
        np.eye(3),
        -np.eye(3),
        turned((1, 0, 0), 90),
        turned((0, 1, 0), 90),
        turned((1, 2, 3), 37),
        turned((3, -1, 1), 200),
    ],
)
@pytest.mark.parametrize("positions_mm", [(0.0,), (0.0, 5.0, 10.0), (10.0, 0.0, 5.0), (0.0, 5.0, 40.0)])
def test_what_was_written_for_a_scan_is_read_back_on_it(
    turn: NDArray[np.float64], positions_mm: tuple[float, ...], tmp_path: Path, rng: np.random.Generator
) -> None:
    """Axes turned and flipped on the way to R-A-S, slices in any order, unevenly spaced ones in files of their own."""
    geometry = slices(positions_mm, turn)
    values = rng.normal(size=(len(geometry), N_Y, N_X)).astype(np.float32)
    assert np.array_equal(read_nifti_on(grid(geometry), files(values, geometry, tmp_path), "mask"), values)


def test_a_scan_without_geometry_counts_slices(tmp_path: Path, rng: np.random.Generator) -> None:
    values = rng.normal(size=(3, N_Y, N_X)).astype(np.float32)
    assert np.array_equal(read_nifti_on(grid((), 3), files(values, (), tmp_path), "mask"), values)


def test_a_file_of_more_slices_gives_those_of_the_scan(tmp_path: Path, rng: np.random.Generator) -> None:
    all_slices = slices((0.0, 5.0, 10.0, 15.0), turned((1, 2, 3), 37))
    values = rng.normal(size=(4, N_Y, N_X)).astype(np.float32)
    content = files(values, all_slices, tmp_path)
    assert np.array_equal(read_nifti_on(grid(all_slices[1:3]), content, "mask"), values[1:3])


def test_slices_of_another_place_are_named(tmp_path: Path) -> None:
    geometry = slices((0.0, 5.0, 10.0), np.eye(3))
    content = files(np.ones((2, N_Y, N_X), dtype=np.float32), geometry[:2], tmp_path)
    with pytest.raises(ReconstructionError, match=r"mask does not lie on the voxels of the scan \(slice 3\)"):
        read_nifti_on(grid(geometry), content, "mask")


@pytest.mark.parametrize("change", ["half a voxel", "turned", "coarser", "smaller"])
def test_another_grid_is_not_resampled_in_silence(change: str, tmp_path: Path) -> None:
    geometry = slices((0.0,), np.eye(3))
    wanted = grid(geometry)
    x, y, z = geometry[0].centre_mm
    match change:
        case "half a voxel":
            wanted = grid((replace(geometry[0], centre_mm=(x + 10.0, y, z)),))
        case "turned":
            wanted = grid(slices((0.0,), turned((0, 0, 1), 2)))
        case "coarser":
            wanted = grid((replace(geometry[0], fov_mm=(360.0, 150.0, 4.0)),))
        case "smaller":
            wanted = replace(wanted, n_x=2 * N_X)
    content = files(np.ones((1, N_Y, N_X), dtype=np.float32), geometry, tmp_path)
    with pytest.raises(ReconstructionError, match="slice 1"):
        read_nifti_on(wanted, content, "mask")


def test_the_grid_of_a_scan_has_no_oversampling() -> None:
    kspace = np.ones((1, 1, 3, 4, 1, N_Y, 2 * N_X), dtype=np.complex64)
    found = SliceGrid.of(acquisition(kspace, oversampling=2.0))
    assert found == SliceGrid(n_slices=3, n_coils=4, n_y=N_Y, n_x=N_X)


def damaged(kind: str) -> bytes:
    whole: bytes = nibabel.Nifti1Image(np.ones((N_X, N_Y, 1), dtype=np.float32), np.eye(4)).to_bytes()
    match kind:
        case "empty":
            return b""
        case "text":
            return b"not a volume " * 100
        case "truncated":
            return whole[:-40]
        case "truncated gzip":
            return gzip.compress(whole)[:-30]
        case "no voxels":
            return whole[:312] + bytes(16) + whole[328:]  # the last row of the affine
        case "five axes":
            return bytes(nibabel.Nifti1Image(np.ones((2, 2, 1, 2, 2), dtype=np.float32), np.eye(4)).to_bytes())
    header = bytearray(whole)
    header[42:48] = np.array([32000, 32000, 32000], dtype="<i2").tobytes()
    return bytes(header)


@pytest.mark.parametrize(
    "kind", ["empty", "text", "truncated", "truncated gzip", "no voxels", "five axes", "an absurd size"]
)
def test_damage_is_an_error_in_words(kind: str) -> None:
    with pytest.raises(UnreadableFile, match=r"The mask cannot be read\. The file holds no map"):
        read_nifti_on(grid((), 1), [damaged(kind)], "mask")
