"""What can be wrong with a region.

RegionError
├── EmptyRegion     there is no voxel with a value in it
├── OutsideMap      it reaches to voxels that the map does not have
└── OtherGrid       it lies on other voxels than the map
"""

from __future__ import annotations

from mroptimum.errors import ExplainedError
from mroptimum.grid import Grid


class RegionError(ExplainedError):
    """A region cannot be used with a map."""

    code = "region"


class EmptyRegion(RegionError):
    """There is no voxel with a value in the region."""

    code = "empty_region"


class OutsideMap(RegionError):
    """The region reaches to voxels that the map does not have."""

    code = "outside_map"


class OtherGrid(RegionError):
    """The region lies on other voxels than the map."""

    code = "other_grid"

    def __init__(self, what: str, found: Grid, wanted: Grid) -> None:
        super().__init__(
            f"{what} lies on other voxels than the map: {found.in_words()}; the map has {wanted.in_words()}.",
            "Draw the region on this map, or resample it to the map's voxels (nearest neighbour).",
        )
