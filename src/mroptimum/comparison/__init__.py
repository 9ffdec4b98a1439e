"""Two results of the same voxels side by side: where they differ, by how much, and whether that can be chance."""

from mroptimum.comparison.differences import Difference, StatedError, difference, ratio
from mroptimum.comparison.errors import NotComparable
from mroptimum.comparison.packages import Comparison, Pair, RegionDifference, compare
from mroptimum.comparison.writing import write_comparison

__all__ = [
    "Comparison",
    "Difference",
    "NotComparable",
    "Pair",
    "RegionDifference",
    "StatedError",
    "compare",
    "difference",
    "ratio",
    "write_comparison",
]
