from __future__ import annotations

import numpy as np
import pytest

from mroptimum.grid import Grid

AFFINE = np.array([[2.0, 0.1, 0, -20], [-0.1, 3.0, 0, 7], [0, 0, 5.0, 11], [0, 0, 0, 1]])


def test_a_voxel_has_the_volume_that_its_edges_span() -> None:
    assert Grid(shape=(4, 4, 4), affine=AFFINE).voxel_volume_mm3 == pytest.approx(5 * (2 * 3 + 0.1 * 0.1))
    assert Grid(shape=(4, 4, 4), affine=AFFINE, is_placed=False).voxel_volume_mm3 is None


@pytest.mark.parametrize(("across", "in_plane"), [(0, (1, 2)), (1, (0, 2)), (2, (0, 1))])
def test_a_slice_has_the_two_other_axes(across: int, in_plane: tuple[int, int]) -> None:
    assert Grid(shape=(4, 5, 6), affine=AFFINE, slice_axis=across).in_plane_axes == in_plane


def test_grids_coincide_up_to_the_rounding_of_headers() -> None:
    grid = Grid(shape=(100, 100, 10), affine=AFFINE)
    assert grid.coincides_with(Grid(shape=(100, 100, 10), affine=AFFINE.astype(np.float32).astype(np.float64)))
    assert not grid.coincides_with(Grid(shape=(100, 100, 11), affine=AFFINE))
    shifted = AFFINE.copy()
    shifted[0, 3] += 1.0
    assert not grid.coincides_with(Grid(shape=(100, 100, 10), affine=shifted))


def test_a_small_turn_shows_at_the_far_corner() -> None:
    """0.2 degrees move the far corner of 100 voxels by a third of a voxel, and the near one not at all."""
    angle = np.deg2rad(0.2)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    grid = Grid(shape=(100, 100, 1), affine=np.eye(4))
    assert not grid.coincides_with(Grid(shape=(100, 100, 1), affine=turn))


def test_words_name_shape_size_and_place() -> None:
    words = Grid(shape=(4, 5, 6), affine=np.diag([2.0, 2.0, 5.0, 1.0])).in_words()
    assert words == "4 x 5 x 6 voxels of 2 x 2 x 5 mm, affine [2 0 0 0; 0 2 0 0; 0 0 5 0]"
