from __future__ import annotations

import itertools

import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mroptimum.export.nifti import Volume
from mroptimum.grid import Grid
from mroptimum.roi import (
    Box,
    Ellipse,
    EmptyRegion,
    NamedVolume,
    OtherGrid,
    OutsideMap,
    RegionError,
    drawn,
    measure,
    regions_of_mask,
)
from mroptimum.volume_file import volume_from

AFFINE = np.diag([2.0, 3.0, 5.0, 1.0])
GRID = Grid(shape=(9, 8, 7), affine=AFFINE)


def test_a_box_holds_both_its_ends() -> None:
    region = drawn(Box(x=(2, 4), y=(0, 1), z=(6, 6)), GRID, name="b")
    expected = np.zeros((9, 8, 7), dtype=bool)
    expected[2:5, 0:2, 6] = True
    np.testing.assert_array_equal(region.voxels, expected)


def test_without_slices_all_are_meant() -> None:
    assert drawn(Box(x=(0, 0), y=(0, 0)), GRID, name="b").voxels.sum() == 7


@pytest.mark.parametrize("across", [0, 1, 2])
def test_x_and_y_are_the_axes_of_a_slice_wherever_it_lies(across: int) -> None:
    shape = [8, 7]
    shape.insert(across, 3)
    grid = Grid(shape=(shape[0], shape[1], shape[2]), affine=AFFINE, slice_axis=across)
    region = drawn(Box(x=(7, 7), y=(1, 2), z=(2, 2)), grid, name="b")
    expected = [[7, 1], [7, 2]]
    for place in expected:
        place.insert(across, 2)
    assert np.argwhere(region.voxels).tolist() == expected


@given(
    centre=st.tuples(st.floats(-2, 10), st.floats(-2, 10)),
    half_axes=st.tuples(st.floats(0.5, 12), st.floats(0.5, 12)),
)
def test_an_ellipse_holds_the_voxels_whose_centre_is_inside(
    centre: tuple[float, float], half_axes: tuple[float, float]
) -> None:
    inside = [
        [((x - centre[0]) / half_axes[0]) ** 2 + ((y - centre[1]) / half_axes[1]) ** 2 <= 1 for y in range(8)]
        for x in range(9)
    ]
    ellipse = Ellipse(centre=centre, half_axes=half_axes, z=(0, 1))
    if not np.any(inside):
        with pytest.raises(EmptyRegion):
            drawn(ellipse, GRID, name="e")
        return
    voxels = drawn(ellipse, GRID, name="e").voxels
    np.testing.assert_array_equal(voxels[..., 0], inside)
    assert voxels.sum() == 2 * np.sum(inside)


@pytest.mark.parametrize(
    "shape",
    [
        Box(x=(0, 9), y=(0, 1)),
        Box(x=(-1, 2), y=(0, 1)),
        Box(x=(0, 1), y=(0, 8)),
        Box(x=(0, 1), y=(0, 1), z=(7, 7)),
        Ellipse(centre=(4, 4), half_axes=(2, 2), z=(0, 7)),
    ],
)
def test_what_reaches_out_of_the_map_is_refused_with_its_size(shape: Box | Ellipse) -> None:
    with pytest.raises(OutsideMap, match="9 x 8 voxels") as refusal:
        drawn(shape, GRID, name="b")
    assert "x to 8, y to 7, slices to 6" in refusal.value.next_step


def test_shapes_that_hold_nothing_cannot_be_made() -> None:
    with pytest.raises(RegionError):
        Box(x=(3, 2), y=(0, 1))
    for half_axes in ((0.0, 1.0), (1.0, -1.0), (float("nan"), 1.0), (float("inf"), 1.0)):
        with pytest.raises(RegionError):
            Ellipse(centre=(1, 1), half_axes=half_axes)
    with pytest.raises(RegionError):
        Ellipse(centre=(1, 1), half_axes=(1, 1), z=(2, 1))


def mask_of(
    voxels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], affine: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
) -> Volume:
    return Volume(data=voxels, affine=affine, slice_axis=2)


def test_each_label_of_a_mask_is_a_region() -> None:
    voxels = np.zeros(GRID.shape, dtype=np.uint8)
    voxels[1, 1, 1], voxels[2:4, 1, 1] = 3, 1
    first, third = regions_of_mask(mask_of(voxels, AFFINE), GRID, name="lesion")
    assert (first.name, first.voxels.sum()) == ("lesion 1", 2)
    assert (third.name, np.argwhere(third.voxels).tolist()) == ("lesion 3", [[1, 1, 1]])
    [only] = regions_of_mask(mask_of((voxels == 3).astype(np.uint8), AFFINE), GRID, name="lesion")
    assert only.name == "lesion"


ORDERS = [
    (order, flips) for order in itertools.permutations(range(3)) for flips in itertools.product((1, -1), repeat=3)
]


@pytest.mark.parametrize(("order", "flips"), ORDERS)
def test_a_mask_may_be_stored_in_any_order_of_its_axes(order: tuple[int, ...], flips: tuple[int, ...]) -> None:
    """nibabel turns the file; the region it gives stays where it was."""
    voxels = np.zeros(GRID.shape, dtype=np.uint8)
    voxels[1, 5, 2] = voxels[2, 5, 2] = 1
    image = nibabel.Nifti1Image(voxels, AFFINE)
    image.header.set_xyzt_units("mm")
    turned = image.as_reoriented(np.array(list(zip(order, flips, strict=True))))
    [region] = regions_of_mask(volume_from(turned.to_bytes()), GRID, name="m")
    assert np.argwhere(region.voxels).tolist() == [[1, 5, 2], [2, 5, 2]]


def test_a_mask_on_other_voxels_is_refused_with_both_grids() -> None:
    voxels = np.ones((9, 8, 6), dtype=np.uint8)
    with pytest.raises(OtherGrid) as refusal:
        regions_of_mask(mask_of(voxels, AFFINE), GRID, name="m")
    assert "9 x 8 x 6 voxels" in refusal.value.message
    assert "9 x 8 x 7 voxels" in refusal.value.message
    shifted = AFFINE.copy()
    shifted[2, 3] = 5.0
    with pytest.raises(OtherGrid) as refusal:
        regions_of_mask(mask_of(np.ones(GRID.shape, dtype=np.uint8), shifted), GRID, name="m")
    assert "0 0 5 5" in refusal.value.message
    assert "0 0 5 0" in refusal.value.message


def test_a_mask_of_other_things_than_labels_is_refused() -> None:
    with pytest.raises(EmptyRegion):
        regions_of_mask(mask_of(np.zeros(GRID.shape, dtype=np.uint8), AFFINE), GRID, name="m")
    for value in (0.5, np.nan):
        data = np.full(GRID.shape, value, dtype=np.float32)
        with pytest.raises(RegionError, match="whole numbers"):
            regions_of_mask(Volume(data=data, affine=AFFINE, slice_axis=2), GRID, name="m")
    many = np.arange(np.prod(GRID.shape), dtype=np.int32).reshape(GRID.shape)
    with pytest.raises(RegionError, match="not a map"):
        regions_of_mask(Volume(data=many, affine=AFFINE, slice_axis=2), GRID, name="m")


def test_a_measurement_takes_the_voxels_of_the_region_and_the_volume_of_the_grid() -> None:
    data = np.arange(np.prod(GRID.shape), dtype=np.float32).reshape(GRID.shape)
    volume = Volume(data=data, affine=AFFINE, slice_axis=2)
    [found] = measure(
        [drawn(Box(x=(1, 1), y=(2, 3), z=(0, 0)), GRID, name="b")], [NamedVolume(name="SNR", unit="1", volume=volume)]
    )
    assert found.statistics.mean == (data[1, 2, 0] + data[1, 3, 0]) / 2
    assert found.statistics.volume_mm3 == 2 * 2 * 3 * 5
    elsewhere = Volume(data=data, affine=AFFINE + np.diag([1.0, 0, 0, 0]), slice_axis=2)
    with pytest.raises(OtherGrid):
        measure([drawn(Box(x=(1, 1), y=(2, 3)), GRID, name="b")], [NamedVolume(name="SNR", unit="1", volume=elsewhere)])


def test_only_the_object_may_be_asked_for() -> None:
    inside = np.zeros(GRID.shape, dtype=np.uint8)
    inside[1, 2, 0] = 1
    region = drawn(Box(x=(1, 1), y=(2, 3), z=(0, 0)), GRID, name="b").within(mask_of(inside, AFFINE))
    assert np.argwhere(region.voxels).tolist() == [[1, 2, 0]]
