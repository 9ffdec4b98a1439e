"""What maps say in regions: one measurement for each region and map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mroptimum.export.nifti import Volume
from mroptimum.roi.errors import EmptyRegion, OtherGrid
from mroptimum.roi.regions import Region
from mroptimum.roi.statistics import RegionStatistics, statistics


@dataclass(frozen=True, kw_only=True, eq=False)
class NamedVolume:
    """A map with its name, its number in a result package (None: it comes from elsewhere) and its unit."""

    name: str
    unit: str
    volume: Volume
    id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """What one map says in one region."""

    region: str
    map: str
    map_id: int | None
    unit: str
    statistics: RegionStatistics


def measure(regions: Sequence[Region], maps: Sequence[NamedVolume]) -> tuple[Measurement, ...]:
    """Measure every map in every region. Raises `OtherGrid` and `EmptyRegion`, which name region and map."""
    return tuple(_measurement(region, of_map) for region in regions for of_map in maps)


def _measurement(region: Region, of_map: NamedVolume) -> Measurement:
    grid = of_map.volume.grid
    if not region.grid.coincides_with(grid):
        raise OtherGrid(f"The region {region.name}", region.grid, grid)
    try:
        found = statistics(of_map.volume.data[region.voxels], voxel_volume_mm3=grid.voxel_volume_mm3)
    except EmptyRegion:
        raise EmptyRegion(
            f"The region {region.name} holds no voxel with a value of {of_map.name}.", "Check where it lies."
        ) from None
    return Measurement(region=region.name, map=of_map.name, map_id=of_map.id, unit=of_map.unit, statistics=found)
