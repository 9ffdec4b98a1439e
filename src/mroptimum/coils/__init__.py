"""Coil sensitivity maps, and which voxels are object.

Everything here works on one slice of whitened k-space, (coil, y, x); maps are whitened too, so ``s^H Psi^-1 s`` is
``|s|^2``. Each method is a module: it takes a `CalibrationRegion` and gives sensitivities up to a factor per voxel,
which `coil_maps` turns into `CoilMaps`. A factor per voxel, the same for all coils, changes no SNR.
"""

from __future__ import annotations

from mroptimum.coils.calibration import CalibrationRegion, calibration_image
from mroptimum.coils.maps_for import maps_for
from mroptimum.coils.masks import mask_by_magnitude, object_mask
from mroptimum.coils.sensitivities import CoilMaps, coil_maps
from mroptimum.coils.sources import SliceSources, read_sources
from mroptimum.coils.sums import inner_product, root_sum_of_squares

__all__ = [
    "CalibrationRegion",
    "CoilMaps",
    "SliceSources",
    "calibration_image",
    "coil_maps",
    "inner_product",
    "maps_for",
    "mask_by_magnitude",
    "object_mask",
    "read_sources",
    "root_sum_of_squares",
]
