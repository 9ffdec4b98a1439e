from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray

from mroptimum.export.nifti import stacks, volume, write_nifti
from mroptimum.rawdata.acquisition import SliceGeometry

LPS_TO_RAS = np.array([-1.0, -1.0, 1.0])


def slice_at(centre: tuple[float, float, float], rotation: NDArray[np.float64]) -> SliceGeometry:
    columns: list[tuple[float, float, float]] = [tuple(float(v) for v in column) for column in rotation.T]  # type: ignore[misc]
    return SliceGeometry(
        centre_mm=centre,
        readout_direction=columns[0],
        phase_direction=columns[1],
        slice_direction=columns[2],
        fov_mm=(192.0, 160.0, 5.0),
    )


def rotation(axis: tuple[float, float, float], degrees: float) -> NDArray[np.float64]:
    """Rotation about an axis (Rodrigues)."""
    k = np.asarray(axis) / np.linalg.norm(axis)
    cross = np.array([[0, -k[2], k[1]], [k[2], 0, -k[0]], [-k[1], k[0], 0]])
    angle = np.deg2rad(degrees)
    matrix: NDArray[np.float64] = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return matrix


ORIENTATIONS = [np.eye(3), rotation((1, 0, 0), 90), rotation((0, 1, 0), 90), rotation((1, 2, 3), 37), -np.eye(3)]


@pytest.mark.parametrize("turn", ORIENTATIONS)
def test_every_voxel_lies_where_the_protocol_puts_it(turn: NDArray[np.float64], tmp_path: Path) -> None:
    """One bright voxel per case: NIfTI's own idea of its position is the LPS position worked out by hand."""
    spacing = 8.0
    geometry = [slice_at(tuple(np.array([3.0, -7.0, 11.0]) + spacing * i * turn[:, 2]), turn) for i in range(4)]
    data = np.zeros((4, 20, 24), dtype=np.float32)
    z, y, x = 2, 5, 17
    data[z, y, x] = 1.0
    [stack] = stacks(geometry, 4, (20, 24))
    write_nifti(tmp_path / "a.nii.gz", data, stack, unit="1", description="test")
    image: Any = nibabel.load(tmp_path / "a.nii.gz")
    [voxel] = np.argwhere(image.get_fdata() == 1)
    expected = (
        np.array([3.0, -7.0, 11.0])
        + spacing * z * turn[:, 2]
        + (x - 12) * (192 / 24) * turn[:, 0]
        + (y - 10) * (160 / 20) * turn[:, 1]
    )
    np.testing.assert_allclose((image.affine @ [*voxel, 1])[:3], expected * LPS_TO_RAS, atol=1e-4)
    assert nibabel.aff2axcodes(image.affine) == ("R", "A", "S")
    assert image.header.get_xyzt_units()[0] == "mm"


def test_slices_out_of_order_are_put_in_order() -> None:
    geometry = [slice_at((0, 0, z), np.eye(3)) for z in (10.0, 0.0, 5.0)]
    [stack] = stacks(geometry, 3, (4, 4))
    assert stack.slices == (1, 2, 0)
    data = np.array([10.0, 0.0, 5.0], dtype=np.float32)[:, None, None] * np.ones((1, 4, 4), dtype=np.float32)
    assert volume(data, stack).data[0, 0].tolist() == [0.0, 5.0, 10.0]


def test_unevenly_spaced_or_tilted_slices_become_volumes_of_their_own() -> None:
    uneven = [slice_at((0, 0, z), np.eye(3)) for z in (0.0, 5.0, 20.0)]
    assert [stack.slices for stack in stacks(uneven, 3, (4, 4))] == [(0,), (1,), (2,)]
    localiser = [slice_at((0, 0, 0), ORIENTATIONS[i]) for i in (0, 1, 2)]
    assert [stack.slices for stack in stacks(localiser, 3, (4, 4))] == [(0,), (1,), (2,)]
    two_stacks = [slice_at((0, 0, z), ORIENTATIONS[i]) for i in (0, 3) for z in (0.0, 5.0)]
    turned = [replace(g, centre_mm=tuple(5.0 * k * ORIENTATIONS[3][:, 2])) for k, g in enumerate(two_stacks[2:])]
    assert [stack.slices for stack in stacks([*two_stacks[:2], *turned], 4, (4, 4))] == [(0, 1), (2, 3)]


def test_two_slices_at_one_place_are_not_one_volume() -> None:
    geometry = [slice_at((0, 0, 0), np.eye(3))] * 2
    assert len(stacks(geometry, 2, (4, 4))) == 2


def test_the_same_map_gives_the_same_bytes(tmp_path: Path) -> None:
    [stack] = stacks((), 2, (4, 4))
    data = np.arange(32, dtype=np.float32).reshape(2, 4, 4)
    for name in ("a.nii.gz", "b.nii.gz"):
        write_nifti(tmp_path / name, data, stack, unit="1", description="test")
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()
