"""What keeps two packages from being compared."""

from __future__ import annotations

from mroptimum.errors import ExplainedError


class NotComparable(ExplainedError):
    """Two packages have no map in common, or their maps lie on different voxels."""

    code = "not_comparable"
