"""Regions of a map: where they are, and what the map says there."""

from mroptimum.roi.errors import EmptyRegion, OtherGrid, OutsideMap, RegionError
from mroptimum.roi.measuring import Measurement, NamedVolume, measure
from mroptimum.roi.regions import Box, Ellipse, Region, Shape, drawn, regions_of_mask
from mroptimum.roi.saving import save_region
from mroptimum.roi.source import MapsOnGrid, maps_at, one_stack
from mroptimum.roi.statistics import Interval, RegionStatistics, statistics

__all__ = [
    "Box",
    "Ellipse",
    "EmptyRegion",
    "Interval",
    "MapsOnGrid",
    "Measurement",
    "NamedVolume",
    "OtherGrid",
    "OutsideMap",
    "Region",
    "RegionError",
    "RegionStatistics",
    "Shape",
    "drawn",
    "maps_at",
    "measure",
    "one_stack",
    "regions_of_mask",
    "save_region",
    "statistics",
]
