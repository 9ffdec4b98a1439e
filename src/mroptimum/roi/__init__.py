"""Regions of a map: where they are, and what the map says there."""

from mroptimum.roi.errors import EmptyRegion, OtherGrid, RegionError
from mroptimum.roi.regions import Box, Ellipse, Region, Shape, drawn, regions_of_mask
from mroptimum.roi.statistics import Interval, RegionStatistics, statistics

__all__ = [
    "Box",
    "Ellipse",
    "EmptyRegion",
    "Interval",
    "OtherGrid",
    "Region",
    "RegionError",
    "RegionStatistics",
    "Shape",
    "drawn",
    "regions_of_mask",
    "statistics",
]
